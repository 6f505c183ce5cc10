// The attestation report of Hygon's secure processor, padded to a page: the older form, whose fields are masked with a
// nonce, and the extended one with registers for runtime measurements.
#pragma once

#include <array>
#include <optional>

#include "base/bytes.h"
#include "codec/json.h"
#include "evidence/tee.h"

namespace coffer::evidence::csv {

inline constexpr std::size_t report_page = 4096;

struct Report {
  unsigned version = 1;  // 1 or 2
  Bytes user_pubkey_digest{};
  Bytes vm_id{};
  Bytes vm_version{};
  Bytes report_data{};
  Bytes mnonce{};
  Bytes measure{};
  std::uint32_t policy = 0;
  std::uint32_t sig_usage = 0;
  std::uint32_t sig_algo = 0;
  std::uint32_t anonce = 0;  // version 1: the mask
  std::uint32_t build = 0;   // version 2, as all below
  std::uint16_t rtmr_version = 0;
  std::array<Bytes, 5> rtmrs{};
  Bytes signature{};  // r and s of 72 bytes each, little-endian
};

// `magic` (16 bytes) and `flags` say which form the page has. malformed for another size, magic or flags.
Result<Report> parse_report(ByteView page, ByteView magic, std::uint64_t flags);
// Under upstream's names; the policy by its bits.
codec::json::Object describe(const Report& report);

}  // namespace coffer::evidence::csv
