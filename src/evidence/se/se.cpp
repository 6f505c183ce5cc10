#include "evidence/se/se.h"

#include "codec/base64.h"
#include "evidence/json_bytes.h"

namespace coffer::evidence::se {

namespace json = codec::json;

namespace {

constexpr std::size_t cuid_size = 16;
constexpr std::size_t digest_size = 64;
constexpr std::size_t tag_size = 16;
constexpr std::size_t tags_size = 3 * digest_size + tag_size;
constexpr std::size_t max_field = 64U << 10;

Result<Bytes> field(const json::Object& evidence, std::string_view name, std::optional<std::size_t> size) {
  auto bytes = TRY(base64_member(evidence, name, "SE evidence"));
  if (size ? bytes.size() == *size : bytes.size() <= max_field) return bytes;
  return fail(EvidenceError::malformed, "SE evidence." + std::string{name} + " is expected to have " +
                                            (size ? "" : "at most ") + std::to_string(size.value_or(max_field)) +
                                            " bytes, found " + std::to_string(bytes.size()));
}

class SeVerifier final : public Verifier {
 public:
  TeeKind kind() const override { return TeeKind::se; }

  Result<std::vector<Claims>> verify(const json::Value& evidence, const Binding&, TimePoint) const override {
    TRY(parse_evidence(evidence));
    return fail(EvidenceError::not_supported,
                "Secure Execution evidence cannot be verified here: the attestation "
                "request's private key, the host key documents and the image header "
                "are not read by this build");
  }

  Result<json::Object> inspect(const json::Value& evidence) const override {
    const auto read = TRY(parse_evidence(evidence));
    const ByteView tags{read.image_hdr_tags};
    return json::Object{{"measurement", codec::hex_encode(read.measurement)},
                        {"additional_data", codec::hex_encode(read.additional_data)},
                        {"user_data", codec::hex_encode(read.user_data)},
                        {"cuid", codec::hex_encode(read.cuid)},
                        {"encr_measurement_key", codec::hex_encode(read.encr_measurement_key)},
                        {"encr_request_nonce", codec::hex_encode(read.encr_request_nonce)},
                        {"image_pld", codec::hex_encode(tags.first(digest_size))},
                        {"image_ald", codec::hex_encode(tags.subspan(digest_size, digest_size))},
                        {"image_tld", codec::hex_encode(tags.subspan(2 * digest_size, digest_size))},
                        {"image_tag", codec::hex_encode(tags.last(tag_size))}};
  }
};

}  // namespace

Result<Evidence> parse_evidence(const json::Value& evidence) {
  const auto* object = evidence.if_object();
  if (object == nullptr) {
    return fail(EvidenceError::malformed,
                "SE evidence is expected to be an object, found " + std::string{evidence.type_name()});
  }
  Evidence out;
  out.measurement = TRY(field(*object, "measurement", std::nullopt));
  out.additional_data = TRY(field(*object, "additional_data", std::nullopt));
  out.user_data = TRY(field(*object, "user_data", std::nullopt));
  out.cuid = TRY(field(*object, "cuid", cuid_size));
  out.encr_measurement_key = TRY(field(*object, "encr_measurement_key", std::nullopt));
  out.encr_request_nonce = TRY(field(*object, "encr_request_nonce", std::nullopt));
  out.image_hdr_tags = TRY(field(*object, "image_hdr_tags", tags_size));
  return out;
}

Result<std::unique_ptr<Verifier>> make_verifier(TeeKind, const VerifierOptions&) {
  return std::make_unique<SeVerifier>();
}

}  // namespace coffer::evidence::se
