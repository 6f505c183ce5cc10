#include "evidence/external/external.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "evidence/external/message.h"
#include "evidence/external/settings.h"

namespace coffer::evidence::external {
namespace {

namespace json = codec::json;
using testing::HasSubstr;

const Bytes digest(48, std::byte{1});

// Answers each request by its method; "{id}" stands for the request's own.
class FakeChannel final : public Channel {
 public:
  explicit FakeChannel(std::string answer) : answer_(std::move(answer)) {}
  Result<std::string> exchange(std::string_view request) const override {
    auto text = answer_;
    const auto id = json::parse(request)->find("id")->if_int64();
    if (const auto at = text.find("{id}"); at != std::string::npos) text.replace(at, 4, std::to_string(*id));
    return text;
  }

 private:
  std::string answer_;
};

std::unique_ptr<Verifier> verifier_answering(std::string answer) {
  std::map<std::string, std::unique_ptr<Channel>, std::less<>> channels;
  channels.emplace("acme", std::make_unique<FakeChannel>(std::move(answer)));
  return make_verifier_over(std::move(channels));
}

const std::string held = R"({"version":1,"id":{id},"type":"acme","result":{"claims":{"snp":{"measurement":"x"}},)"
                         R"("report_data":"AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEB"}})";

json::Value evidence(std::string_view type = "acme") {
  return json::Object{{"type", type}, {"evidence", json::Object{{"x", 1}}}};
}

TEST(ExternalVerifier, claims_stand_under_the_type_whatever_they_are_called) {
  const auto claims = verifier_answering(held)->verify(evidence(), {digest, {}}, from_unix_seconds(0));
  ASSERT_TRUE(claims) << to_string(claims.error());
  EXPECT_EQ(json::serialize(json::Value{claims->front().claims}), R"({"acme":{"snp":{"measurement":"x"}}})");
  EXPECT_TRUE(claims->front().device_class.empty());
  EXPECT_FALSE(claims->front().simulated_root);
}

TEST(ExternalVerifier, types_without_a_socket_and_names_of_tees_are_refused) {
  const auto verifier = verifier_answering(held);
  EXPECT_EQ(verifier->verify(evidence("other"), {}, from_unix_seconds(0)).error().code, ExternalError::unknown_type);
  EXPECT_EQ(verifier->verify(evidence("snp"), {}, from_unix_seconds(0)).error().code, ExternalError::bad_type);
}

TEST(ExternalVerifier, what_is_no_evidence_is_malformed) {
  const auto verifier = verifier_answering(held);
  for (const json::Value& odd :
       {json::Value{1}, json::Value{json::Object{{"type", "acme"}}}, json::Value{json::Object{{"evidence", 1}}}}) {
    EXPECT_EQ(verifier->verify(odd, {}, from_unix_seconds(0)).error().code, EvidenceError::malformed);
  }
  EXPECT_EQ(*verifier->inspect(evidence())->find("type")->if_string(), "acme");
}

TEST(ExternalAttester, wraps_what_the_attester_gives_in_its_type) {
  const auto attester = make_attester_over(
      "acme", std::make_unique<FakeChannel>(R"({"version":1,"id":{id},"type":"acme","result":{"evidence":[1]}})"));
  EXPECT_EQ(json::serialize(*attester->attest(digest)), R"({"type":"acme","evidence":[1]})");
  EXPECT_TRUE(attester->bind_init_data(digest));
}

TEST(ExternalAttester, that_is_not_configured_is_no_device_at_its_first_use) {
  ::unsetenv("COFFER_EXTERNAL_ATTESTER");
  const auto attester = make_attester(TeeKind::external, {});
  ASSERT_TRUE(attester);
  EXPECT_EQ((*attester)->attest(digest).error().code, EvidenceError::no_device);
  EXPECT_EQ((*attester)->bind_init_data(digest).error().code, EvidenceError::no_device);
}

TEST(ExternalSettings, verifiers_are_named_by_type) {
  const auto sockets = read_verifiers(
      {{"external_verifier",
        json::Object{{"acme", json::Object{{"socket", "/run/a"}, {"timeout_ms", 10}, {"peer_uid", 7}}}}}});
  ASSERT_TRUE(sockets) << to_string(sockets.error());
  EXPECT_EQ(sockets->at("acme").path, "/run/a");
  EXPECT_EQ(sockets->at("acme").timeout.count(), 10);
  EXPECT_EQ(sockets->at("acme").peer, 7U);
  EXPECT_TRUE(read_verifiers({})->empty());
}

TEST(ExternalSettings, that_do_not_fit_are_errors) {
  for (const json::Value& section :
       {json::Value{1}, json::Value{json::Object{{"snp", json::Object{{"socket", "/run/a"}}}}},
        json::Value{json::Object{{"acme", json::Object{}}}},
        json::Value{json::Object{{"acme", json::Object{{"socket", "relative"}}}}},
        json::Value{json::Object{{"acme", json::Object{{"socket", "/a"}, {"timeout_ms", 0}}}}},
        json::Value{json::Object{{"acme", json::Object{{"socket", "/a"}, {"peer_uid", "root"}}}}}}) {
    VerifierOptions options;
    options.config.set("external_verifier", section);
    EXPECT_EQ(make_verifier(TeeKind::external, options).error().code, EvidenceError::bad_config);
  }
}

TEST(ExternalSettings, the_attester_is_named_by_setting_or_environment) {
  const auto code = [](const json::Object& config, const char* environment) {
    const auto read = read_attester(config, environment);
    return read ? ErrorCode{EvidenceError::no_device} : read.error().code;
  };
  EXPECT_EQ((*read_attester({}, "acme=/run/a"))->type, "acme");
  EXPECT_EQ((*read_attester({}, "acme=/run/a"))->socket.path, "/run/a");
  const json::Object config{{"external_attester", json::Object{{"type", "toy"}, {"socket", "/run/b"}}}};
  EXPECT_EQ((*read_attester(config, "acme=/run/a"))->type, "toy");
  EXPECT_FALSE(*read_attester({}, nullptr));
  EXPECT_FALSE(*read_attester({}, ""));
  for (const auto* odd : {"acme", "acme=relative", "snp=/run/a", "=/run/a"}) {
    EXPECT_EQ(code({}, odd), EvidenceError::bad_config) << odd;
  }
  EXPECT_EQ(code({{"external_attester", json::Object{{"socket", "/run/b"}}}}, nullptr), EvidenceError::bad_config);
}

}  // namespace
}  // namespace coffer::evidence::external
