#include "fleet/manager/inbox.h"

#include <gtest/gtest.h>

#include <chrono>
#include <semaphore>

#include "fleet/manager/error.h"

namespace coffer::fleet::manager {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::size_t plenty = 1U << 20;

TEST(Inbox, messages_come_in_their_order) {
  std::vector<std::string> taken;
  std::counting_semaphore<> done{0};
  Inbox inbox(1, plenty, plenty, [&](Topic, std::string_view payload, auto) -> Result<> {
    taken.emplace_back(payload);
    done.release();
    return {};
  });
  for (const auto* text : {"a", "b", "c"}) EXPECT_TRUE(inbox.push(Topic::results, text));
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(done.try_acquire_for(seconds{10}));
  inbox.stop();
  EXPECT_EQ(taken, (std::vector<std::string>{"a", "b", "c"}));
}

TEST(Inbox, a_message_that_cannot_be_taken_now_is_given_again_before_the_next) {
  std::vector<std::string> given;
  std::counting_semaphore<> done{0};
  Inbox inbox(
      1, plenty, plenty,
      [&](Topic, std::string_view payload, auto) -> Result<> {
        given.emplace_back(payload);
        if (given.size() < 3) return fail(ManagerError::internal, "the database is away");
        done.release();
        return {};
      },
      milliseconds{1});
  inbox.push(Topic::results, "a");
  inbox.push(Topic::results, "b");
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(done.try_acquire_for(seconds{10}));
  inbox.stop();
  EXPECT_EQ(given, (std::vector<std::string>{"a", "a", "a", "b"}));
}

TEST(Inbox, stops_while_a_message_waits_for_its_turn) {
  std::counting_semaphore<> given{0};
  Inbox inbox(
      1, plenty, plenty,
      [&](Topic, std::string_view, auto) -> Result<> {
        given.release();
        return fail(ManagerError::internal, "never");
      },
      std::chrono::hours{1});
  inbox.push(Topic::results, "a");
  ASSERT_TRUE(given.try_acquire_for(seconds{10}));
  inbox.stop();
  EXPECT_FALSE(given.try_acquire());
}

TEST(Inbox, a_receipt_is_let_go_when_its_message_was_taken) {
  const auto receipt = std::make_shared<int>();
  std::counting_semaphore<> given{0};
  {
    Inbox inbox(
        1, plenty, plenty,
        [&](Topic, std::string_view payload, auto) -> Result<> {
          given.release();
          if (payload == "never") return fail(ManagerError::internal, "the database is away");
          return {};
        },
        std::chrono::hours{1});
    inbox.push(Topic::results, "now", receipt);
    inbox.push(Topic::results, "never", receipt);
    for (int i = 0; i < 2; ++i) ASSERT_TRUE(given.try_acquire_for(seconds{10}));
    inbox.stop();
    EXPECT_EQ(receipt.use_count(), 2);  // who stops has not taken it
  }
  EXPECT_EQ(receipt.use_count(), 1);
}

TEST(Inbox, an_exception_costs_its_own_message_alone) {
  std::counting_semaphore<> done{0};
  Inbox inbox(1, plenty, plenty, [&](Topic, std::string_view payload, auto) -> Result<> {
    if (payload == "bad") throw std::runtime_error("no");
    done.release();
    return {};
  });
  inbox.push(Topic::results, "bad");
  inbox.push(Topic::results, "good");
  EXPECT_TRUE(done.try_acquire_for(seconds{10}));
}

TEST(Inbox, is_bounded_in_messages_and_in_bytes) {
  // Without a thread nothing is taken.
  Inbox few(0, 2, plenty, {});
  EXPECT_TRUE(few.push(Topic::results, "a"));
  EXPECT_TRUE(few.push(Topic::results, "b"));
  EXPECT_FALSE(few.push(Topic::results, "c"));
  Inbox small(0, plenty, 10, {});
  EXPECT_TRUE(small.push(Topic::results, "12345678"));
  EXPECT_FALSE(small.push(Topic::results, "123"));
}

}  // namespace
}  // namespace coffer::fleet::manager
