#include "fleet/worker/rounds/update_sealer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <mutex>

#include "fleet/attested_key.h"
#include "fleet/round_update.h"
#include "fleet/trust/token_issuer_testing.h"
#include "net/http_server.h"
#include "net/url.h"

namespace coffer::fleet::worker {
namespace {

using crypto::KeyKind;
using crypto::PrivateKey;
using evidence::TeeKind;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

const auto now = from_unix_seconds(1'800'000'000);
constexpr std::string_view secret = R"({"num_samples":7,"update":{"w":[0.1234567]}})";

// An aggregator that proves itself, until a test has it do otherwise.
class UpdateSealerTest : public ::testing::Test {
 protected:
  UpdateSealerTest() {
    server_ = *net::HttpServer::start({.sockets = {"127.0.0.1:0"}, .workers = 1},
                                      [this](const net::ServerRequest& request) { return answer(request); });
    url_ = "http://" + server_->addresses().front();
    trust_.emplace().tokens.trusted_certificates = {broker_.anchor()};
  }
  net::ServerResponse answer(const net::ServerRequest& request) {
    const std::lock_guard lock(mutex_);
    if (request.path == "/update") {
      update_ = to_text(request.body);
      return net::ServerResponse::text(update_status_, "application/json", R"({"error":"why","code":"aggregator.x"})");
    }
    const auto query = *net::parse_query(request.query);
    const auto nonce = proof_over_.empty() ? query.at("nonce") : proof_over_;
    std::optional<ModelName> model;
    if (query.contains("model")) model = ModelName{std::stoull(query.at("model")), digest_of_text(model_)};
    const AggregatorAttestation shown{.token = broker_.token(key_, {submodule("cpu0", TeeKind::snp, hardware_)}),
                                      .proof = *sign_aggregator(nonce, now, held_key_ ? *held_key_ : key_, model)};
    return net::ServerResponse::text(attestation_status_, "application/json", to_json(shown));
  }
  std::unique_ptr<UpdateSealer> sealer() {
    return *UpdateSealer::create(trust_,
                                 {.http = *net::HttpClient::create({.direct = true}),
                                  .own_id = "w1",
                                  .token = [this](TimePoint) { return own_; },
                                  .aggregator = [this](const auto&) { return url_; },
                                  .fall_back = [this](const auto&, const std::string& update) { by_mqtt_ = update; },
                                  .clock = clock_});
  }
  static StartCommand task() {
    StartCommand command{.id = "t1", .name = "train"};
    command.env = {{"ROUND_ID", "r1"}};
    return command;
  }
  RunReport seal(RunReport report) {
    sealer()->seal(task(), task().env, report);
    return report;
  }
  static RunReport ran() {
    RunReport report{.results = std::string{secret}};
    report.details = {.stdout_text = std::string{secret}, .stderr_text = "w = 0.1234567", .exit_code = 0};
    report.details.module_digest = "sha256:aa";
    return report;
  }
  void expect_unproven(std::string_view says) {
    const auto report = seal(ran());
    ASSERT_TRUE(report.error);
    EXPECT_EQ(report.error->code, ErrorCode{WorkerError::aggregator_not_proven});
    EXPECT_THAT(report.error->message, HasSubstr(std::string{says}));
    EXPECT_FALSE(report.sealed);
    EXPECT_THAT(report.results + report.details.stdout_text + report.details.stderr_text, IsEmpty());
    EXPECT_THAT(update_ + by_mqtt_, IsEmpty()) << "nothing goes out";
  }

  FixedClock clock_{now};
  std::mutex mutex_;
  TokenIssuer broker_{now};
  PrivateKey key_ = *PrivateKey::generate(KeyKind::ec_p256);
  std::optional<PrivateKey> held_key_;
  std::int8_t hardware_ = 2;
  std::string proof_over_, model_ = R"({"w":[0.5],"version":4})";
  int attestation_status_ = 200, update_status_ = 200;
  std::string update_, by_mqtt_;
  std::optional<TokenTrustOptions> trust_;
  std::shared_ptr<const keyclient::AttestedToken> own_;
  std::unique_ptr<net::HttpServer> server_;
  std::string url_;
};

TEST_F(UpdateSealerTest, an_update_reaches_a_proven_aggregator_sealed_and_signed) {
  const auto own_key = std::make_shared<const PrivateKey>(*PrivateKey::generate(KeyKind::ec_p256));
  own_ = std::make_shared<const keyclient::AttestedToken>(
      keyclient::AttestedToken{.token = "own token", .tee_key = own_key, .expires = now, .tee = "snp"});
  const auto report = seal(ran());
  ASSERT_FALSE(report.error) << to_string(*report.error);
  ASSERT_TRUE(report.sealed);
  EXPECT_EQ(report.results, update_);
  EXPECT_THAT(report.results, Not(HasSubstr("1234567")));
  EXPECT_THAT(report.details.stdout_text + report.details.stderr_text, IsEmpty());
  const auto opened = open_update(*report.sealed, key_);
  ASSERT_TRUE(opened) << to_string(opened.error());
  EXPECT_EQ(opened->token, "own token");
  EXPECT_TRUE(
      check_update(opened->signature, opened->document, {.proplet_id = "w1", .round_id = "r1"}, own_key->public_key()));
  const auto update = *parse_round_update(opened->document);
  EXPECT_EQ(as_text(update.content), secret);
  EXPECT_EQ(update.format, "json");
  EXPECT_EQ(update.num_samples, std::nullopt) << "the guest says it";
  EXPECT_EQ(update.module_digest, "sha256:aa");
}

TEST_F(UpdateSealerTest, numbers_that_are_no_document_are_a_difference_of_one_sample) {
  auto report = ran();
  report.results = std::string{"\0\0\0\x3F", 4};
  report = seal(std::move(report));
  ASSERT_TRUE(report.sealed);
  const auto update = *parse_round_update(open_update(*report.sealed, key_)->document);
  EXPECT_EQ(update.format, "f32-delta");
  EXPECT_EQ(update.num_samples, 1U);
  EXPECT_EQ(open_update(*report.sealed, key_)->signature, "") << "this worker has no TEE";
}

TEST_F(UpdateSealerTest, a_result_names_an_update_that_is_too_long_for_a_message) {
  auto report = ran();
  report.results = std::string(400'000, 'x');
  update_status_ = 502;
  EXPECT_GT(seal(report).sealed->jwe.size(), 512U << 10) << "it may yet come by MQTT";
  update_status_ = 200;
  report = seal(std::move(report));
  ASSERT_TRUE(report.sealed);
  EXPECT_EQ(report.sealed->jwe, "");
  EXPECT_LT(report.results.size(), 1000U);
  const auto sent = *read_sealed_update(*parse_update_object(update_));
  EXPECT_EQ(report.sealed->digest, digest_of(sent));
}

TEST_F(UpdateSealerTest, an_old_proof_is_none) {
  proof_over_ = "q83vASNFZ4mrze8BI0VniQ";
  expect_unproven("fleet.bad_proof");
}

TEST_F(UpdateSealerTest, a_token_without_its_key_is_no_proof) {
  held_key_ = PrivateKey::generate(KeyKind::ec_p256).value();
  expect_unproven("fleet.bad_proof");
}

TEST_F(UpdateSealerTest, a_token_of_another_broker_or_of_bad_evidence_is_no_proof) {
  hardware_ = 97;
  expect_unproven("fleet.not_affirming");
  hardware_ = 2;
  broker_ = TokenIssuer{now};
  expect_unproven("fleet.not_attested");
}

TEST_F(UpdateSealerTest, no_answer_is_no_proof) {
  attestation_status_ = 503;
  expect_unproven("HTTP 503");
  server_->stop();
  expect_unproven("net.");
  url_.clear();
  expect_unproven("COORDINATOR_URL");
}

TEST_F(UpdateSealerTest, who_believes_no_broker_believes_no_aggregator) {
  trust_.reset();
  expect_unproven("PROPLET_AGGREGATOR_TRUST");
}

TEST_F(UpdateSealerTest, a_model_is_the_aggregators_own) {
  UpdateSealer::Environment environment{{"ROUND_ID", "r1"}};
  EXPECT_TRUE(sealer()->check_model(environment)) << "a round without a model";
  environment["MODEL_URI"] = "fl/models/global_model_v4";
  const auto none = sealer()->check_model(environment);
  ASSERT_FALSE(none);
  EXPECT_THAT(none.error().message, HasSubstr("cannot be had"));
  environment["MODEL_DATA"] = model_;
  EXPECT_TRUE(sealer()->check_model(environment));
  environment["MODEL_DATA"] = R"({"w":[1e9],"version":4})";
  const auto changed = sealer()->check_model(environment);
  ASSERT_FALSE(changed);
  EXPECT_EQ(changed.error().code, ErrorCode{WorkerError::aggregator_not_proven});
  EXPECT_THAT(changed.error().message, HasSubstr("fleet.bad_proof: the aggregator's model 4"));
  environment.erase("MODEL_URI");
  EXPECT_FALSE(sealer()->check_model(environment)) << "a model that only the task knows";
}

TEST_F(UpdateSealerTest, the_aggregators_refusal_is_the_tasks) {
  update_status_ = 409;
  const auto report = seal(ran());
  ASSERT_TRUE(report.error);
  EXPECT_EQ(report.error->code, ErrorCode{WorkerError::update_refused});
  EXPECT_THAT(report.error->message, HasSubstr("aggregator.x: why"));
  EXPECT_FALSE(report.sealed);
  EXPECT_THAT(by_mqtt_, IsEmpty());
}

TEST_F(UpdateSealerTest, an_aggregator_that_fails_meanwhile_gets_the_sealed_update_by_mqtt) {
  update_status_ = 502;
  const auto report = seal(ran());
  EXPECT_FALSE(report.error);
  ASSERT_TRUE(report.sealed);
  EXPECT_EQ(by_mqtt_, report.results);
}

TEST_F(UpdateSealerTest, of_a_run_that_failed_no_words_remain) {
  auto report = ran();
  report.error = Error{WorkerError::exit_code, "the module ended with exit code 3: w = 0.1234567"};
  report.details.exit_code = 3;
  report = seal(std::move(report));
  EXPECT_EQ(report.error->code, ErrorCode{WorkerError::exit_code});
  EXPECT_THAT(report.error->message, Not(HasSubstr("1234567")));
  EXPECT_THAT(report.results + report.details.stdout_text + report.details.stderr_text, IsEmpty());
  EXPECT_THAT(update_, IsEmpty());
}

TEST_F(UpdateSealerTest, applies_to_rounds_by_the_workers_setting_or_the_tasks) {
  auto plain = task();
  plain.env.clear();
  EXPECT_TRUE(sealer()->applies_to(task()));
  EXPECT_FALSE(sealer()->applies_to(plain));
  trust_.reset();
  EXPECT_FALSE(sealer()->applies_to(task()));
  auto asks = task();
  for (const auto& [value, expected] :
       std::map<std::string, bool>{{"true", true}, {"yes", true}, {"", false}, {"0", false}, {"false", false}}) {
    asks.env["FL_UPDATE_SEALED"] = value;
    EXPECT_EQ(sealer()->applies_to(asks), expected) << value;
  }
}

TEST_F(UpdateSealerTest, tasks_that_show_their_update_otherwise_are_refused) {
  auto lasting = task();
  EXPECT_TRUE(sealer()->check(lasting, false));
  EXPECT_EQ(sealer()->check(lasting, true).error().code, ErrorCode{WorkerError::unsupported});
  lasting.daemon = true;
  EXPECT_FALSE(sealer()->check(lasting, false));
  lasting.daemon = false;
  lasting.latent = true;
  EXPECT_FALSE(sealer()->check(lasting, false));
}

}  // namespace
}  // namespace coffer::fleet::worker
