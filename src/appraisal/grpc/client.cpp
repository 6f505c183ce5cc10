#include "appraisal/grpc/client.h"

#include <grpcpp/grpcpp.h>

#include <algorithm>

#include "attestation.grpc.pb.h"
#include "codec/base64.h"
#include "codec/jose/jwt.h"
#include "evidence/collateral.h"
#include "evidence/runtime_data.h"
#include "reference.grpc.pb.h"

namespace coffer::appraisal::grpc {

namespace json = codec::json;

namespace {

constexpr int max_message_size = 32 << 20;
constexpr std::size_t nonce_size = 32;
constexpr std::string_view remote_code_key = "coffer-code";  // our server's; upstream sends none

std::unexpected<Error> unsupported(std::string_view what) {
  return fail(AppraisalError::not_supported,
              "an attestation service behind coco_as_grpc offers no way to " + std::string{what} +
                  "; use its own tools, or the built-in service (type = \"coco_as_builtin\")");
}

// Our names of TEEs in a submodule's evidence, "" where the service knows one that we do not.
std::string tee_in(const json::Object& claims, std::string_view submodule) {
  const json::Value root{claims};
  const auto* submods = root.find("submods");
  const auto* one = submods == nullptr ? nullptr : submods->find(submodule);
  const auto* annotated = one == nullptr ? nullptr : one->find("ear.veraison.annotated-evidence");
  if (annotated == nullptr || !annotated->is_object()) return {};
  for (const auto& [name, value] : *annotated->if_object()) {
    if (evidence::parse_tee_kind(name)) return name;
  }
  return {};
}

// The token is not verified here: it came over the channel that we asked, and each relying party verifies it.
Result<EvaluationOutcome> outcome_of(std::string token) {
  const auto jwt = codec::jose::UnverifiedJwt::parse(token);
  if (!jwt) {
    return fail(AppraisalError::bad_response,
                "the attestation service is expected to answer with a JWT: " + jwt.error().message);
  }
  EvaluationOutcome out{.token = std::move(token)};
  out.simulated = jwt->claims.contains("coffer.simulated");
  for (auto& submodule : TRY(read_submodules(jwt->claims))) {
    auto tee = tee_in(jwt->claims, submodule.name);
    const auto kind = evidence::parse_tee_kind(tee);
    out.sample = out.sample || (kind && evidence::is_sample(*kind));
    out.status = std::max(out.status, submodule.status);
    out.submodules.push_back({.name = std::move(submodule.name),
                              .tee = std::move(tee),
                              .status = submodule.status,
                              .vector = submodule.vector,
                              .policy = std::move(submodule.policy_id)});
  }
  return out;
}

void fill(attestation::IndividualAttestationRequest& out, const EvidenceRequest& request) {
  out.set_tee(std::string{wire_name(request.tee)});
  out.set_evidence(codec::base64url_encode(as_bytes(json::serialize(request.evidence))));
  if (const auto* raw = std::get_if<Bytes>(&request.runtime_data)) {
    out.set_raw_runtime_data(codec::base64url_encode(*raw));
  } else if (const auto* structured = std::get_if<json::Value>(&request.runtime_data)) {
    out.set_structured_runtime_data(json::serialize(*structured));
  }
  if (const auto* digest = std::get_if<Bytes>(&request.init_data)) {
    out.set_init_data_digest(codec::base64url_encode(*digest));
  } else if (const auto* init_data = std::get_if<evidence::InitData>(&request.init_data)) {
    out.set_init_data_toml(init_data->text());
  }
  if (request.hash) out.set_runtime_data_hash_algorithm(std::string{name_of(*request.hash)});
}

class GrpcAttestationService final : public AttestationService {
 public:
  GrpcAttestationService(const std::shared_ptr<::grpc::Channel>& channel, ClientOptions options)
      : options_(std::move(options)),
        attestation_(attestation::AttestationService::NewStub(channel)),
        reference_(reference::ReferenceValueProviderService::NewStub(channel)) {}

  std::string_view name() const override { return "coco_as_grpc"; }

  // Only se needs the service for its challenge; upstream's broker makes the others itself, too.
  Result<Challenge> challenge(evidence::TeeKind tee, const json::Value& extra_params) override {
    auto selection = TRY(evidence::select_hash_algorithm(tee, extra_params));
    if (tee != evidence::TeeKind::se) {
      return Challenge{codec::base64_encode(options_.random.bytes(nonce_size)), std::move(selection.extra_params)};
    }
    attestation::ChallengeRequest request;
    (*request.mutable_inner())["tee"] = std::string{wire_name(tee)};
    (*request.mutable_inner())["tee_params"] = json::serialize(extra_params);
    attestation::ChallengeResponse response;
    TRY(call([&](auto* context) { return attestation_->GetAttestationChallenge(context, request, &response); }));
    return Challenge{response.attestation_challenge(), std::move(selection.extra_params)};
  }

  Result<EvaluationOutcome> evaluate(const EvaluationRequest& request) override {
    attestation::AttestationRequest message;
    for (const auto& evidence : request.evidence) fill(*message.add_verification_requests(), evidence);
    for (const auto& id : request.policy_ids) message.add_policy_ids(id);
    attestation::AttestationResponse response;
    TRY(call([&](auto* context) { return attestation_->AttestationEvaluate(context, message, &response); }));
    return outcome_of(std::move(*response.mutable_attestation_token()));
  }

