#include "fleet/worker/outbox.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace coffer::fleet::worker {
namespace {

using std::chrono::steady_clock;
using ::testing::ElementsAre;

class OutboxTest : public ::testing::Test {
 protected:
  Result<> publish(const net::MqttMessage& message) {
    const std::lock_guard lock(mutex_);
    if (refusals_ > 0) {
      --refusals_;
      return fail(code_, "no");
    }
    sent_.push_back(message.topic);
    changed_.notify_all();
    return {};
  }
  std::vector<std::string> sent(std::size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, std::chrono::seconds{10}, [&] { return sent_.size() >= count; });
    return sent_;
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> sent_;
  int refusals_ = 0;
  net::NetError code_ = net::NetError::queue_full;
  Outbox outbox_{[this](const net::MqttMessage& message) { return publish(message); }, 2};
};

TEST_F(OutboxTest, sends_at_once_what_need_not_wait) {
  outbox_.send({.topic = "a"});
  outbox_.send({.topic = "b"}, steady_clock::now());
  EXPECT_THAT(sent(2), ElementsAre("a", "b"));
  EXPECT_EQ(outbox_.waiting(), 0U);
}

TEST_F(OutboxTest, holds_back_until_the_time_and_keeps_the_order_of_times) {
  const auto now = steady_clock::now();
  outbox_.send({.topic = "late"}, now + std::chrono::milliseconds{120});
  outbox_.send({.topic = "early"}, now + std::chrono::milliseconds{60});
  EXPECT_THAT(sent(2), ElementsAre("early", "late"));
  EXPECT_GE(steady_clock::now() - now, std::chrono::milliseconds{120});
}

TEST_F(OutboxTest, tries_again_while_the_queue_is_full) {
  refusals_ = 2;
  outbox_.send({.topic = "a"});
  EXPECT_THAT(sent(1), ElementsAre("a"));
}

TEST_F(OutboxTest, gives_up_what_can_never_be_sent_and_what_is_over_its_bound) {
  refusals_ = 1;
  code_ = net::NetError::bad_message;
  outbox_.send({.topic = "impossible"});
  EXPECT_EQ(outbox_.waiting(), 0U);
  for (const auto* topic : {"1", "2", "3"}) outbox_.send({.topic = topic}, steady_clock::now() + std::chrono::hours{1});
  EXPECT_EQ(outbox_.waiting(), 2U);
}

TEST_F(OutboxTest, flush_sends_what_waits) {
  outbox_.send({.topic = "later"}, steady_clock::now() + std::chrono::hours{1});
  outbox_.flush();
  EXPECT_THAT(sent(1), ElementsAre("later"));
}

}  // namespace
}  // namespace coffer::fleet::worker
