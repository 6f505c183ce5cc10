#include "evidence/az_vtpm/evidence.h"

#include "codec/base64.h"
#include "crypto/x509.h"
#include "evidence/az_vtpm/error.h"
#include "evidence/json_bytes.h"
#include "evidence/tpm/quote.h"

namespace coffer::evidence::az_vtpm {

namespace json = codec::json;

namespace {

constexpr std::size_t max_field = 64U << 10;
constexpr std::size_t most_base64 = max_field / 3 * 4 + 4;

std::unexpected<Error> malformed(std::string text) {
  return fail(EvidenceError::malformed, "Azure vTPM evidence: " + std::move(text));
}

template <typename T>
Result<T> shaped(Result<T> read) {
  if (!read) return malformed(read.error().message);
  return read;
}

Result<Bytes> decoded(Result<Bytes> bytes, std::string_view key) {
  if (!bytes) return malformed(std::string{key} + ": " + bytes.error().message);
  if (bytes->size() > max_field) return malformed(std::string{key} + " is too long");
  return bytes;
}

// How a version spells bytes.
enum class Spelling { integers, hex, base64url };

Result<Bytes> spelled(const json::Value* value, std::string_view key, Spelling spelling) {
  if (spelling == Spelling::integers) return bytes_of_integers(value, key, std::nullopt, max_field);
  if (value == nullptr) return malformed(std::string{key} + " is missing");
  const auto text = TRY(shaped(value->as_string(key)));
  if (text.size() > most_base64) return malformed(std::string{key} + " is too long");
  return decoded(spelling == Spelling::hex ? codec::hex_decode(text) : codec::base64_decode_lenient(text), key);
}

Result<> read_quote(const json::Object& quote, Spelling spelling, Evidence& out) {
  out.signature = TRY(spelled(quote.find("signature"), "quote.signature", spelling));
  out.message = TRY(spelled(quote.find("message"), "quote.message", spelling));
  for (const auto& each : *TRY(shaped(json::array_member(quote, "pcrs", "quote")))) {
    if (out.pcrs.size() == tpm::pcr_count) return malformed("quote.pcrs lists more than 24");
    out.pcrs.push_back(TRY(spelled(&each, "quote.pcrs[]", spelling)));
  }
  return {};
}

Result<Bytes> vcek_of_pem(const json::Object& evidence) {
  const auto pem = TRY(shaped(json::string_member(evidence, "vcek", "evidence")));
  const auto certificate = crypto::Certificate::from_pem(pem);
  if (!certificate) return fail(AzVtpmError::bad_vcek, "the VCEK: " + certificate.error().message);
  return certificate->der();
}

Result<Evidence> read_version_0(TeeKind kind, const json::Object& evidence) {
  const bool snp = kind == TeeKind::az_snp_vtpm;
  Evidence out{.version = 0};
  const auto* quote = TRY(shaped(json::object_member(evidence, snp ? "quote" : "tpm_quote", "evidence")));
  TRY(read_quote(*quote, Spelling::integers, out));
  const std::string_view report = snp ? "report" : "hcl_report";
  out.hcl_report = TRY(spelled(evidence.find(report), report, Spelling::integers));
  out.endorsement = snp ? TRY(vcek_of_pem(evidence))
                        : TRY(spelled(evidence.find("td_quote"), "td_quote", Spelling::integers));
                        return out;
}

std::string_view endorsement_key(TeeKind kind) {
  return kind == TeeKind::az_snp_vtpm ? "vcek" : "td_quote";
}

}  // namespace

Result<Evidence> parse_evidence(TeeKind kind, const json::Value& value) {
  const auto& evidence = *TRY(shaped(value.as_object("evidence")));
  const auto* version = evidence.find("version");
  if (version == nullptr) return read_version_0(kind, evidence);
  const auto number = version->if_uint64();
  if (!number || (*number != 1 && *number != 2)) return malformed("version is expected to be 1 or 2, or absent");
  Evidence out{.version = static_cast<unsigned>(*number)};
  TRY(read_quote(*TRY(shaped(json::object_member(evidence, "tpm_quote", "evidence"))), Spelling::hex, out));
  out.hcl_report = TRY(spelled(evidence.find("hcl_report"), "hcl_report", Spelling::base64url));
  out.endorsement = TRY(spelled(evidence.find(endorsement_key(kind)), endorsement_key(kind), Spelling::base64url));
  return out;
}

json::Value to_json(TeeKind kind, const Evidence& evidence) {
  json::Array pcrs;
  for (const auto& each : evidence.pcrs) pcrs.emplace_back(codec::hex_encode(each));
  json::Object quote{{"signature", codec::hex_encode(evidence.signature)},
                     {"message", codec::hex_encode(evidence.message)},
                     {"pcrs", std::move(pcrs)}};
  return json::Object{{"version", evidence.version},
                      {"tpm_quote", std::move(quote)},
                      {"hcl_report", codec::base64url_encode_padded(evidence.hcl_report)},
                      {std::string{endorsement_key(kind)}, codec::base64url_encode_padded(evidence.endorsement)}};
}

}  // namespace coffer::evidence::az_vtpm
