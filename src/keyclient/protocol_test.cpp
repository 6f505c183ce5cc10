#include "keyclient/protocol.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace coffer::keyclient {
namespace {

using testing::HasSubstr;

constexpr std::string_view valid_attestation =
    R"({"init-data":{"format":"toml","body":"version = \"0.1.0\""},)"
    R"("runtime-data":{"nonce":"bm9uY2U=","tee-pubkey":{"kty":"EC","crv":"P-256","alg":"ECDH-ES+A256KW","x":"eA","y":"eQ"}},)"
    R"("tee-evidence":{"primary_evidence":{"svn":"1"},"additional_evidence":"{\"sampledevice\":{}}"}})";

std::string replaced(std::string_view text, std::string_view what, std::string_view with) {
  std::string out{text};
  const auto at = out.find(what);
  EXPECT_NE(at, std::string::npos) << what;
  return out.replace(at, what.size(), with);
}

TEST(Protocol, request_has_upstreams_bytes) {
  const Request request{.tee = "snp",
                        .extra_params = *codec::json::parse(R"({"supported-hash-algorithms":["sha256","sha384"]})")};
  EXPECT_EQ(request.serialize(),
            R"({"version":"0.4.0","tee":"snp","extra-params":{"supported-hash-algorithms":["sha256","sha384"]}})");
}

TEST(Protocol, request_of_an_old_client_has_an_empty_text_as_extra_params) {
  const auto request = Request::parse(R"({"version":"0.1.1","tee":"azsnpvtpm","extra-params":""})");
  ASSERT_TRUE(request);
  EXPECT_EQ(request->version, "0.1.1");
  EXPECT_EQ(request->tee, "azsnpvtpm");
  EXPECT_EQ(request->extra_params, codec::json::Value{""});
}

TEST(Protocol, request_without_extra_params_reads_as_empty_text) {
  const auto request = Request::parse(R"({"version":"0.4.0","tee":"snp"})");
  ASSERT_TRUE(request);
  EXPECT_EQ(request->extra_params, codec::json::Value{""});
}

TEST(Protocol, challenge_has_upstreams_bytes) {
  EXPECT_EQ(Challenge{.nonce = "AAECAw=="}.serialize(), R"({"nonce":"AAECAw==","extra-params":""})");
}

TEST(Protocol, challenge_keeps_a_selected_hash) {
  const auto challenge = Challenge::parse(R"({"nonce":"n","extra-params":{"selected-hash-algorithm":"sha512"}})");
  ASSERT_TRUE(challenge);
  ASSERT_NE(challenge->extra_params.find("selected-hash-algorithm"), nullptr);
}

TEST(Protocol, attestation_round_trips_byte_for_byte) {
  const auto attestation = Attestation::parse(valid_attestation);
  ASSERT_TRUE(attestation);
  EXPECT_EQ(attestation->additional_evidence, R"({"sampledevice":{}})");
  EXPECT_EQ(attestation->serialize(), valid_attestation);
}

TEST(Protocol, attestation_without_init_data_is_written_with_null) {
  const auto attestation =
      Attestation::parse(replaced(valid_attestation, R"({"format":"toml","body":"version = \"0.1.0\""})", "null"));
  ASSERT_TRUE(attestation);
  EXPECT_FALSE(attestation->init_data);
  EXPECT_THAT(attestation->serialize(), HasSubstr(R"("init-data":null)"));
}

TEST(Protocol, attestation_may_leave_out_init_data_and_additional_evidence) {
  const auto attestation = Attestation::parse(
      R"({"runtime-data":{"nonce":"n","tee-pubkey":{}},"tee-evidence":{"primary_evidence":"text"}})");
  ASSERT_TRUE(attestation);
  EXPECT_FALSE(attestation->init_data);
  EXPECT_EQ(attestation->additional_evidence, "");
}

TEST(Protocol, error_has_upstreams_bytes_and_our_code) {
  EXPECT_EQ(ErrorInformation::make("PolicyDeny", "Access denied by policy", "").serialize(),
            R"({"type":"https://github.com/confidential-containers/kbs/errors/PolicyDeny",)"
            R"("detail":"Access denied by policy"})");
  EXPECT_THAT(ErrorInformation::make("PolicyDeny", "no", "broker.policy_denied").serialize(),
              HasSubstr(R"("detail":"no","code":"broker.policy_denied")"));
}

