#include "fleet/worker/trust/attestation_keeper.h"

#include <gtest/gtest.h>

#include "keyclient/fake_broker_testing.h"

namespace coffer::fleet::worker {
namespace {

class AttestationKeeperTest : public ::testing::Test {
 protected:
  void start() {
    config_.tee = {.test_tee = "sample", .kbs_uri = broker_.url()};
    tee_ = *TeeAccess::open(config_);
    keeper_ = std::make_unique<AttestationKeeper>(
        *tee_, "me",
        AttestationKeeper::Observers{.changed = [this] { note(changes_); },
                                     .attempted =
                                         [this](const AttestationKeeper::Attempt& attempt) {
                                           outcome_ = attempt.outcome;
                                           expires_ = attempt.expires;
                                           note(attempts_);
                                         }});
    keeper_->start();
  }
  void note(int& count) {
    const std::lock_guard lock(mutex_);
    ++count;
    noted_.notify_all();
  }
  void wait_for(const int& count, int wanted) {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(noted_.wait_for(lock, std::chrono::seconds{20}, [&] { return count >= wanted; }));
  }

  keyclient::FakeBroker broker_;
  Config config_;
  std::mutex mutex_;
  std::condition_variable noted_;
  int changes_ = 0, attempts_ = 0;
  std::string outcome_;
  std::optional<TimePoint> expires_;
  std::unique_ptr<TeeAccess> tee_;
  std::unique_ptr<AttestationKeeper> keeper_;
};

TEST_F(AttestationKeeperTest, shows_a_token_and_proves_that_its_key_is_here) {
  start();
  wait_for(changes_, 1);
  const auto now = system_clock().now();
  const auto shown = keeper_->current(now);
  ASSERT_TRUE(shown);
  const auto token = *(*tee_->keys(""))->tokens->token();
  EXPECT_EQ(shown->token, token->token);
  EXPECT_EQ(shown->expires_at, token->expires);
  const auto proven = check_presence(shown->proof, "me", token->tee_key->public_key(), now, std::chrono::seconds{5});
  EXPECT_TRUE(proven) << to_string(proven.error());
  EXPECT_FALSE(check_presence(shown->proof, "another", token->tee_key->public_key(), now, std::chrono::seconds{5}));
  EXPECT_EQ(broker_.requests("attest"), 1U);
  EXPECT_EQ(outcome_, "ok");
  EXPECT_EQ(expires_, token->expires);
}

TEST_F(AttestationKeeperTest, signs_results_by_the_same_key) {
  start();
  wait_for(changes_, 1);
  const auto token = *(*tee_->keys(""))->tokens->token();
  const auto statement = read_result_statement(keeper_->sign({.task_id = "t",
                                                              .proplet_id = "me",
                                                              .module_digest = digest_of_text("m"),
                                                              .inputs_digest = digest_of_text("i"),
                                                              .result_digest = digest_of_text("r")}),
                                               token->tee_key->public_key());
  ASSERT_TRUE(statement) << to_string(statement.error());
  EXPECT_EQ(statement->task_id, "t");
  EXPECT_EQ(statement->token_digest, digest_of_text(token->token));
}

TEST_F(AttestationKeeperTest, shows_nothing_that_has_expired) {
  start();
  wait_for(changes_, 1);
  EXPECT_FALSE(keeper_->current(system_clock().now() + std::chrono::hours{24}));
}

TEST_F(AttestationKeeperTest, tries_again_where_the_broker_refuses) {
  broker_.script("auth", 503, "{}");
  start();
  wait_for(attempts_, 1);
  EXPECT_FALSE(keeper_->current(system_clock().now()));
  EXPECT_EQ(keeper_->sign({}), "");
  EXPECT_NE(outcome_, "ok");
  EXPECT_EQ(changes_, 0);
}

TEST_F(AttestationKeeperTest, ends_in_the_middle_of_a_pause) {
  broker_.script("auth", 503, "{}");
  start();
  wait_for(attempts_, 1);
  const auto begun = std::chrono::steady_clock::now();
  keeper_.reset();
  EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds{15});
}

TEST_F(AttestationKeeperTest, asks_nobody_where_encrypted_work_is_refused) {
  tee_ = *TeeAccess::open({.tee = {.enabled = false}});
  AttestationKeeper keeper(*tee_, "me", {});
  keeper.start();
  EXPECT_FALSE(keeper.current(system_clock().now()));
  EXPECT_EQ(broker_.requests("auth"), 0U);
}

}  // namespace
}  // namespace coffer::fleet::worker
