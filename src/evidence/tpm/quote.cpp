#include "evidence/tpm/quote.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/byte_reader.h"
#include "evidence/eventlog/event_log.h"

namespace coffer::evidence::tpm {

using crypto::HashAlgorithm;
using crypto::SignatureScheme;

namespace {

constexpr std::uint32_t tpm_generated = 0xff544347;  // section 6.2
constexpr std::uint16_t attest_quote = 0x8018;       // TPM_ST_ATTEST_QUOTE, section 6.9
constexpr std::size_t max_selections = 16;
constexpr std::size_t max_select_bytes = 4;
constexpr std::size_t max_digest = 64;

template <typename T>
Result<T> in_quote(Result<T> read) {
  if (!read) return fail(TpmError::bad_quote, "TPMS_ATTEST: " + read.error().message);
  return read;
}

// TPM2B_*: a size and so many bytes.
Result<Bytes> sized(ByteReader& reader, std::string_view what, std::size_t most) {
  const auto size = TRY(in_quote(reader.u16_be(what)));
  if (size > most) return fail(TpmError::bad_quote, fmt::format("{} of {} bytes, at most {} fit", what, size, most));
  return to_bytes(TRY(in_quote(reader.bytes(size, what))));
}

Result<std::optional<PcrSelection>> read_selection(ByteReader& reader) {
  const auto id = TRY(in_quote(reader.u16_be("PCR bank")));
  const auto size = TRY(in_quote(reader.u8("sizeofSelect")));
  if (size > max_select_bytes) {
    return fail(TpmError::bad_quote, fmt::format("sizeofSelect is {}, expected at most {}", size, max_select_bytes));
  }
  const auto bits = TRY(in_quote(reader.bytes(size, "pcrSelect")));
  PcrSelection out{};
  for (unsigned pcr = 0; pcr < size * 8U; ++pcr) {
    if ((std::to_integer<unsigned>(bits[pcr / 8]) >> (pcr % 8) & 1U) != 0) out.pcrs.push_back(pcr);
  }
  if (out.pcrs.empty()) return std::nullopt;
  const auto bank = eventlog::algorithm_of_id(id);
  if (!bank) return fail(TpmError::unsupported_algorithm, fmt::format("the quote selects PCRs of bank {:#06x}", id));
  out.bank = *bank;
  return out;
}

Result<> read_header(ByteReader& reader) {
  const auto magic = TRY(in_quote(reader.u32_be("magic")));
  if (magic != tpm_generated) {
    return fail(TpmError::bad_quote,
                fmt::format("magic is {:#010x}, expected {:#010x}: not made by a TPM", magic, tpm_generated));
  }
  const auto type = TRY(in_quote(reader.u16_be("type")));
  if (type == attest_quote) return {};
  return fail(TpmError::not_a_quote,
              fmt::format("attestation of type {:#06x}, expected a quote, {:#06x}", type, attest_quote));
}

}  // namespace

Result<Quote> parse_quote(ByteView message) {
  ByteReader reader{message};
  TRY(read_header(reader));
  Quote out;
  out.qualified_signer = TRY(sized(reader, "qualifiedSigner", 2 + max_digest));
  out.extra_data = TRY(sized(reader, "extraData", max_digest));
  out.clock = TRY(in_quote(reader.u64_be("clock")));
  out.reset_count = TRY(in_quote(reader.u32_be("resetCount")));
  out.restart_count = TRY(in_quote(reader.u32_be("restartCount")));
  const auto safe = TRY(in_quote(reader.u8("safe")));
  if (safe > 1) return fail(TpmError::bad_quote, fmt::format("safe is {}, expected 0 or 1", safe));
  out.safe = safe == 1;
  out.firmware_version = TRY(in_quote(reader.u64_be("firmwareVersion")));
  const auto count = TRY(in_quote(reader.u32_be("pcrSelect count")));
  if (count > max_selections) return fail(TpmError::bad_quote, fmt::format("{} selections of PCRs", count));
  for (std::uint32_t i = 0; i < count; ++i) {
    if (auto selection = TRY(read_selection(reader))) out.selections.push_back(*std::move(selection));
  }
  out.pcr_digest = TRY(sized(reader, "pcrDigest", max_digest));
  TRY(in_quote(reader.expect_end("TPMS_ATTEST")));
  return out;
}

Bytes encode_quote(const Quote& quote) {
  ByteWriter out;
  const auto put = [&out](ByteView bytes) { out.u16_be(static_cast<std::uint16_t>(bytes.size())).bytes(bytes); };
  out.u32_be(tpm_generated).u16_be(attest_quote);
  put(quote.qualified_signer);
  put(quote.extra_data);
  out.u64_be(quote.clock).u32_be(quote.reset_count).u32_be(quote.restart_count).u8(quote.safe ? 1 : 0);
  out.u64_be(quote.firmware_version).u32_be(static_cast<std::uint32_t>(quote.selections.size()));
  for (const auto& selection : quote.selections) {
    std::array<std::uint8_t, pcr_count / 8> bits{};
    for (const auto pcr : selection.pcrs) bits.at(pcr / 8) |= static_cast<std::uint8_t>(1U << (pcr % 8));
    out.u16_be(eventlog::algorithm_id(selection.bank)).u8(bits.size());
    for (const auto each : bits) out.u8(each);
  }
  put(quote.pcr_digest);
  return out.take();
}

}  // namespace coffer::evidence::tpm
