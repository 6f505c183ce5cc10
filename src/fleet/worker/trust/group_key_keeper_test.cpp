#include "fleet/worker/trust/group_key_keeper.h"

#include <gtest/gtest.h>

#include <atomic>
#include <deque>

#include "fleet/sealed/sealed_testing.h"
#include "fleet/worker/trust/sealed_link.h"
#include "keyclient/error.h"

namespace coffer::fleet::worker {
namespace {

using namespace std::chrono_literals;
using keyclient::KeyClientError;
using sealed::testing::key_one;
using sealed::testing::key_two;
using sealed::testing::keys_with;
using Attempt = GroupKeyKeeper::Attempt;

// A key broker by its answers: the last one is given again and again.
class Answers {
 public:
  void give(std::initializer_list<std::string_view> keys, TimePoint expires = system_clock().now() + 1h) {
    push([document = to_text(keys_with(keys).document().expose()), expires]() -> Result<GroupKeyKeeper::Fetched> {
      return GroupKeyKeeper::Fetched{SecretBytes::copy_of(std::string_view{document}), expires};
    });
  }
  void refuse(KeyClientError code) {
    push([code]() -> Result<GroupKeyKeeper::Fetched> { return fail(code, "no"); });
  }
  void garble() {
    push([]() -> Result<GroupKeyKeeper::Fetched> {
      return GroupKeyKeeper::Fetched{SecretBytes::copy_of(std::string_view{"{}"}), system_clock().now() + 1h};
    });
  }
  Result<GroupKeyKeeper::Fetched> next() {
    const std::lock_guard lock(mutex_);
    const auto answer = answers_.front();
    if (answers_.size() > 1) answers_.pop_front();
    return answer();
  }

  void clear() {
    answers_.clear();
    outcomes_.clear();
  }

  void attempted(const Attempt& attempt) {
    const std::lock_guard lock(mutex_);
    outcomes_.emplace_back(attempt.outcome, attempt.has_keys, attempt.first);
    changed_.notify_all();
  }
  // Of the attempt of this number, once it was made.
  std::tuple<std::string, bool, bool> outcome(std::size_t number) {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(changed_.wait_for(lock, 20s, [&] { return outcomes_.size() > number; }));
    return outcomes_.at(number);
  }

 private:
  void push(std::function<Result<GroupKeyKeeper::Fetched>()> answer) {
    const std::lock_guard lock(mutex_);
    answers_.push_back(std::move(answer));
  }
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<Result<GroupKeyKeeper::Fetched>()>> answers_;
  std::vector<std::tuple<std::string, bool, bool>> outcomes_;
};

using Outcome = std::tuple<std::string, bool, bool>;

// One that another thread may read while it is moved.
class SharedClock final : public Clock {
 public:
  TimePoint now() const override { return TimePoint{Duration{now_.load()}}; }
  void advance(Duration by) { now_ += by.count(); }

