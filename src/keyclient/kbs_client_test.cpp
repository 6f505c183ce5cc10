#include "keyclient/kbs_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "codec/base64.h"
#include "evidence/runtime_data.h"
#include "keyclient/fake_broker_testing.h"

namespace coffer::keyclient {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

codec::ResourceUri key_one() {
  return *codec::ResourceUri::from_path("default/key/k1");
}

class KbsClient : public testing::Test {
 protected:
  Result<SecretBytes> fetch(HandshakeOptions options = {}, const codec::ResourceUri& uri = key_one()) {
    auto client = background_check_client(quick(broker_.url()), attester_, std::move(options));
    if (!client) return fail(client.error());
    return (*client)->fetch(uri);
  }
  ErrorCode error_of_fetch() {
    const auto result = fetch();
    EXPECT_FALSE(result);
    if (result) return KeyClientError::protocol;
    message_ = result.error().message;
    return result.error().code;
  }

  FakeBroker broker_;
  FakeAttester attester_;
  std::string message_;
};

class EveryTeeKey : public KbsClient, public testing::WithParamInterface<TeeKeyAlgorithm> {};

TEST_P(EveryTeeKey, opens_what_the_broker_encrypted_to_it) {
  const auto key = fetch({.tee_key = GetParam()});
  ASSERT_TRUE(key) << to_string(key.error());
  EXPECT_EQ(as_text(key->expose()), std::string(32, 'k'));
}

INSTANTIATE_TEST_SUITE_P(kinds, EveryTeeKey,
                         testing::Values(TeeKeyAlgorithm::ecdh_p256, TeeKeyAlgorithm::ecdh_p521,
                                         TeeKeyAlgorithm::rsa_2048));

TEST_F(KbsClient, binds_nonce_and_key_into_the_evidence) {
  ASSERT_TRUE(fetch());
  const auto sent = broker_.last_attestation();
  const auto bound = evidence::RuntimeData::create(sent.nonce, sent.tee_pubkey, sent.additional_evidence);
  ASSERT_TRUE(bound);
  EXPECT_EQ(*sent.primary_evidence.find("report_data")->if_string(), codec::base64_encode(bound->primary_digest()));
  EXPECT_FALSE(sent.init_data);
}

TEST_F(KbsClient, hashes_with_the_algorithm_that_the_broker_selected) {
  broker_.script("auth", [](const auto&) {
    auto response = json_response(200, R"({"nonce":"bm9uY2U=","extra-params":{"selected-hash-algorithm":"SHA512"}})");
    response.headers.set("Set-Cookie", "kbs-session-id=1");
    return response;
  });
  std::string seen;
  broker_.script("attest", [&](const net::ServerRequest& request) {
    seen = *Attestation::parse(as_text(request.body))->primary_evidence.find("report_data")->if_string();
    return json_response(401, "{}");
  });
  ASSERT_FALSE(fetch());
  EXPECT_EQ(codec::base64_decode(seen)->size(), 64U);
}

TEST_F(KbsClient, sends_init_data_where_it_has_some) {
  auto init_data = evidence::InitData::parse("version = \"0.1.0\"\nalgorithm = \"sha384\"\n[data]\n");
  ASSERT_TRUE(init_data) << to_string(init_data.error());
  ASSERT_TRUE(fetch({.init_data = std::move(*init_data)}));
  const auto sent = broker_.last_attestation();
  const auto wire = sent.init_data.value_or(codec::json::Value{});
  ASSERT_NE(wire.find("format"), nullptr);
  EXPECT_EQ(*wire.find("format")->if_string(), "toml");
}

TEST_F(KbsClient, adds_the_evidence_of_devices) {
  const FakeAttester device;
  ASSERT_TRUE(fetch({.devices = {&device}}));
  const auto sent = broker_.last_attestation();
  EXPECT_THAT(sent.additional_evidence, StartsWith(R"({"sample":)"));
  const auto bound = evidence::RuntimeData::create(sent.nonce, sent.tee_pubkey, sent.additional_evidence);
  EXPECT_EQ(*sent.primary_evidence.find("report_data")->if_string(), codec::base64_encode(bound->primary_digest()));
}

TEST_F(KbsClient, background_check_shows_the_cookie_and_passport_the_token) {
  ASSERT_TRUE(fetch());
  EXPECT_THAT(broker_.last_credential(), StartsWith("kbs-session-id="));

  FakeBroker resource_broker;
  resource_broker.trusts_any_issuer = true;
  resource_broker.refuse("auth", 404, "PluginNotFound", "Plugin auth not found");
  auto client = passport_client(quick(broker_.url()), quick(resource_broker.url()), attester_);
  ASSERT_TRUE(client);
  const auto key = (*client)->fetch(key_one());
  ASSERT_TRUE(key) << to_string(key.error());
  EXPECT_THAT(resource_broker.last_credential(), StartsWith("Bearer "));
  EXPECT_EQ(resource_broker.requests("auth"), 0U);
}

TEST_F(KbsClient, one_handshake_serves_many_resources) {
  broker_.resources["default/key/k2"] = "second";
  auto client = background_check_client(quick(broker_.url() + "/"), attester_);
  ASSERT_TRUE(client);
  ASSERT_TRUE((*client)->fetch(key_one()));
  ASSERT_TRUE((*client)->fetch(*codec::ResourceUri::parse("kbs:///default/key/k2")));
  EXPECT_EQ(broker_.requests("auth"), 1U);
  EXPECT_EQ(broker_.requests("attest"), 1U);
}

TEST_F(KbsClient, attests_anew_once_when_the_broker_forgot_the_session) {
  auto client = background_check_client(quick(broker_.url()), attester_);
  ASSERT_TRUE((*client)->fetch(key_one()));
  broker_.forget_sessions();
  ASSERT_TRUE((*client)->fetch(key_one()));
  EXPECT_EQ(broker_.requests("auth"), 2U);
  EXPECT_EQ(broker_.requests("resource"), 3U);
}

TEST_F(KbsClient, attests_anew_once_when_the_broker_restarted_in_the_handshake) {
  std::atomic<unsigned> refusals = 0;
  broker_.script("attest", [&](const auto&) {
    ++refusals;
    return json_response(
        401, ErrorInformation::make("AttestationError", "no such session", "broker.session_unknown").serialize());
  });
  EXPECT_EQ(error_of_fetch(), KeyClientError::unauthorized);
  EXPECT_EQ(refusals, 2U);
  EXPECT_EQ(broker_.requests("auth"), 2U);
}

TEST_F(KbsClient, a_second_refusal_of_the_token_is_final) {
  broker_.refuse("resource", 401, "TokenNotFound", "Attestation Token not found");
  EXPECT_EQ(error_of_fetch(), KeyClientError::unauthorized);
  EXPECT_EQ(broker_.requests("resource"), 2U);
  EXPECT_EQ(broker_.requests("auth"), 2U);
}

TEST_F(KbsClient, denial_by_policy_is_final_at_once) {
  broker_.refuse("resource", 401, "PolicyDeny", "Access denied by policy");
  EXPECT_EQ(error_of_fetch(), KeyClientError::policy_denied);
  EXPECT_EQ(broker_.requests("resource"), 1U);
  EXPECT_EQ(broker_.requests("auth"), 1U);
}

TEST_F(KbsClient, a_missing_resource_costs_one_attestation) {
  broker_.resources.clear();
  EXPECT_EQ(error_of_fetch(), KeyClientError::not_found);
  EXPECT_THAT(message_, HasSubstr("kbs:///default/key/k1"));
  EXPECT_EQ(broker_.requests("resource"), 1U);
}

TEST_F(KbsClient, an_empty_resource_is_an_error_where_it_arrives) {
  broker_.resources["default/key/k1"] = "";
  EXPECT_EQ(error_of_fetch(), KeyClientError::key_malformed);
  EXPECT_THAT(message_, HasSubstr("empty"));
}

TEST_F(KbsClient, tells_a_passport_only_broker) {
  broker_.refuse("auth", 404, "PluginNotFound", "Plugin auth not found");
  EXPECT_EQ(error_of_fetch(), KeyClientError::no_attestation_service);
  EXPECT_THAT(message_, HasSubstr("--issuer-uri"));
}

TEST_F(KbsClient, tells_another_protocol_version) {
  broker_.refuse(
      "auth", 401, "AttestationError",
      "Attestation error: RCAR handshake Auth failed: KBS Client Protocol Version Mismatch: expect =0.2.0 while "
      "the request is 0.4.0");
  EXPECT_EQ(error_of_fetch(), KeyClientError::version_mismatch);
}

TEST_F(KbsClient, tells_a_refused_tee) {
  broker_.refuse("auth", 401, "AttestationError", "sample is not allowed", "broker.tee_not_allowed");
  EXPECT_EQ(error_of_fetch(), KeyClientError::tee_refused);
  EXPECT_THAT(message_, HasSubstr("sample"));
}

TEST_F(KbsClient, tells_rejected_evidence_and_does_not_send_it_again) {
  broker_.refuse("attest", 401, "AttestationError", "Attestation error: RCAR handshake Attest failed");
  EXPECT_EQ(error_of_fetch(), KeyClientError::evidence_rejected);
  EXPECT_EQ(broker_.requests("attest"), 1U);
}

TEST_F(KbsClient, tells_a_broker_that_believes_nobody) {
  broker_.refuse("resource", 401, "TokenVerifierError", "no trust anchor", "broker.no_trust_anchor");
  EXPECT_EQ(error_of_fetch(), KeyClientError::no_trust_anchor);
}

TEST_F(KbsClient, tells_a_failing_attester) {
  attester_.broken = true;
  EXPECT_EQ(error_of_fetch(), KeyClientError::attester_failed);
  EXPECT_THAT(message_, HasSubstr("/dev/fake-guest"));
}

TEST_F(KbsClient, a_broker_that_is_gone_is_unreachable) {
  broker_.stop();
  EXPECT_EQ(error_of_fetch(), KeyClientError::unreachable);
}

TEST_F(KbsClient, plain_http_behind_an_https_address_is_a_tls_error) {
  auto client = background_check_client(quick("https" + broker_.url().substr(4)), attester_);
  ASSERT_TRUE(client);
  const auto key = (*client)->fetch(key_one());
  ASSERT_FALSE(key);
  EXPECT_EQ(key.error().code, KeyClientError::tls) << to_string(key.error());
}

TEST_F(KbsClient, something_else_that_answers_is_no_broker) {
  broker_.script("auth", 200, "<html>hello</html>");
  EXPECT_EQ(error_of_fetch(), KeyClientError::not_a_broker);
  broker_.script("auth", 404, "<html>nothing here</html>");
  EXPECT_EQ(error_of_fetch(), KeyClientError::not_a_broker);
}

TEST_F(KbsClient, a_broker_in_trouble_is_asked_again_and_then_unavailable) {
  broker_.script("auth", 503, "");
  EXPECT_EQ(error_of_fetch(), KeyClientError::unavailable);
  EXPECT_EQ(broker_.requests("auth"), 3U);
}

TEST_F(KbsClient, a_trouble_that_passes_goes_unnoticed) {
  for (const auto* endpoint : {"auth", "attest", "resource"}) {
    broker_.script(endpoint, [this, endpoint](const auto&) {
      broker_.script(endpoint, nullptr);
      return json_response(503, "");
    });
  }
  EXPECT_TRUE(fetch());
  EXPECT_EQ(broker_.requests("attest"), 2U);
}

TEST_F(KbsClient, answers_that_break_the_protocol_are_named) {
  broker_.script("attest", 200, R"({"no-token":1})");
  EXPECT_EQ(error_of_fetch(), KeyClientError::protocol);
  broker_.script("attest", 200, R"({"token":"not.a.jwt"})");
  EXPECT_EQ(error_of_fetch(), KeyClientError::protocol);
  broker_.script("auth", 200, R"({"nonce":"bm9uY2U=","extra-params":""})");  // no cookie
  EXPECT_EQ(error_of_fetch(), KeyClientError::protocol);
  EXPECT_THAT(message_, HasSubstr("kbs-session-id"));
}

TEST_F(KbsClient, an_answer_that_is_not_for_this_key_does_not_open) {
  broker_.script("resource", 200, R"({"protected":"e30","encrypted_key":"","iv":"","ciphertext":"","tag":""})");
  EXPECT_EQ(error_of_fetch(), KeyClientError::decryption_failed);
  broker_.script("resource", 200,
                 std::string(32, 'k'));  // a key in plain text is not accepted from an attested session
  EXPECT_EQ(error_of_fetch(), KeyClientError::decryption_failed);
}

TEST_F(KbsClient, reads_plain_answers_only_where_told_that_nobody_attests) {
  broker_.script("resource", 200, std::string(32, 'p'));
  auto client = unattested_client(quick(broker_.url()));
  ASSERT_TRUE(client);
  const auto key = (*client)->fetch(key_one());
  ASSERT_TRUE(key);
  EXPECT_EQ(as_text(key->expose()), std::string(32, 'p'));
  EXPECT_EQ(broker_.requests("auth"), 0U);
}

TEST_F(KbsClient, refuses_an_address_that_is_none) {
  for (const auto* url : {"", "broker:8080", "ftp://broker", "http://"}) {
    const auto client = background_check_client(quick(url), attester_);
    ASSERT_FALSE(client) << url;
    EXPECT_EQ(client.error().code, KeyClientError::bad_uri) << url;
  }
}

TEST(TeeKeyNames, round_trip_and_refuse_others) {
  for (const auto algorithm : {TeeKeyAlgorithm::ecdh_p256, TeeKeyAlgorithm::ecdh_p521, TeeKeyAlgorithm::rsa_2048}) {
    EXPECT_EQ(*parse_tee_key_algorithm(name_of(algorithm)), algorithm);
  }
  const auto other = parse_tee_key_algorithm("ML-KEM-768+A192KW");
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code, KeyClientError::config_value);
}

}  // namespace
}  // namespace coffer::keyclient
