#include "codec/jose/jwe.h"
#include "codec/jose/jwt.h"
#include "keybroker/broker_testing.h"
#include "keybroker/resource_policies.h"

namespace coffer::keybroker::testing {
namespace {

constexpr std::string_view path = "default/key/k1";
constexpr std::string_view secret = "0123456789abcdef0123456789abcdef";

TEST(Resource, is_released_to_an_attested_guest_encrypted_to_its_key) {
  TestBroker broker;
  broker.store_resource(path, secret);
  TestGuest guest{broker};
  guest.handshake();
  const auto response = guest.get(path);
  ASSERT_EQ(response.status, 200) << text_of(response);
  EXPECT_EQ(response.headers.get("Content-Type"), "application/json");
  EXPECT_EQ(guest.open(response), secret);
  EXPECT_EQ(text_of(response).find(secret), std::string::npos);
  TestGuest other{broker};
  EXPECT_EQ(other.open(response), std::nullopt);
}

TEST(Resource, is_encrypted_to_p521_and_rsa_keys_too) {
  TestBroker broker;
  broker.store_resource(path, secret);
  for (const auto kind : {crypto::KeyKind::ec_p521, crypto::KeyKind::rsa}) {
    TestGuest guest{broker, kind};
    guest.handshake();
    EXPECT_EQ(guest.open(guest.get(path)), secret) << crypto::name_of(kind);
  }
}

TEST(Resource, is_released_for_a_bearer_token) {
  TestBroker broker;
  broker.store_resource(path, secret);
  TestGuest guest{broker};
  guest.handshake();
  EXPECT_EQ(guest.open(guest.get_by_token(broker, path)), secret);
}

TEST(Resource, falls_back_to_the_bearer_token_when_the_session_has_expired) {
  TestBroker broker;
  broker.store_resource(path, secret);
  TestGuest guest{broker};
  guest.handshake();
  broker.clock.advance(std::chrono::minutes{5});
  EXPECT_EQ(refusal(guest.get(path)), "401 broker.token_missing TokenNotFound");
  EXPECT_EQ(guest.get_by_token(broker, path).status, 200) << "60 seconds of leeway";
}

TEST(Resource, is_refused_without_session_and_token) {
  TestBroker broker;
  const auto response = broker.get("/kbs/v0/resource/default/key/k1");
  EXPECT_EQ(refusal(response), "401 broker.token_missing TokenNotFound");
  EXPECT_EQ(detail_of(response), "Attestation Token not found");
}

TEST(Resource, is_refused_to_a_session_that_has_not_attested) {
  TestBroker broker;
  TestGuest guest{broker};
  guest.auth();
  EXPECT_EQ(refusal(guest.get(path)), "401 broker.token_missing TokenNotFound");
}

TEST(Resource, is_refused_for_a_token_that_was_changed) {
  TestBroker broker;
  TestGuest guest{broker};
  guest.handshake();
  auto& last = guest.token.at(guest.token.size() - 10);
  last = last == 'A' ? 'B' : 'A';
  EXPECT_EQ(refusal(guest.get_by_token(broker, path)), "401 broker.token_rejected TokenVerifierError");
  guest.token = "not.a.token";
  EXPECT_EQ(refusal(guest.get_by_token(broker, path)), "401 broker.token_rejected TokenVerifierError");
}

TEST(Resource, is_refused_for_an_expired_token) {
  TestBroker broker;
  TestGuest guest{broker};
  guest.handshake();
  broker.clock.advance(std::chrono::minutes{6} + std::chrono::seconds{1});
  EXPECT_EQ(refusal(guest.get_by_token(broker, path)), "401 broker.token_rejected TokenVerifierError");
}

TEST(Resource, is_refused_for_a_token_of_another_issuer) {
  TestBroker issuer;
  TestBroker broker;
  TestGuest guest{issuer};
  guest.handshake();
  EXPECT_EQ(refusal(guest.get_by_token(broker, path)), "401 broker.token_rejected TokenVerifierError");
}

TEST(Resource, is_not_found_with_404_so_that_clients_stop) {
  TestBroker broker;
  TestGuest guest{broker};
  guest.handshake();
  EXPECT_EQ(refusal(guest.get("default/key/typo")), "404 broker.resource_not_found PluginInternalError");
}

TEST(Resource, is_not_found_with_401_where_the_owner_wants_upstreams_status) {
  auto config = playground();
  config.coffer.missing_resource_status = 401;
  TestBroker broker{config};
  TestGuest guest{broker};
  guest.handshake();
  EXPECT_EQ(refusal(guest.get("default/key/typo")), "401 broker.resource_not_found PluginInternalError");
}

TEST(Resource, an_unattested_caller_does_not_learn_whether_it_exists) {
  TestBroker broker;
  broker.store_resource(path, secret);
  EXPECT_EQ(text_of(broker.get("/kbs/v0/resource/default/key/k1")),
            text_of(broker.get("/kbs/v0/resource/default/key/typo")));
}

TEST(Resource, refuses_paths_that_are_not_three_plain_segments) {
  TestBroker broker;
  TestGuest guest{broker};
  guest.handshake();
  for (const auto* bad : {"a", "a/b", "a/b/c/d", "a/b/.hidden", "a/b/c$", "a/b/c d"}) {
    EXPECT_EQ(refusal(guest.get(bad)), "404 broker.resource_path_invalid PluginInternalError") << bad;
  }
  EXPECT_EQ(refusal(guest.get("a/../../resource-policy")), "404 broker.invalid_path InvalidRequestPath");
}

TEST(Resource, is_denied_by_policy_with_one_fixed_sentence) {
  TestBroker broker;
  broker.store_resource(path, secret);
  broker.set_resource_policy(builtin_policy_text(DefaultPolicy::deny_all));
  TestGuest guest{broker};
  guest.handshake();
  const auto response = guest.get(path);
  EXPECT_EQ(refusal(response), "401 broker.policy_denied PolicyDeny");
  EXPECT_EQ(detail_of(response), "Access denied by policy");
}

TEST(Resource, the_default_policy_denies_sample_evidence) {
  auto config = playground();
  config.coffer.default_policy = DefaultPolicy::upstream;
  TestBroker broker{config};
  broker.store_resource(path, secret);
  TestGuest guest{broker};
  guest.handshake();
  EXPECT_EQ(refusal(guest.get(path)), "401 broker.policy_denied PolicyDeny");
}

TEST(Resource, a_policy_sees_path_and_query_in_data_and_the_claims_in_input) {
  TestBroker broker;
  broker.store_resource(path, secret);
  broker.store_resource("default/key/k2", secret);
  broker.set_resource_policy(R"(package policy
import rego.v1
default allow := false
allow if {
  data.plugin == "resource"
  data["resource-path"] == ["default", "key", "k1"]
  data.query.purpose == "test"
  input.submods.cpu0["ear.veraison.annotated-evidence"].sample
}
)");
  TestGuest guest{broker};
  guest.handshake();
  EXPECT_EQ(guest.get("default/key/k1?purpose=test").status, 200);
  EXPECT_EQ(guest.get("default/key/k1").status, 401);
  EXPECT_EQ(guest.get("default/key/k2?purpose=test").status, 401);
}

TEST(Resource, a_policy_that_answers_something_else_than_true_denies) {
  TestBroker broker;
  broker.store_resource(path, secret);
  TestGuest guest{broker};
  guest.handshake();
  for (const auto* rule : {"allow := \"yes\"", "allow := 1", "deny := true"}) {
    broker.set_resource_policy("package policy\n" + std::string{rule} + "\n");
    EXPECT_EQ(refusal(guest.get(path)), "401 broker.policy_denied PolicyDeny") << rule;
  }
}

TEST(Resource, a_policy_that_loops_runs_out_of_its_budget_and_allows_nothing) {
  TestBroker broker;
  broker.store_resource(path, secret);
  broker.set_resource_policy(R"(package policy
import rego.v1
allow if {
  some a in numbers.range(1, 3000)
  some b in numbers.range(1, 3000)
  some c in numbers.range(1, 3000)
  a + b + c < 0
}
)");
  TestGuest guest{broker};
  guest.handshake();
  EXPECT_EQ(refusal(guest.get(path)), "401 broker.policy_failed PolicyEngineError");
}

TEST(Resource, can_be_deleted_and_listed_by_the_administrator) {
  TestBroker broker;
  broker.store_resource("default/key/k1", "1");
  broker.store_resource("default/key/k2", "2");
  broker.store_resource("other/key/k3", "3");
  EXPECT_EQ(text_of(broker.get("/kbs/v0/resources")), R"(["default/key/k1","default/key/k2","other/key/k3"])");
  EXPECT_EQ(text_of(broker.get("/kbs/v0/resources?prefix=default/&limit=1")), R"(["default/key/k1"])");
  EXPECT_EQ(broker.send("DELETE", "/kbs/v0/resource/default/key/k1").status, 200);
  EXPECT_EQ(refusal(broker.send("DELETE", "/kbs/v0/resource/default/key/k1")),
            "404 broker.resource_not_found PluginInternalError");
  EXPECT_EQ(text_of(broker.get("/kbs/v0/resources?after=default/key/k2")), R"(["other/key/k3"])");
  EXPECT_EQ(refusal(broker.get("/kbs/v0/resources?limit=many")), "401 broker.bad_request SerdeError");
}

TEST(Resource, write_answers_as_upstream_does) {
  TestBroker broker;
  const auto response = broker.post("/kbs/v0/resource/default/key/k1", "content");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.headers.get("Content-Type"), "text/xml");
  EXPECT_TRUE(response.body.empty());
}

TEST(Resource, is_bounded_in_size) {
  auto config = playground();
  config.resources.max_resource_size = 10;
  TestBroker broker{config};
  EXPECT_EQ(refusal(broker.post("/kbs/v0/resource/default/key/k1", "eleven byte")),
            "413 broker.body_too_large SerdeError");
}

TEST(Resource, put_is_refused_and_other_builtins_with_a_wrong_method_are_not_found) {
  TestBroker broker;
  const auto put = broker.send("PUT", "/kbs/v0/resource/a/b/c", "x");
  EXPECT_EQ(refusal(put), "401 broker.method_not_allowed PluginInternalError");
  EXPECT_NE(as_text(put.body).find("\"Plugin internal error: expected GET, POST or DELETE, found PUT\""),
            std::string_view::npos);
  EXPECT_EQ(refusal(broker.get("/kbs/v0/auth")), "404 broker.no_such_endpoint PluginNotFound");
  EXPECT_EQ(refusal(broker.get("/kbs/v0/nebula-ca/credential")), "404 broker.no_such_endpoint PluginNotFound");
  EXPECT_EQ(refusal(broker.get("/kbs/v1/auth")), "404 broker.invalid_path InvalidRequestPath");
}

TEST(Resource, is_not_served_where_its_plugin_is_not_configured) {
  auto config = playground();
  config.resources.enabled = false;
  TestBroker broker{config};
  EXPECT_EQ(refusal(broker.get("/kbs/v0/resource/a/b/c")), "404 broker.no_such_endpoint PluginNotFound");
}

// A token of a trusted issuer whose claims carry no TEE key, or one that cannot be used, is no ground to release.
class ForeignToken : public ::testing::Test {
 protected:
  std::string refusal_of(Object claims) {
    auto config = playground();
    config.attestation.kind = AttestationKind::none;
    config.coffer.allow_tees.clear();
    config.token_trust.insecure_header_jwk = true;
    TestBroker broker{config};
    broker.store_resource(path, secret);
    const auto signer = crypto::PrivateKey::generate(crypto::KeyKind::ec_p256);
    claims.set("exp", to_unix_seconds(start_of_test) + 300);
    const Object header{{"jwk", codec::jose::to_jwk(signer->public_key(), "ES256")}};
    const auto token = codec::jose::sign_jwt(header, claims, *signer, crypto::SignatureAlgorithm::es256);
    return refusal(broker.get("/kbs/v0/resource/default/key/k1", {{"Authorization", "Bearer " + *token}}));
  }
};

TEST_F(ForeignToken, is_refused_without_a_tee_key) {
  EXPECT_EQ(refusal_of({}), "401 broker.tee_key_missing TokenVerifierError");
}

TEST_F(ForeignToken, is_refused_with_a_tee_key_that_cannot_be_used) {
  EXPECT_EQ(refusal_of({{"tee-pubkey", Object{{"kty", "EC"}, {"crv", "P-256"}, {"x", "AA"}, {"y", "AA"}}}}),
            "401 broker.response_failed JweError");
  const auto key = crypto::PrivateKey::generate(crypto::KeyKind::ec_p256);
  EXPECT_EQ(refusal_of({{"tee-pubkey", codec::jose::to_jwk(key->public_key(), "RSA-OAEP-256")}}),
            "401 broker.response_failed JweError");
}

}  // namespace
}  // namespace coffer::keybroker::testing
