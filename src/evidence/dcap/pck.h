// The SGX extensions of a PCK certificate (Intel SGX PCK Certificate and CRL Profile, section 1.3.5): which platform it
// is, and at which TCB the certificate was issued.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "crypto/x509.h"
#include "evidence/dcap/error.h"

namespace coffer::evidence::dcap {

inline constexpr std::string_view sgx_extensions_oid = "1.2.840.113741.1.13.1";

enum class PckCa { processor, platform };
std::string_view name_of(PckCa ca);  // as in the query of the PCK CRL

struct PckExtensions {
  std::array<std::uint8_t, 16> ppid;
  std::array<std::uint8_t, 16> components;  // SVNs of the SGX TCB
  std::uint16_t pce_svn;
  std::array<std::uint8_t, 16> cpu_svn;
  std::array<std::uint8_t, 2> pce_id;
  std::array<std::uint8_t, 6> fmspc;
  std::uint64_t sgx_type;  // 0 Standard, 1 Scalable, 2 Scalable with Integrity
  // Of multi-package platforms alone, whose certificates come from the Platform CA.
  struct Platform {
    std::array<std::uint8_t, 16> instance_id;  // as in the certificate: little-endian
    std::optional<bool> dynamic_platform;
    std::optional<bool> cached_keys;
    std::optional<bool> smt_enabled;
  };
  std::optional<Platform> platform;
};

// `der`: the content of the extension. bad_pck_extension.
Result<PckExtensions> parse_pck_extensions(ByteView der);
// The reverse, for the simulator.
Bytes encode_pck_extensions(const PckExtensions& extensions);

}  // namespace coffer::evidence::dcap
