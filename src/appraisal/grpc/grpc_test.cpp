// Our client against our server on a loopback port, with the built-in service behind it.
#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <thread>

#include "appraisal/builtin_service.h"
#include "appraisal/grpc/client.h"
#include "appraisal/grpc/conversion.h"
#include "appraisal/grpc/server.h"
#include "attestation.grpc.pb.h"
#include "codec/base64.h"
#include "evidence/sample/sample.h"

namespace coffer::appraisal::grpc {
namespace {

namespace json = codec::json;
using evidence::EvidenceError;
using evidence::TeeKind;
using ::testing::HasSubstr;

constexpr std::string_view init_data_text = "version = \"1\"\nalgorithm = \"sha256\"\n[data]\n";

json::Object tee_key() {
  return {{"kty", "RSA"}, {"alg", "RSA-OAEP-256"}, {"n", "AQ"}, {"e", "AQAB"}};
}

class Grpc : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto store = std::shared_ptr{storage::make_memory_store()};
    const auto registry =
        std::make_shared<const evidence::Registry>(*evidence::Registry::create({.allow_tees = {"sample"}}));
    const auto service = BuiltinAttestationService::create({.store = store, .registry = registry});
    ASSERT_TRUE(service) << to_string(service.error());
    auto server = Server::start("127.0.0.1:0", *service);
    ASSERT_TRUE(server) << to_string(server.error());
    server_ = *std::move(server);
    auto client = make_client({.address = address(), .timeout = std::chrono::seconds{20}});
    ASSERT_TRUE(client) << to_string(client.error());
    client_ = *std::move(client);
  }

  std::string address() const { return "http://127.0.0.1:" + std::to_string(server_->port()); }

  static EvaluationRequest valid_request(std::optional<evidence::InitData> init_data = std::nullopt) {
    const auto runtime = *evidence::RuntimeData::create("nonce", tee_key());
    auto quote = *evidence::sample::make_attester(TeeKind::sample)->attest(runtime.primary_digest());
    return *rcar_evaluation(TeeKind::sample, std::move(quote), runtime, std::move(init_data));
  }
  static Error refusal(const Result<EvaluationOutcome>& outcome) {
    EXPECT_FALSE(outcome);
    return outcome ? Error{AppraisalError::bad_signer, "accepted"} : outcome.error();
  }

  std::unique_ptr<Server> server_;
  std::shared_ptr<AttestationService> client_;
};

TEST_F(Grpc, reference_values_and_evidence_travel_and_an_affirming_token_returns) {
  for (const auto& [name, value] : json::Object{{"launch_digest", json::Array{"abcde"}},
                                                {"svn", json::Array{"1"}},
                                                {"major_version", 1},
                                                {"minimum_minor_version", 1}}) {
    ASSERT_TRUE(client_->register_reference_values(sample_reference_message(name, value)));
  }
  EXPECT_EQ(client_->query_reference_value("svn")->value(), (json::Value{json::Array{"1"}}));
  EXPECT_FALSE(client_->query_reference_value("absent")->has_value());
  const auto outcome = client_->evaluate(valid_request());
  ASSERT_TRUE(outcome) << to_string(outcome.error());
  EXPECT_EQ(outcome->status, Tier::affirming);
  EXPECT_TRUE(outcome->sample);
  ASSERT_EQ(outcome->submodules.size(), 1U);
  EXPECT_EQ(outcome->submodules[0].name, "cpu0");
  EXPECT_EQ(outcome->submodules[0].tee, "sample");
  EXPECT_EQ(outcome->submodules[0].vector.get("hardware"), 2);
}

TEST_F(Grpc, a_contraindicated_verdict_is_an_answer) {
  const auto outcome = client_->evaluate(valid_request());
  ASSERT_TRUE(outcome) << to_string(outcome.error());
  EXPECT_EQ(outcome->status, Tier::contraindicated);
}

TEST_F(Grpc, init_data_travels_as_text_and_as_digest) {
  const auto init_data = *evidence::InitData::parse(std::string{init_data_text});
  EXPECT_TRUE(client_->evaluate(valid_request(init_data)));
  auto request = valid_request();
  request.evidence[0].init_data = init_data.digest();
  EXPECT_TRUE(client_->evaluate(request));
}

