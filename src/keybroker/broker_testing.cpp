#include "keybroker/broker_testing.h"

#include <array>

#include "appraisal/attestation_service.h"
#include "codec/base64.h"
#include "codec/jose/jwe.h"
#include "evidence/runtime_data.h"
#include "evidence/sample/sample.h"

namespace coffer::keybroker::testing {
namespace {

namespace jose = codec::jose;

std::string text_member(const Value& value, std::string_view key) {
  const auto* found = value.find(key);
  return found != nullptr && found->if_string() != nullptr ? *found->if_string() : std::string{};
}

template <class T>
T require(Result<T> result) {
  EXPECT_TRUE(result) << (result ? "" : to_string(result.error()));
  return *std::move(result);
}

}  // namespace

Config playground() {
  Config config;
  config.attestation.kind = AttestationKind::builtin;
  config.admin.mode = AdminMode::insecure_allow_all;
  config.coffer.allow_tees = {"sample", "sampledevice"};
  config.coffer.default_policy = DefaultPolicy::allow_all;
  return config;
}

TestBroker::TestBroker(Config config, std::shared_ptr<storage::KeyValueStore> shared,
                       std::shared_ptr<appraisal::AttestationService> service)
    : store(shared ? std::move(shared) : std::shared_ptr<storage::KeyValueStore>{storage::make_memory_store()}),
      broker(require(Broker::create(std::move(config),
                                    {.clock = &clock, .store = store, .attestation_service = std::move(service)}))) {}

net::ServerResponse TestBroker::send(std::string method, std::string_view target, std::string_view body,
                                     net::Headers headers) {
  const auto question = target.find('?');
  net::ServerRequest request;
  request.method = std::move(method);
  request.target = target;
  request.path = target.substr(0, question);
  if (question != std::string_view::npos) request.query = target.substr(question + 1);
  request.headers = std::move(headers);
  request.body = to_bytes(body);
  request.peer = "127.0.0.1:40000";
  return broker->handle(request);
}

void TestBroker::store_resource(std::string_view path, std::string_view content) {
  EXPECT_EQ(post("/kbs/v0/resource/" + std::string{path}, content).status, 200);
}

void TestBroker::set_resource_policy(std::string_view rego) {
  const auto response = post("/kbs/v0/resource-policy", policy_upload(rego));
  EXPECT_EQ(response.status, 200) << text_of(response);
}

Value TestBroker::audit(std::string_view query) {
  return json_of(get("/kbs/v0/audit" + std::string{query}));
}

TestGuest::TestGuest(TestBroker& broker, crypto::KeyKind kind)
    : key(require(crypto::PrivateKey::generate(kind))), broker_(broker) {}

void TestGuest::keep_cookie(const net::ServerResponse& response) {
  const auto header = response.headers.get("Set-Cookie");
  if (header) cookie = header->substr(0, header->find(';'));
}

net::ServerResponse TestGuest::auth(std::string_view tee, std::string_view version) {
  const auto body = codec::json::serialize(Object{{"version", version}, {"tee", tee}, {"extra-params", ""}});
  auto response = broker_.post("/kbs/v0/auth", body);
  keep_cookie(response);
  if (response.status == 200) nonce = text_member(json_of(response), "nonce");
  return response;
}

Object TestGuest::attestation() const {
  const bool rsa = key.kind() == crypto::KeyKind::rsa;
  const Value jwk{jose::to_jwk(key.public_key(), rsa ? "RSA-OAEP-256" : "ECDH-ES+A256KW")};
  const auto runtime = require(evidence::RuntimeData::create(nonce, jwk));
  const auto attester = evidence::sample::make_attester(evidence::TeeKind::sample);
  const auto evidence = require(attester->attest(runtime.primary_digest()));
  return {{"init-data", nullptr},
          {"runtime-data", Object{{"nonce", nonce}, {"tee-pubkey", jwk}}},
          {"tee-evidence", Object{{"primary_evidence", evidence}, {"additional_evidence", ""}}}};
}

net::ServerResponse TestGuest::attest(const Object& attestation) {
  auto response = broker_.post("/kbs/v0/attest", codec::json::serialize(attestation), {{"Cookie", cookie}});
  if (response.status == 200) token = text_member(json_of(response), "token");
  return response;
}

void TestGuest::handshake() {
  const auto challenged = auth();
  ASSERT_EQ(challenged.status, 200) << text_of(challenged);
  const auto attested = attest();
  ASSERT_EQ(attested.status, 200) << text_of(attested);
}

net::ServerResponse TestGuest::get(std::string_view resource) const {
  return broker_.get("/kbs/v0/resource/" + std::string{resource}, {{"Cookie", cookie}});
}

net::ServerResponse TestGuest::get_by_token(TestBroker& broker, std::string_view resource) const {
  return broker.get("/kbs/v0/resource/" + std::string{resource}, {{"Authorization", "Bearer " + token}});
}

std::optional<std::string> TestGuest::open(const net::ServerResponse& response) const {
  using enum jose::KeyManagement;
  const auto plain = jose::decrypt(text_of(response), key, std::array{ecdh_es_a256kw, rsa_oaep_256});
  if (!plain) return std::nullopt;
  return to_text(plain->expose());
}

std::string text_of(const net::ServerResponse& response) {
  return to_text(response.body);
}

Value json_of(const net::ServerResponse& response) {
  auto value = codec::json::parse(text_of(response));
  EXPECT_TRUE(value) << text_of(response);
  return value ? *std::move(value) : Value{};
}

std::string session_of(const std::string& cookie) {
  return cookie.substr(cookie.find('=') + 1);
}

std::string refusal(const net::ServerResponse& response) {
  const auto body = json_of(response);
  const auto type = text_member(body, "type");
  return std::to_string(response.status) + " " + text_member(body, "code") + " " + type.substr(type.rfind('/') + 1);
}

std::string detail_of(const net::ServerResponse& response) {
  return text_member(json_of(response), "detail");
}

std::string policy_upload(std::string_view rego, std::string_view id) {
  Object body{{"policy", codec::base64url_encode(as_bytes(rego))}};
  if (!id.empty()) body.set("policy_id", id);
  return codec::json::serialize(body);
}

}  // namespace coffer::keybroker::testing
