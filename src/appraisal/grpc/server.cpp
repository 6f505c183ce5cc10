#include "appraisal/grpc/server.h"

#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/grpcpp.h>

#include "appraisal/grpc/conversion.h"
#include "attestation.grpc.pb.h"
#include "base/log.h"
#include "reference.grpc.pb.h"

namespace coffer::appraisal::grpc {

namespace json = codec::json;

namespace {

constexpr int max_message_size = 32 << 20;
constexpr auto stop_grace = std::chrono::seconds{2};

// Upstream answers every failure with ABORTED and a text; the code travels beside it for clients that look.
::grpc::Status to_status(::grpc::ServerContext& context, std::string_view call, const Error& error) {
  log::warn("appraisal.grpc_call_failed", error.message,
            {{"call", std::string{call}}, {"code", std::string{error.code.name()}}});
  context.AddTrailingMetadata("coffer-code", std::string{error.code.name()});
  return {::grpc::StatusCode::ABORTED, error.message};
}

class AttestationAdapter final : public attestation::AttestationService::Service {
 public:
  explicit AttestationAdapter(appraisal::AttestationService& service) : service_(service) {}

  ::grpc::Status AttestationEvaluate(::grpc::ServerContext* context, const attestation::AttestationRequest* request,
                                     attestation::AttestationResponse* response) override {
    const auto converted = to_request(*request);
    if (!converted) return to_status(*context, "AttestationEvaluate", converted.error());
    auto outcome = service_.evaluate(*converted);
    if (!outcome) return to_status(*context, "AttestationEvaluate", outcome.error());
    response->set_attestation_token(std::move(outcome->token));
    return ::grpc::Status::OK;
  }

  ::grpc::Status SetAttestationPolicy(::grpc::ServerContext* context, const attestation::SetPolicyRequest* request,
                                      attestation::SetPolicyResponse*) override {
    const auto text = to_policy_text(request->policy());
    if (!text) return to_status(*context, "SetAttestationPolicy", text.error());
    const auto set = service_.set_policy(request->policy_id(), *text);
    return set ? ::grpc::Status::OK : to_status(*context, "SetAttestationPolicy", set.error());
  }

  ::grpc::Status GetAttestationChallenge(::grpc::ServerContext* context, const attestation::ChallengeRequest* request,
                                         attestation::ChallengeResponse* response) override {
    const auto challenge = make_challenge(*request);
    if (!challenge) return to_status(*context, "GetAttestationChallenge", challenge.error());
    response->set_attestation_challenge(challenge->nonce);
    return ::grpc::Status::OK;
  }

 private:
  Result<Challenge> make_challenge(const attestation::ChallengeRequest& request) {
    const auto& inner = request.inner();
    const auto tee = inner.find("tee");
    if (tee == inner.end()) return fail(AppraisalError::bad_request, "the key \"tee\" is expected, found none");
    const auto parameters = inner.find("tee_params");
    const auto extra =
        parameters == inner.end() ? json::Value{} : json::parse(parameters->second).value_or(json::Value{});
    return service_.challenge(TRY(evidence::parse_tee_kind(tee->second)), extra);
  }

  appraisal::AttestationService& service_;
};

class ReferenceAdapter final : public reference::ReferenceValueProviderService::Service {
 public:
  explicit ReferenceAdapter(appraisal::AttestationService& service) : service_(service) {}

  ::grpc::Status QueryReferenceValue(::grpc::ServerContext* context,
                                     const reference::ReferenceValueQueryRequest* request,
                                     reference::ReferenceValueQueryResponse* response) override {
    const auto value = service_.query_reference_value(request->reference_value_id());
    if (!value) return to_status(*context, "QueryReferenceValue", value.error());
    if (const auto& found = *value) response->set_reference_value_results(json::serialize(*found));
    return ::grpc::Status::OK;
  }

  ::grpc::Status RegisterReferenceValue(::grpc::ServerContext* context,
                                        const reference::ReferenceValueRegisterRequest* request,
                                        reference::ReferenceValueRegisterResponse*) override {
    const auto done = service_.register_reference_values(request->message());
    return done ? ::grpc::Status::OK : to_status(*context, "RegisterReferenceValue", done.error());
  }

 private:
  appraisal::AttestationService& service_;
};

}  // namespace

struct Server::Impl {
  explicit Impl(std::shared_ptr<AttestationService> served)
      : service(std::move(served)), attestation(*service), reference(*service) {}

  std::shared_ptr<AttestationService> service;
  AttestationAdapter attestation;
  ReferenceAdapter reference;
  std::unique_ptr<::grpc::Server> server;
  int port = 0;
};

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Server::~Server() {
  stop();
}

Result<std::unique_ptr<Server>> Server::start(const std::string& address, std::shared_ptr<AttestationService> service) {
  auto impl = std::make_unique<Impl>(std::move(service));
  ::grpc::EnableDefaultHealthCheckService(true);
  ::grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  ::grpc::ServerBuilder builder;
  builder.SetMaxReceiveMessageSize(max_message_size);
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);  // a taken port is an error, not a second listener
  builder.AddListeningPort(address, ::grpc::InsecureServerCredentials(), &impl->port);
  builder.RegisterService(&impl->attestation);
  builder.RegisterService(&impl->reference);
  impl->server = builder.BuildAndStart();
  if (impl->server == nullptr || impl->port == 0) {
    return fail(AppraisalError::unavailable, "the attestation service cannot listen on " + address);
  }
  log::info("appraisal.grpc_listening", "", {{"address", address}, {"port", std::to_string(impl->port)}});
  return std::unique_ptr<Server>{new Server{std::move(impl)}};
}

int Server::port() const {
  return impl_->port;
}

void Server::stop() {
  if (impl_->server == nullptr) return;
  impl_->server->Shutdown(std::chrono::system_clock::now() + stop_grace);
  impl_->server.reset();
}

}  // namespace coffer::appraisal::grpc