 private:
  std::atomic<Duration::rep> now_ = system_clock().now().time_since_epoch().count();
};

class GroupKeyKeeperTest : public ::testing::Test {
 protected:
  void start(Duration refresh = 1h) {
    keeper_ = std::make_unique<GroupKeyKeeper>(
        refresh, GroupKeyKeeper::Parts{.fetch = [this] { return answers_.next(); },
                                       .channel = channel_,
                                       .attempted = [this](const Attempt& attempt) { answers_.attempted(attempt); },
                                       .clock = clock_,
                                       .first_pause = 1ms,
                                       .least_pause = 1ms});
    keeper_->start();
  }
  Answers answers_;
  SharedClock clock_;
  sealed::SealedChannel channel_{{.own_id = "worker"}};
  std::unique_ptr<GroupKeyKeeper> keeper_;
};

TEST_F(GroupKeyKeeperTest, asks_until_the_broker_gives_the_keys) {
  answers_.refuse(KeyClientError::unreachable);
  answers_.refuse(KeyClientError::evidence_rejected);
  answers_.give({key_one});
  start();
  EXPECT_EQ(answers_.outcome(0), Outcome("keyclient.unreachable", false, false));
  EXPECT_EQ(answers_.outcome(1), Outcome("keyclient.evidence_rejected", false, false));
  EXPECT_EQ(answers_.outcome(2), Outcome("ok", true, true));
  EXPECT_TRUE(channel_.ready());
}

TEST_F(GroupKeyKeeperTest, forgets_the_keys_when_the_broker_refuses) {
  for (const auto code : {KeyClientError::policy_denied, KeyClientError::not_found, KeyClientError::unauthorized,
                          KeyClientError::evidence_rejected, KeyClientError::tee_refused}) {
    answers_.give({key_one});
    answers_.refuse(code);
    start(1ms);
    EXPECT_EQ(answers_.outcome(1), Outcome(ErrorCode{code}.name(), false, false));
    EXPECT_FALSE(channel_.ready());
    keeper_.reset();
    answers_.clear();
  }
}

TEST_F(GroupKeyKeeperTest, keeps_them_through_an_outage_but_no_longer_than_the_attestation_holds) {
  answers_.give({key_one}, clock_.now() + 1h);
  answers_.refuse(KeyClientError::unreachable);
  start(1ms);
  std::size_t number = 1;
  for (; number < 4; ++number) {
    EXPECT_EQ(answers_.outcome(number), Outcome("keyclient.unreachable", true, false));
  }
  clock_.advance(1h);
  while (std::get<1>(answers_.outcome(number))) ++number;
  EXPECT_EQ(answers_.outcome(number + 1), Outcome("keyclient.unreachable", false, false));
  EXPECT_FALSE(channel_.ready());
}

TEST_F(GroupKeyKeeperTest, takes_a_list_that_is_none_for_an_outage) {
  answers_.give({key_one});
  answers_.garble();
  start(1ms);
  EXPECT_EQ(answers_.outcome(1), Outcome("sealed.bad_key_list", true, false));
  EXPECT_TRUE(channel_.ready());
}

TEST_F(GroupKeyKeeperTest, asks_anew_when_it_is_told_of_another_key) {
  answers_.give({key_one});
  answers_.give({key_two, key_one});
  start();
  EXPECT_EQ(answers_.outcome(0), Outcome("ok", true, true));
  EXPECT_FALSE(channel_.has_key("two"));
  keeper_->ask_soon();
  EXPECT_EQ(answers_.outcome(1), Outcome("ok", true, false));
  EXPECT_TRUE(channel_.has_key("two"));
}

TEST_F(GroupKeyKeeperTest, asks_ever_more_seldom_while_that_brings_nothing_new) {
  answers_.give({key_one});
  start();
  answers_.outcome(0);
  const auto begin = std::chrono::steady_clock::now();
  for (std::size_t number = 1; number <= 8; ++number) {
    keeper_->ask_soon();
    EXPECT_EQ(answers_.outcome(number), Outcome("ok", true, false));
  }
  EXPECT_GE(std::chrono::steady_clock::now() - begin, 200ms);  // 1 + 2 + 4 ... + 128, less what passed in between
}

class SealedLinkTest : public ::testing::Test {
 protected:
  void start() {
    link_ = std::make_unique<SealedLink>(
        SealedLink::Parts{.own_id = "worker",
                          .refresh = 1h,
                          .max_age = 60s,
                          .fetch = [this] { return answers_.next(); },
                          .deliver =
                              [this](std::string_view topic, std::string_view payload) {
                                const std::lock_guard lock(mutex_);
                                delivered_.push_back(std::string{topic} + " " + std::string{payload});
                                changed_.notify_all();
                              },
                          .attempted = [this](const Attempt& attempt) { answers_.attempted(attempt); },
                          .refused =
                              [this](std::string_view code) {
                                const std::lock_guard lock(mutex_);
                                refused_.emplace_back(code);
                                changed_.notify_all();
                              },
                          .least_pause = 1ms});
    link_->start();
    manager_.set_keys(keys_with({key_two, key_one}));
  }
  std::string seal(std::string_view payload) { return manager_.seal("t", payload).value(); }
  void wait_for(const std::vector<std::string>& list, std::size_t size) {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(changed_.wait_for(lock, 20s, [&] { return list.size() >= size; }));
  }

  Answers answers_;
  sealed::SealedChannel manager_{{.own_id = "manager"}};
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> delivered_, refused_;
  std::unique_ptr<SealedLink> link_;
};

TEST_F(SealedLinkTest, holds_what_comes_under_a_new_key_until_it_has_that) {
  answers_.give({key_one});
  answers_.refuse(KeyClientError::unreachable);
  answers_.give({key_two, key_one});
  start();
  answers_.outcome(0);
  EXPECT_FALSE(link_->open("t", seal("first")));
  wait_for(delivered_, 1);
  EXPECT_EQ(delivered_, std::vector<std::string>{"t first"});
  EXPECT_TRUE(refused_.empty());
  EXPECT_EQ(link_->open("t", seal("second")), "second");
}

TEST_F(SealedLinkTest, refuses_what_is_under_a_key_that_the_broker_does_not_list) {
  answers_.give({key_one});
  start();
  answers_.outcome(0);
  EXPECT_FALSE(link_->open("t", seal("foreign")));
  wait_for(refused_, 1);
  EXPECT_EQ(refused_, std::vector<std::string>{"sealed.unknown_key"});
  EXPECT_FALSE(link_->open("t", "plain"));
  EXPECT_EQ(refused_.back(), "sealed.not_sealed");
  EXPECT_TRUE(delivered_.empty());
}

TEST_F(SealedLinkTest, says_and_takes_nothing_before_it_has_a_key) {
  answers_.refuse(KeyClientError::policy_denied);
  start();
  answers_.outcome(0);
  EXPECT_FALSE(link_->ready());
  EXPECT_EQ(link_->seal("t", "x").error().code, sealed::SealedError::no_key);
  EXPECT_FALSE(link_->open("t", seal("start")));
  EXPECT_EQ(refused_, std::vector<std::string>{"sealed.no_key"});
}

}  // namespace
}  // namespace coffer::fleet::worker
