// Last arcs below 1.2.840.113741.1.13.1 (Intel SGX PCK Certificate and CRL Profile, section 1.3.5).
#pragma once

#include <cstdint>

namespace coffer::evidence::dcap::detail {

enum class SgxArc : std::uint8_t {
  ppid = 1,
  tcb = 2,
  pce_id = 3,
  fmspc = 4,
  sgx_type = 5,
  platform_instance_id = 6,
  configuration = 7,
};

// Below .2: 1 to 16 are components.
inline constexpr std::uint8_t tcb_pce_svn = 17;
inline constexpr std::uint8_t tcb_cpu_svn = 18;

// Below .7.
inline constexpr std::uint8_t configuration_dynamic = 1;
inline constexpr std::uint8_t configuration_cached = 2;
inline constexpr std::uint8_t configuration_smt = 3;

}  // namespace coffer::evidence::dcap::detail
