#include "evidence/sample/sample.h"

#include "codec/base64.h"

namespace coffer::evidence::sample {

namespace json = codec::json;

namespace {

Result<Bytes> base64_member(const json::Object& evidence, std::string_view key) {
  const auto text = json::string_member(evidence, key, "sample evidence");
  if (!text) return fail(EvidenceError::malformed, text.error().message);
  auto bytes = codec::base64_decode(*text);
  if (!bytes) {
    return fail(EvidenceError::malformed, "sample evidence." + std::string{key} + ": " + bytes.error().message);
  }
  return *std::move(bytes);
}

// Exactly the digest: this TEE has no field to pad to (trustee.md 7 and trap 5).
Result<> check_report_data(const json::Object& evidence, const Binding& binding) {
  const auto actual = TRY(base64_member(evidence, "report_data"));
  if (!binding.report_data || actual == *binding.report_data) return {};
  return fail(EvidenceError::report_data_mismatch, "report data of the sample evidence is expected to be " +
                                                       codec::hex_encode(*binding.report_data) + ", found " +
                                                       codec::hex_encode(actual));
}

Result<> check_init_data(const json::Object& evidence, const Binding& binding) {
  if (!evidence.contains("init_data")) return {};
  const auto actual = TRY(base64_member(evidence, "init_data"));
  if (!binding.init_data_digest) {
    return fail(EvidenceError::init_data_mismatch,
                "the sample evidence states init-data of digest " + codec::hex_encode(actual) + ", but none was sent");
  }
  if (actual == *binding.init_data_digest) return {};
  return fail(EvidenceError::init_data_mismatch, "init-data digest of the sample evidence is expected to be " +
                                                     codec::hex_encode(*binding.init_data_digest) + ", found " +
                                                     codec::hex_encode(actual));
}

class SampleVerifier final : public Verifier {
 public:
  explicit SampleVerifier(TeeKind kind) : kind_(kind) {}
  TeeKind kind() const override { return kind_; }

  Result<std::vector<Claims>> verify(const json::Value& evidence, const Binding& binding, TimePoint) const override {
    const auto* object = evidence.if_object();
    if (object == nullptr) {
      return fail(EvidenceError::malformed,
                  "sample evidence is expected to be an object, found " + std::string{evidence.type_name()});
    }
    const auto svn = json::string_member(*object, "svn", "sample evidence");
    if (!svn) return fail(EvidenceError::malformed, svn.error().message);
    TRY(check_report_data(*object, binding));
    TRY(check_init_data(*object, binding));
    Claims out{claims(*svn)};
    out.report_data = *object->find("report_data")->if_string();
    if (binding.init_data_digest) out.init_data = codec::hex_encode(*binding.init_data_digest);
    return std::vector{std::move(out)};
  }

 private:
  // The constants are upstream's, and the default policy's reference values are set against them.
  json::Object claims(std::string_view svn) const {
    if (kind_ == TeeKind::sampledevice) return {{"svn", svn}};
    return {{"svn", svn},
            {"launch_digest", "abcde"},
            {"platform_version", json::Object{{"major", 1}, {"minor", 4}}},
            {"debug", false}};
  }

  TeeKind kind_;
};

class SampleAttester final : public Attester {
 public:
  SampleAttester(TeeKind kind, std::optional<Bytes> init_data_digest)
      : kind_(kind), init_data_digest_(std::move(init_data_digest)) {}
  TeeKind kind() const override { return kind_; }

  Result<json::Value> attest(ByteView report_data) const override {
    json::Object out{{"svn", kind_ == TeeKind::sample ? "1" : "2"}, {"report_data", codec::base64_encode(report_data)}};
    if (init_data_digest_) out.set("init_data", codec::base64_encode(*init_data_digest_));
    return json::Value{std::move(out)};
  }

 private:
  TeeKind kind_;
  std::optional<Bytes> init_data_digest_;
};

}  // namespace

std::unique_ptr<Verifier> make_verifier(TeeKind kind) {
  return std::make_unique<SampleVerifier>(kind);
}

std::unique_ptr<Attester> make_attester(TeeKind kind, std::optional<Bytes> init_data_digest) {
  return std::make_unique<SampleAttester>(kind, std::move(init_data_digest));
}

}  // namespace coffer::evidence::sample
