// Facts that the simulated platform and the simulated collateral agree on.
#pragma once

#include <array>
#include <cstdint>

#include "crypto/hash.h"
#include "evidence/dcap/quote.h"

namespace coffer::evidence::dcap::detail {

inline constexpr std::array<std::uint8_t, 6> fmspc{0x50, 0x1e, 0xd0, 0x00, 0x00, 0x00};
inline constexpr std::array<std::uint8_t, 16> current_components{5, 5, 2, 2, 3, 1, 0, 3};
inline constexpr std::array<std::uint8_t, 16> old_components{4, 4, 2, 2, 3, 1, 0, 3};
inline constexpr std::uint16_t current_pce_svn = 13;
// TEE_TCB_SVN: module SVN, module version, SEAM loader.
inline constexpr std::array<std::uint8_t, 16> current_tdx{5, 1, 3};
inline constexpr std::array<std::uint8_t, 16> old_module_tdx{3, 1, 3};

inline Bytes qe_signer(bool foreign = false) {
  return crypto::sha256(as_bytes(foreign ? "a foreign signer" : "simulated signer of quoting enclaves"));
}
inline std::uint16_t qe_product(Tee tee) {
  return tee == Tee::sgx ? 1 : 2;
}

}  // namespace coffer::evidence::dcap::detail
