#include "keyclient/detail/failure.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "keyclient/protocol.h"

namespace coffer::keyclient::detail {
namespace {

using enum KeyClientError;
using testing::HasSubstr;

constexpr std::string_view upstream_mismatch =
    "Attestation error: RCAR handshake Auth failed: KBS Client Protocol Version Mismatch: expect =0.4.0 while the "
    "request "
    "is 0.2.0";

struct Case {
  std::string name;
  Step step;
  int status;
  std::string body;
  KeyClientError expected;
};

std::string body(std::string_view variant, std::string_view detail, std::string_view code = "") {
  return ErrorInformation::make(variant, std::string{detail}, code).serialize();
}

std::ostream& operator<<(std::ostream& out, const Case& c) {
  return out << c.name;
}

class Explain : public testing::TestWithParam<Case> {};

TEST_P(Explain, names_what_happened) {
  const auto& c = GetParam();
  const auto error = explain({c.step, c.status, c.body, "http://broker:8080", "the-subject"});
  EXPECT_EQ(error.code, c.expected) << to_string(error);
  EXPECT_THAT(error.message, HasSubstr("http://broker:8080"));
  EXPECT_THAT(error.message, HasSubstr("; "));  // what to do next
}

// What upstream's brokers send (trustee.md 1.7): type and detail alone.
INSTANTIATE_TEST_SUITE_P(
    upstream, Explain,
    testing::Values(
        Case{"version", Step::auth, 401, body("AttestationError", upstream_mismatch), version_mismatch},
        Case{"auth_missing", Step::auth, 404, body("PluginNotFound", "Plugin auth not found"), no_attestation_service},
        Case{"auth_tee", Step::auth, 401, body("AttestationError", "unsupported"), tee_refused},
        Case{"auth_serde", Step::auth, 401, body("SerdeError", "Serialize/Deserialize failed"), protocol},
        Case{"attest", Step::attest, 401, body("AttestationError", "RCAR handshake Attest failed"), evidence_rejected},
        Case{"attest_serde", Step::attest, 401, body("SerdeError", "Serialize/Deserialize failed"), protocol},
        Case{"attest_gone", Step::attest, 404, body("PluginNotFound", "Plugin attest not found"),
             no_attestation_service},
        Case{"token", Step::resource, 401, body("TokenNotFound", "Attestation Token not found"), unauthorized},
        Case{"verifier", Step::resource, 401, body("TokenVerifierError", "Token Verifier error"), unauthorized},
        Case{"policy", Step::resource, 401, body("PolicyDeny", "Access denied by policy"), policy_denied},
        Case{"engine", Step::resource, 401, body("PolicyEngineError", "x"), policy_denied},
        Case{"missing", Step::resource, 401, body("PluginInternalError", "Plugin internal error"), not_found},
        Case{"missing_404", Step::resource, 404, body("ResourceNotFound", "x"), not_found},
        Case{"unknown_404", Step::resource, 404, body("Whatever", "x"), not_found},
        Case{"forbidden", Step::resource, 403, body("Whatever", "x"), policy_denied},
        Case{"unknown_401", Step::resource, 401, body("Whatever", "x"), unauthorized},
        Case{"teapot", Step::resource, 418, body("Whatever", "x"), protocol},
        Case{"jwe", Step::resource, 401, body("JweError", "JWE failed"), unavailable}),
    [](const auto& c) { return c.param.name; });

// What ours send: the code decides, whatever type and status say.
INSTANTIATE_TEST_SUITE_P(
    ours, Explain,
    testing::Values(
        Case{"version", Step::auth, 401, body("AttestationError", "x", "broker.version_mismatch"), version_mismatch},
        Case{"tee", Step::auth, 401, body("AttestationError", "x", "broker.tee_not_allowed"), tee_refused},
        Case{"no_as", Step::auth, 404, body("PluginNotFound", "x", "broker.no_attestation_service"),
             no_attestation_service},
        Case{"restarted", Step::attest, 401, body("AttestationError", "x", "broker.session_unknown"), unauthorized},
        Case{"evidence", Step::attest, 401, body("AttestationError", "x", "broker.evidence_rejected"),
             evidence_rejected},
        Case{"nonce", Step::attest, 401, body("AttestationError", "x", "broker.nonce_mismatch"), evidence_rejected},
        Case{"crowded", Step::auth, 503, body("AttestationError", "x", "broker.too_many_sessions"), unavailable},
        Case{"malformed", Step::attest, 401, body("AttestationError", "x", "broker.handshake_malformed"), protocol},
        Case{"anchor", Step::resource, 401, body("TokenVerifierError", "x", "broker.no_trust_anchor"), no_trust_anchor},
        Case{"policy", Step::resource, 401, body("PolicyDeny", "x", "broker.policy_denied"), policy_denied},
        Case{"missing", Step::resource, 401, body("PluginInternalError", "x", "broker.resource_not_found"), not_found},
        Case{"storage", Step::resource, 401, body("PluginInternalError", "x", "broker.storage_failed"), unavailable}),
    [](const auto& c) { return c.param.name; });

INSTANTIATE_TEST_SUITE_P(strangers, Explain,
                         testing::Values(Case{"html_404", Step::auth, 404, "<html>not here</html>", not_a_broker},
                                         Case{"html_401", Step::auth, 401, "<html>who are you</html>", not_a_broker},
                                         Case{"redirect", Step::auth, 302, "", not_a_broker},
                                         Case{"empty_resource_404", Step::resource, 404, "", not_a_broker},
                                         Case{"html_later", Step::attest, 401, "<html>", protocol},
                                         Case{"bad_gateway", Step::auth, 502, "<html>", unavailable},
                                         Case{"throttled", Step::resource, 429, "", unavailable},
                                         Case{"json_503", Step::attest, 503, body("AttestationError", "later"),
                                              unavailable}),
                         [](const auto& c) { return c.param.name; });

TEST(ExplainDetail, keeps_the_brokers_words_and_facts_but_no_control_characters) {
  const auto text = body("PolicyDeny", "line one\nline two \x1b[31m", "broker.policy_denied");
  const auto error = explain({Step::resource, 401, text, "http://b", "kbs:///default/key/k1"});
  EXPECT_THAT(error.message, HasSubstr("line one line two  [31m"));
  EXPECT_THAT(error.message, HasSubstr("kbs:///default/key/k1"));
  EXPECT_THAT(error.context, testing::Contains(testing::Pair("broker_code", "broker.policy_denied")));
  EXPECT_THAT(error.context, testing::Contains(testing::Pair("status", "401")));
}

TEST(ExplainDetail, names_that_the_broker_made_up_are_short_and_one_line) {
  const auto text = body("\x1b[2J", "no", std::string(5000, 'c'));
  const auto error = explain({Step::resource, 401, text, "http://b", "kbs:///default/key/k1"});
  EXPECT_THAT(error.context, testing::Contains(testing::Pair("type", " [2J")));
  EXPECT_LT(to_string(error).size(), 800U);
}

TEST(ExplainDetail, a_long_detail_is_cut) {
  const auto error = explain({Step::auth, 401, body("SerdeError", std::string(5000, 'x')), "http://b", "snp"});
  EXPECT_LT(error.message.size(), 800U);
}

TEST(ExplainNetwork, each_kind_of_failure_has_its_meaning) {
  const auto meaning = [](net::NetError code) { return explain(Error{code, "cause"}, "http://b").code; };
  EXPECT_EQ(meaning(net::NetError::refused), unreachable);
  EXPECT_EQ(meaning(net::NetError::timeout), unreachable);
  EXPECT_EQ(meaning(net::NetError::unresolved), unreachable);
  EXPECT_EQ(meaning(net::NetError::tls), tls);
  EXPECT_EQ(meaning(net::NetError::protocol), not_a_broker);
  EXPECT_EQ(meaning(net::NetError::redirect), not_a_broker);
  EXPECT_EQ(meaning(net::NetError::bad_url), bad_uri);
  EXPECT_EQ(meaning(net::NetError::too_large), protocol);
}

}  // namespace
}  // namespace coffer::keyclient::detail
