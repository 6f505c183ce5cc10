#include "evidence/dcap/quote.h"

#include <algorithm>

#include "codec/base64.h"
#include "evidence/dcap/detail/little_endian.h"
#include "evidence/dcap/detail/report_fields.h"

namespace coffer::evidence::dcap {

namespace {

using detail::integer;

constexpr std::uint16_t ecdsa_p256 = 2;  // attestation key type
constexpr std::uint16_t pck_chain_type = 5;
constexpr std::uint16_t qe_report_type = 6;
constexpr std::size_t signature_size = 64;
constexpr std::size_t key_size = 64;
// The UUID that Intel's quoting enclaves give as their vendor.
constexpr std::string_view intel_vendor_id = "939a7233f79c4ca9940a0db3957f0607";

std::unexpected<Error> malformed(std::string message) {
  return fail(DcapError::malformed_quote, std::move(message));
}

// A reader's error as this parser's.
template <class T>
Result<T> in_quote(Result<T> result) {
  if (result) return result;
  return malformed(std::move(result.error().message));
}

std::string expected_found(std::string_view what, std::string_view expected, std::uint64_t found) {
  return std::string{what} + " is expected to be " + std::string{expected} + ", found " + std::to_string(found);
}

Result<Tee> read_tee(const QuoteHeader& header) {
  switch (const auto type = integer(header.tee_type)) {
    case 0x00: return Tee::sgx;
    case 0x81: return Tee::tdx;
    default:
      return fail(DcapError::unsupported_quote, expected_found("the quote's TEE type", "0 (SGX) or 129 (TDX)", type));
  }
}

Result<> check_header(const Quote& quote) {
  if (quote.version < 3 || quote.version > 5) {
    return fail(DcapError::unsupported_quote, expected_found("the quote's version", "3, 4 or 5", quote.version));
  }
  // Versions before 4 know no other TEE: the field is reserved there and zero.
  if (quote.version == 3 && quote.tee != Tee::sgx) {
    return fail(DcapError::unsupported_quote, "a quote of version 3 is one of SGX, and this says TDX");
  }
  if (const auto type = integer(quote.header.attestation_key_type); type != ecdsa_p256) {
    return fail(DcapError::unsupported_quote, expected_found("the attestation key's type", "2 (ECDSA P-256)", type));
  }
  if (const auto vendor = codec::hex_encode(quote.header.vendor_id); vendor != intel_vendor_id) {
    return fail(DcapError::foreign_quoting_enclave, "the quoting enclave's vendor is expected to be Intel (" +
                                                        std::string{intel_vendor_id} + "), found " + vendor);
  }
  return {};
}

struct BodyKind {
  Tee tee;
  std::size_t size;
  bool tdx15;
};

// Types of version 5 (sgx_quote_5 of Intel's quoting library).
std::optional<BodyKind> body_kind(std::uint64_t type) {
  switch (type) {
    case 1: return BodyKind{Tee::sgx, detail::sgx_report_size, false};
    case 2: return BodyKind{Tee::tdx, detail::td_report10_size, false};
    case 3: return BodyKind{Tee::tdx, detail::td_report15_size, true};
    default: return std::nullopt;
  }
}

Result<BodyKind> read_descriptor(ByteReader& reader, Quote& quote) {
  const auto type = TRY(in_quote(reader.bytes(2, "body type")));
  const auto size = TRY(in_quote(reader.bytes(4, "body size")));
  quote.descriptor = Quote::BodyDescriptor{type, size};
  const auto kind = body_kind(integer(type));
  if (!kind) return fail(DcapError::unsupported_quote, expected_found("the body's type", "1, 2 or 3", integer(type)));
  if (kind->tee != quote.tee) return malformed("the body's type does not fit the header's TEE type");
  if (integer(size) != kind->size) {
    return malformed(expected_found("the body's size", std::to_string(kind->size), integer(size)));
  }
  return *kind;
}

Result<> read_body(ByteReader& reader, Quote& quote) {
  const auto kind = quote.version == 5 ? TRY(read_descriptor(reader, quote))
                                       : *body_kind(quote.tee == Tee::sgx ? 1 : 2);
                                       if (kind.tee == Tee::sgx) {
                                         quote.body = TRY(in_quote(detail::read_sgx_report(reader)));
                                       } else {
                                         quote.body = TRY(in_quote(detail::read_td_report(reader, kind.tdx15)));
                                       }
                                       return {};
}

// A view of `size` bytes that must be all that is left.
Result<ByteView> last_bytes(ByteReader& reader, std::uint32_t size, std::string_view what) {
  if (size != reader.remaining()) {
    return malformed(expected_found(what, std::to_string(reader.remaining()), size));
  }
  return reader.rest();
}

std::unexpected<Error> unsupported_certification(std::string_view expected, std::uint16_t found) {
  return fail(DcapError::unsupported_certification, expected_found("the type of certification data", expected, found));
}

Result<> read_qe_certification(ByteReader& reader, Quote& quote) {
  quote.qe_report_bytes = TRY(in_quote(reader.bytes(detail::sgx_report_size, "report of the quoting enclave")));
  ByteReader report{quote.qe_report_bytes};
  quote.qe_report = TRY(in_quote(detail::read_sgx_report(report)));
  quote.qe_report_signature = TRY(in_quote(reader.bytes(signature_size, "signature of the quoting enclave's report")));
  const auto size = TRY(in_quote(reader.u16_le("size of authentication data")));
  quote.qe_authentication_data = TRY(in_quote(reader.bytes(size, "authentication data")));
  const auto type = TRY(in_quote(reader.u16_le("type of certification data")));
  if (type != pck_chain_type) return unsupported_certification("5 (PCK chain)", type);
  const auto chain_size = TRY(in_quote(reader.u32_le("size of the PCK chain")));
  quote.pck_chain = TRY(last_bytes(reader, chain_size, "the PCK chain's size"));
  return {};
}

// Version 3 has the quoting enclave's report at once, later ones wrap it into certification data of type 6.
Result<> read_signature_data(ByteView data, Quote& quote) {
  ByteReader reader{data};
  quote.signature = TRY(in_quote(reader.bytes(signature_size, "signature")));
  quote.certification = data.subspan(reader.offset());
  quote.attestation_key = TRY(in_quote(reader.bytes(key_size, "attestation key")));
  if (quote.version == 3) return read_qe_certification(reader, quote);
  const auto type = TRY(in_quote(reader.u16_le("type of certification data")));
  if (type != qe_report_type) return unsupported_certification("6 (report of the quoting enclave)", type);
  const auto size = TRY(in_quote(reader.u32_le("size of certification data")));
  ByteReader inner {
    TRY(last_bytes(reader, size, "the certification data's size"))
  };
  return read_qe_certification(inner, quote);
}

Result<> check_rest(ByteView rest) {
  if (std::ranges::all_of(rest, [](std::byte b) { return b == std::byte{0}; })) return {};
  return malformed("after the quote zero padding alone is allowed, and " + std::to_string(rest.size()) +
                   " bytes hold something else");
}

}  // namespace

std::string_view name_of(Tee tee) {
  return tee == Tee::sgx ? "SGX" : "TDX";
}

Result<Quote> parse_quote(ByteView bytes) {
  if (bytes.size() > max_quote_size) {
    return malformed("a quote has at most " + std::to_string(max_quote_size) + " bytes, found " +
                     std::to_string(bytes.size()));
  }
  ByteReader reader{bytes};
  Quote quote{};
  quote.header = TRY(in_quote(detail::read_fields(reader, detail::header_fields())));
  quote.version = static_cast<std::uint16_t>(integer(quote.header.version));
  quote.tee = TRY(read_tee(quote.header));
  TRY(check_header(quote));
  TRY(read_body(reader, quote));
  quote.signed_part = bytes.first(reader.offset());
  const auto size = TRY(in_quote(reader.u32_le("size of signature data")));
  TRY(read_signature_data(TRY(in_quote(reader.bytes(size, "signature data"))), quote));
  TRY(check_rest(reader.rest()));
  return quote;
}

}  // namespace coffer::evidence::dcap
