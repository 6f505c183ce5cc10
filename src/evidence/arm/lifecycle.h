// The security lifecycle of a device (RFC 9783 section 4.3.1; the RMM specification, A7.2.3.2.4, has the same values).
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace coffer::evidence::arm {

enum class Lifecycle {
  unknown,                // 0x0000 to 0x00ff
  assembly_and_test,      // 0x1000
  rot_provisioning,       // 0x2000
  secured,                // 0x3000: the only one in which attestation means what it says
  non_rot_debug,          // 0x4000
  recoverable_rot_debug,  // 0x5000
  decommissioned,         // 0x6000
};

// Nothing for a value outside the seven ranges. The low byte is the implementation's own.
std::optional<Lifecycle> parse_lifecycle(std::uint64_t value);
std::string_view name_of(Lifecycle lifecycle);  // "secured", "non-psa-rot-debug", ...

}  // namespace coffer::evidence::arm