TEST_F(Grpc, raw_runtime_data_and_policy_ids_travel) {
  ASSERT_TRUE(client_->set_policy("lax_cpu", "package policy\n\ntrust_claims := {\"hardware\": 2}\n"));
  const auto quote = evidence::sample::make_attester(TeeKind::sample)->attest(as_bytes("raw"));
  const auto outcome =
      client_->evaluate({.evidence = {{.tee = TeeKind::sample, .evidence = *quote, .runtime_data = to_bytes("raw")}},
                         .policy_ids = {"lax"}});
  ASSERT_TRUE(outcome) << to_string(outcome.error());
  EXPECT_EQ(outcome->status, Tier::affirming);
}

TEST_F(Grpc, a_refusal_is_told_from_absence_and_keeps_the_services_code) {
  auto request = valid_request();
  request.evidence[0].evidence = json::Object{};
  const auto error = refusal(client_->evaluate(request));
  EXPECT_EQ(error.code, AppraisalError::refused);
  ASSERT_FALSE(error.context.empty());
  EXPECT_EQ(error.context[0], (std::pair<std::string, std::string>{"remote_code", "evidence.malformed"}));
  EXPECT_EQ(refusal(client_->evaluate({})).code, AppraisalError::refused);
  EXPECT_EQ(client_->set_policy("x_cpu", "package policy\n\nbroken {").error().code, AppraisalError::refused);
  EXPECT_EQ(client_->register_reference_values("{}").error().code, AppraisalError::refused);
  EXPECT_EQ(client_->query_reference_value("a:b").error().code, AppraisalError::refused);
}

TEST_F(Grpc, a_service_that_is_gone_is_unavailable) {
  server_->stop();
  const auto error = refusal(client_->evaluate(valid_request()));
  EXPECT_EQ(error.code, AppraisalError::unavailable);
  EXPECT_THAT(error.message, HasSubstr(address()));
}

TEST_F(Grpc, challenges_are_made_here_but_for_secure_execution) {
  const auto challenge = client_->challenge(TeeKind::snp, "");
  ASSERT_TRUE(challenge);
  EXPECT_EQ(codec::base64_decode(challenge->nonce)->size(), 32U);
  // The built-in service behind has no verifier for se: the question reached it.
  const auto se = client_->challenge(TeeKind::se, evidence::offered_hash_algorithms());
  ASSERT_FALSE(se);
  EXPECT_EQ(se.error().code, AppraisalError::refused);
  EXPECT_EQ(se.error().context.at(0).second, "evidence.not_supported");
}

TEST_F(Grpc, what_upstreams_interface_lacks_is_not_supported) {
  EXPECT_EQ(client_->get_policy("default_cpu").error().code, AppraisalError::not_supported);
  EXPECT_EQ(client_->list_policies().error().code, AppraisalError::not_supported);
  EXPECT_EQ(client_->delete_policy("default_cpu").error().code, AppraisalError::not_supported);
  EXPECT_EQ(client_->list_reference_values().error().code, AppraisalError::not_supported);
  EXPECT_EQ(client_->delete_reference_value("svn").error().code, AppraisalError::not_supported);
}

TEST_F(Grpc, a_taken_port_is_an_error) {
  const auto second = Server::start("127.0.0.1:" + std::to_string(server_->port()), client_);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, AppraisalError::unavailable);
}

// A service that answers with what is no token, does not know the reference service, and is slow.
class OddService final : public attestation::AttestationService::Service {
 public:
  ::grpc::Status AttestationEvaluate(::grpc::ServerContext* context, const attestation::AttestationRequest* request,
                                     attestation::AttestationResponse* response) override {
    if (request->policy_ids_size() > 0) {
      while (!context->IsCancelled()) std::this_thread::sleep_for(std::chrono::milliseconds{5});
    }
    response->set_attestation_token("no token");
    return ::grpc::Status::OK;
  }
};

class OddGrpc : public ::testing::Test {
 protected:
  void SetUp() override {
    ::grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", ::grpc::InsecureServerCredentials(), &port_);
    builder.RegisterService(&service_);
    server_ = builder.BuildAndStart();
    ASSERT_NE(server_, nullptr);
    auto client =
        make_client({.address = "127.0.0.1:" + std::to_string(port_) + "/", .timeout = std::chrono::seconds{2}});
    ASSERT_TRUE(client);
    client_ = *std::move(client);
  }
  void TearDown() override { server_->Shutdown(std::chrono::system_clock::now() + std::chrono::seconds{1}); }