TEST(Protocol, error_variant_stands_behind_the_last_slash) {
  const auto error = ErrorInformation::parse(R"({"type":"https://example.com/errors/TokenNotFound","detail":"d"})");
  ASSERT_TRUE(error);
  EXPECT_EQ(error->variant(), "TokenNotFound");
  EXPECT_EQ(error->code, "");
  EXPECT_EQ((ErrorInformation{.type = "Bare", .detail = ""}.variant()), "Bare");
}

TEST(Protocol, broker_info_round_trips_and_ignores_what_it_does_not_know) {
  const BrokerInfo info{.version = "0.1.0", .mode = "passport", .tees = {"snp", "sample"}, .unattested_reads = true};
  const auto again = BrokerInfo::parse(replaced(info.serialize(), "{", R"({"later":1,)"));
  ASSERT_TRUE(again);
  EXPECT_EQ(again->serialize(), info.serialize());
}

struct Malformed {
  std::string_view name;
  std::string text;
  std::string_view expected;  // part of the message
};

template <class Message>
void expect_malformed(const std::vector<Malformed>& cases) {
  for (const auto& broken : cases) {
    const auto message = Message::parse(broken.text);
    ASSERT_FALSE(message) << broken.name;
    EXPECT_EQ(message.error().code, ProtocolError::malformed) << broken.name;
    EXPECT_THAT(message.error().message, HasSubstr(std::string{broken.expected})) << broken.name;
  }
}

TEST(Protocol, broken_requests_are_malformed) {
  expect_malformed<Request>({{"truncated", R"({"version":"0.4.0","tee":"s)", "request"},
                             {"array", "[]", "request"},
                             {"no version", R"({"tee":"snp"})", "version"},
                             {"no tee", R"({"version":"0.4.0"})", "tee"},
                             {"tee is a number", R"({"version":"0.4.0","tee":7})", "tee"},
                             {"duplicate", R"({"version":"0.4.0","tee":"snp","tee":"tdx"})", "request"}});
}

TEST(Protocol, broken_challenges_are_malformed) {
  expect_malformed<Challenge>({{"not JSON", "<html>", "challenge"},
                               {"no nonce", R"({"extra-params":""})", "nonce"},
                               {"empty nonce", R"({"nonce":"","extra-params":""})", "empty"}});
}

TEST(Protocol, broken_attestations_are_malformed) {
  expect_malformed<Attestation>(
      {{"no runtime data", replaced(valid_attestation, "runtime-data", "runtime_data"), "runtime-data"},
       {"no evidence", replaced(valid_attestation, "tee-evidence", "evidence"), "tee-evidence"},
       {"no nonce", replaced(valid_attestation, "nonce", "once"), "nonce"},
       {"key is text", replaced(valid_attestation, R"("tee-pubkey":{)", R"("tee-pubkey":"x","other":{)"), "tee-pubkey"},
       {"no primary", replaced(valid_attestation, "primary_evidence", "primary"), "primary_evidence"},
       {"additional is an object", replaced(valid_attestation, R"("{\"sampledevice\":{}}")", "{}"),
        "additional_evidence"}});
}

TEST(Protocol, broken_responses_and_errors_are_malformed) {
  expect_malformed<AttestationResponse>({{"no token", "{}", "token"}});
  expect_malformed<ErrorInformation>(
      {{"no detail", R"({"type":"x"})", "detail"}, {"no type", R"({"detail":"x"})", "type"}});
  expect_malformed<BrokerInfo>({{"no mode", R"({"name":"a","version":"b","protocol":"c"})", "mode"}});
}

TEST(Protocol, messages_and_nonces_are_bounded) {
  const auto message = Request::parse(std::string(max_message_size + 1, ' '));
  ASSERT_FALSE(message);
  EXPECT_EQ(message.error().code, ProtocolError::too_large);
  const auto challenge = Challenge::parse(R"({"nonce":")" + std::string(max_nonce_size + 1, 'a') + R"("})");
  ASSERT_FALSE(challenge);
  EXPECT_EQ(challenge.error().code, ProtocolError::too_large);
  EXPECT_TRUE(Challenge::parse(R"({"nonce":")" + std::string(max_nonce_size, 'a') + R"("})"));
}

}  // namespace
}  // namespace coffer::keyclient