  Result<> set_policy(std::string_view id, std::string_view text) override {
    attestation::SetPolicyRequest request;
    request.set_policy_id(std::string{id});
    request.set_policy(codec::base64url_encode(as_bytes(text)));
    attestation::SetPolicyResponse response;
    return call([&](auto* context) { return attestation_->SetAttestationPolicy(context, request, &response); });
  }

  Result<> register_reference_values(std::string_view message) override {
    reference::ReferenceValueRegisterRequest request;
    request.set_message(std::string{message});
    reference::ReferenceValueRegisterResponse response;
    return call([&](auto* context) { return reference_->RegisterReferenceValue(context, request, &response); });
  }

  Result<std::optional<json::Value>> query_reference_value(std::string_view name) override {
    reference::ReferenceValueQueryRequest request;
    request.set_reference_value_id(std::string{name});
    reference::ReferenceValueQueryResponse response;
    TRY(call([&](auto* context) { return reference_->QueryReferenceValue(context, request, &response); }));
    if (!response.has_reference_value_results()) return std::optional<json::Value>{};
    auto value = json::parse(response.reference_value_results());
    if (value) return std::optional{*std::move(value)};
    return fail(AppraisalError::bad_response,
                "the attestation service is expected to answer with a JSON value: " + value.error().message);
  }

  Result<std::optional<std::string>> get_policy(std::string_view) override { return unsupported("read policies"); }
  Result<std::vector<std::string>> list_policies() override { return unsupported("list policies"); }
  Result<bool> delete_policy(std::string_view) override { return unsupported("delete policies"); }
  Result<std::vector<ReferenceValue>> list_reference_values() override { return unsupported("list reference values"); }
  Result<bool> delete_reference_value(std::string_view) override { return unsupported("delete reference values"); }

 private:
  template <class Call>
  Result<> call(const Call& make) const {
    ::grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + options_.timeout);
    const ::grpc::Status status = make(&context);
    if (status.ok()) return {};
    return fail(translated(status, context));
  }

  Error translated(const ::grpc::Status& status, const ::grpc::ClientContext& context) const {
    switch (status.error_code()) {
      case ::grpc::StatusCode::UNAVAILABLE:
      case ::grpc::StatusCode::DEADLINE_EXCEEDED:
        return {AppraisalError::unavailable,
                "the attestation service at " + options_.address + " does not answer: " + status.error_message()};
      case ::grpc::StatusCode::UNIMPLEMENTED:
        return {AppraisalError::not_supported,
                "what answers at " + options_.address + " offers no such call: " + status.error_message()};
      default: break;
    }
    Error error{AppraisalError::refused, "the attestation service refused: " + status.error_message()};
    const auto& trailers = context.GetServerTrailingMetadata();
    const auto found = trailers.find(::grpc::string_ref{remote_code_key.data(), remote_code_key.size()});
    if (found == trailers.end()) return error;
    std::string code{found->second.data(), found->second.size()};
    error.code = vendors_code(code).value_or(error.code);
    return std::move(error).with("remote_code", std::move(code));
  }

  // A vendor's trouble keeps its code on the way to the guest: it tells nothing of how evidence is judged. So does what
  // an owner may try again.
  static std::optional<ErrorCode> vendors_code(std::string_view name) {
    using evidence::CollateralError;
    if (name == code_name(AppraisalError::reference_conflict)) return AppraisalError::reference_conflict;
    for (const auto code : {CollateralError::unreachable, CollateralError::rate_limited, CollateralError::not_found,
                            CollateralError::malformed, CollateralError::expired}) {
      if (code_name(code) == name) return code;
    }
    return std::nullopt;
  }

  ClientOptions options_;
  std::unique_ptr<attestation::AttestationService::Stub> attestation_;
  std::unique_ptr<reference::ReferenceValueProviderService::Stub> reference_;
};

bool take_prefix(std::string& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.erase(0, prefix.size());
  return true;
}

}  // namespace

Result<std::shared_ptr<AttestationService>> make_client(const ClientOptions& options) {
  auto target = options.address;
  const bool tls = take_prefix(target, "https://");
  if (!tls) take_prefix(target, "http://");
  while (target.ends_with('/')) target.pop_back();
  if (target.empty() || target.find("://") != std::string::npos || target.find('/') != std::string::npos) {
    return fail(AppraisalError::bad_request,
                "the attestation service's address is expected to be http://HOST:PORT or "
                "https://HOST:PORT, found \"" +
                    options.address + "\"");
  }
  ::grpc::SslCredentialsOptions ssl;
  ssl.pem_root_certs = options.extra_root_pem;
  ::grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(max_message_size);
  arguments.SetMaxSendMessageSize(max_message_size);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  const auto channel = ::grpc::CreateCustomChannel(
      target, tls ? ::grpc::SslCredentials(ssl) : ::grpc::InsecureChannelCredentials(), arguments);
  return std::make_shared<GrpcAttestationService>(channel, options);
}

}  // namespace coffer::appraisal::grpc
