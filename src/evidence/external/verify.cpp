#include <atomic>

#include "codec/base64.h"
#include "evidence/external/external.h"
#include "evidence/external/message.h"
#include "evidence/external/settings.h"

namespace coffer::evidence::external {

namespace json = codec::json;

namespace {

using Channels = std::map<std::string, std::unique_ptr<Channel>, std::less<>>;

struct Evidence {
  std::string type;
  const json::Value* evidence;
};

Result<Evidence> read_evidence(const json::Value& value) {
  const auto* object = value.if_object();
  if (object == nullptr) {
    return fail(EvidenceError::malformed,
                "external evidence is expected to be an object, found " + std::string{value.type_name()});
  }
  const auto type = json::string_member(*object, "type", "external evidence");
  if (!type) return fail(EvidenceError::malformed, type.error().message);
  const auto* evidence = object->find("evidence");
  if (evidence == nullptr) return fail(EvidenceError::malformed, "external evidence.evidence is missing");
  auto name = TRY(parse_type(*type));
  return Evidence{std::move(name), evidence};
}

class ExternalVerifier final : public Verifier {
 public:
  explicit ExternalVerifier(Channels channels) : channels_(std::move(channels)) {}
  TeeKind kind() const override { return TeeKind::external; }

  Result<std::vector<Claims>> verify(const json::Value& evidence, const Binding& binding,
                                     TimePoint now) const override {
    const auto read = TRY(read_evidence(evidence));
    const auto channel = channels_.find(read.type);
    if (channel == channels_.end()) {
      return fail(ExternalError::unknown_type,
                  "external_verifier is expected to name a socket for the type \"" + read.type + "\", and does not");
    }
    const Call call{next_id_++, read.type};
    const auto answer = TRY(channel->second->exchange(encode_verify(call, *read.evidence, binding, now)));
    auto claims = TRY(parse_verify_answer(answer, call, binding));
    // Under its own name: nothing it says can be read as a claim of another TEE.
    Claims out{json::Object{{read.type, std::move(claims)}}};
    if (binding.report_data) out.report_data = codec::hex_encode(*binding.report_data);
    if (binding.init_data_digest) out.init_data = codec::hex_encode(*binding.init_data_digest);
    return std::vector{std::move(out)};
  }

  Result<json::Object> inspect(const json::Value& evidence) const override {
    const auto read = TRY(read_evidence(evidence));
    return json::Object{{"type", read.type}, {"evidence", *read.evidence}};
  }

 private:
  Channels channels_;
  mutable std::atomic<std::uint64_t> next_id_{1};
};

}  // namespace

std::unique_ptr<Verifier> make_verifier_over(Channels channels) {
  return std::make_unique<ExternalVerifier>(std::move(channels));
}

Result<std::unique_ptr<Verifier>> make_verifier(TeeKind, const VerifierOptions& options) {
  Channels channels;
  for (auto& [type, socket] : TRY(read_verifiers(options.config))) channels.emplace(type, connect_by(socket));
  return make_verifier_over(std::move(channels));
}

}  // namespace coffer::evidence::external