  int port_ = 0;
  OddService service_;
  std::unique_ptr<::grpc::Server> server_;
  std::shared_ptr<AttestationService> client_;
};

TEST_F(OddGrpc, an_answer_that_is_no_token_is_a_bad_response) {
  const auto outcome = client_->evaluate({});
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, AppraisalError::bad_response);
}

TEST_F(OddGrpc, a_service_without_reference_values_does_not_support_them) {
  EXPECT_EQ(client_->query_reference_value("svn").error().code, AppraisalError::not_supported);
}

TEST_F(OddGrpc, a_slow_service_is_given_up_at_the_deadline) {
  const auto outcome = client_->evaluate({.evidence = {}, .policy_ids = {"slow"}});
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, AppraisalError::unavailable);
}

TEST(GrpcClient, addresses_that_are_none_are_refused) {
  for (const auto address : {"", "http://", "ftp://host:1", "http://host:1/path"}) {
    const auto client = make_client({.address = address});
    ASSERT_FALSE(client) << address;
    EXPECT_EQ(client.error().code, AppraisalError::bad_request);
  }
  EXPECT_TRUE(make_client({.address = "https://localhost:50004"}));
}

// Requests as another implementation would write them, one thing broken each.
class Conversion : public ::testing::Test {
 protected:
  Conversion() {
    auto& one = *message_.add_verification_requests();
    one.set_tee("sample");
    one.set_evidence(codec::base64url_encode(as_bytes("{}")));
    one.set_structured_runtime_data(R"({"nonce":"n"})");
    one.set_init_data_toml(std::string{init_data_text});
    one.set_runtime_data_hash_algorithm("sha512");
    message_.add_policy_ids("default");
  }
  attestation::IndividualAttestationRequest& one() { return *message_.mutable_verification_requests(0); }
  ErrorCode refusal() {
    const auto request = to_request(message_);
    EXPECT_FALSE(request);
    return request ? ErrorCode{AppraisalError::bad_signer} : request.error().code;
  }
  attestation::AttestationRequest message_;
};

TEST_F(Conversion, a_valid_message_becomes_a_request) {
  const auto request = to_request(message_);
  ASSERT_TRUE(request) << to_string(request.error());
  ASSERT_EQ(request->evidence.size(), 1U);
  EXPECT_EQ(request->evidence[0].tee, TeeKind::sample);
  EXPECT_EQ(request->evidence[0].hash, crypto::HashAlgorithm::sha512);
  EXPECT_EQ(std::get<evidence::InitData>(request->evidence[0].init_data).text(), init_data_text);
  EXPECT_EQ(std::get<json::Value>(request->evidence[0].runtime_data), (json::Value{json::Object{{"nonce", "n"}}}));
  EXPECT_EQ(request->policy_ids, std::vector<std::string>{"default"});
}

TEST_F(Conversion, raw_forms_are_decoded) {
  one().set_raw_runtime_data("cmF3");
  one().set_init_data_digest("3q2-7w");
  const auto request = to_request(message_);
  ASSERT_TRUE(request);
  EXPECT_EQ(std::get<Bytes>(request->evidence[0].runtime_data), to_bytes("raw"));
  EXPECT_EQ(codec::hex_encode(std::get<Bytes>(request->evidence[0].init_data)), "deadbeef");
}

TEST_F(Conversion, broken_fields_are_refused_each_by_its_code) {
  one().set_tee("abacus");
  EXPECT_EQ(refusal(), EvidenceError::unknown_tee);
  one().set_tee("sample");
  one().set_evidence("***");
  EXPECT_EQ(refusal(), AppraisalError::bad_request);
  one().set_evidence(codec::base64url_encode(as_bytes("{")));
  EXPECT_EQ(refusal(), AppraisalError::bad_request);
  one().set_evidence(codec::base64url_encode(as_bytes("{}")));
  one().set_runtime_data_hash_algorithm("md5");
  EXPECT_EQ(refusal(), EvidenceError::unsupported_hash);
  one().clear_runtime_data_hash_algorithm();
  one().set_init_data_toml("= =");
  EXPECT_EQ(refusal(), EvidenceError::bad_init_data);
  one().clear_init_data();
  one().set_structured_runtime_data("{");
  EXPECT_EQ(refusal(), AppraisalError::bad_request);
  EXPECT_EQ(to_policy_text("***").error().code, AppraisalError::bad_request);
}

}  // namespace
}  // namespace coffer::appraisal::grpc
