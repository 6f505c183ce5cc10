#include "evidence/arm/lifecycle.h"

namespace coffer::evidence::arm {

std::optional<Lifecycle> parse_lifecycle(std::uint64_t value) {
  const auto state = value >> 12;
  if (state > 6 || (value & 0xf00U) != 0) return std::nullopt;
  return static_cast<Lifecycle>(state);
}

std::string_view name_of(Lifecycle lifecycle) {
  switch (lifecycle) {
    case Lifecycle::unknown: return "unknown";
    case Lifecycle::assembly_and_test: return "assembly-and-test";
    case Lifecycle::rot_provisioning: return "psa-rot-provisioning";
    case Lifecycle::secured: return "secured";
    case Lifecycle::non_rot_debug: return "non-psa-rot-debug";
    case Lifecycle::recoverable_rot_debug: return "recoverable-psa-rot-debug";
    case Lifecycle::decommissioned: return "decommissioned";
  }
  return "unknown";
}

}  // namespace coffer::evidence::arm
