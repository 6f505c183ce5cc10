#include "storage/detail/group_commit.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <latch>
#include <new>
#include <thread>

#include "storage/key_value_store.h"

namespace coffer::storage::detail {
namespace {

// Counts, and fails where it is told to. Its members need no lock: GroupCommit lets one thread in at a time, which the
// thread sanitizer checks here.
class CountingTransactions final : public Transactions {
 public:
  Result<> begin() override {
    EXPECT_FALSE(open) << "a transaction within a transaction";
    ++begun;
    if (begin_fails) return fail(StorageError::unavailable, "locked");
    open = true;
    return {};
  }
  Result<> commit() override {
    EXPECT_TRUE(open);
    if (before_commit) before_commit();
    if (commit_fails) return fail(StorageError::unavailable, "the disk is full");
    open = false;
    ++committed;
    return {};
  }
  void roll_back() noexcept override {
    open = false;
    ++rolled_back;
  }

  std::function<void()> before_commit;
  bool begin_fails = false;
  bool commit_fails = false;
  bool open = false;
  int begun = 0;
  int committed = 0;
  int rolled_back = 0;
};

class GroupCommitTest : public testing::Test {
 protected:
  // A transaction of one write that is under way until release().
  void occupy() {
    std::latch entered{1};
    first_ = std::jthread([&] {
      const auto done = group_.run([&]() -> Result<std::size_t> {
        entered.count_down();
        release_.wait();
        return 1U;
      });
      EXPECT_EQ(done.value_or(0), 1U);
    });
    entered.wait();
  }

  // Ends it once `others` wait behind it: they will be one transaction.
  void release(std::size_t others) {
    while (group_.waiting() < others) std::this_thread::yield();
    release_.count_down();
  }

  // The results of these writes as one transaction, in their order.
  std::vector<Result<std::size_t>> together(const std::vector<GroupCommit::Write>& writes) {
    std::vector<Result<std::size_t>> results(writes.size());
    occupy();
    {
      std::vector<std::jthread> threads;
      for (std::size_t i = 0; i < writes.size(); ++i) {
        threads.emplace_back([&, i] {
          results[i] = group_.run(writes[i]);
          ++returned_;
        });
        while (group_.waiting() < i + 1) std::this_thread::yield();
      }
      release(writes.size());
    }
    first_.join();
    return results;
  }

  void expect_all_fail(const std::vector<Result<std::size_t>>& results, std::string_view message) const {
    for (const auto& result : results) {
      ASSERT_FALSE(result);
      EXPECT_EQ(result.error().code, StorageError::unavailable);
      EXPECT_NE(result.error().message.find(message), std::string::npos) << result.error().message;
    }
    EXPECT_EQ(transactions_.rolled_back, 1);
    EXPECT_EQ(transactions_.committed, 1) << "the first one, which they waited for";
  }

  void expect_usable() {
    EXPECT_EQ(group_.run(change(7)).value_or(0), 7U);
    EXPECT_FALSE(transactions_.open);
  }

  static GroupCommit::Write change(std::size_t rows) {
    return [rows]() -> Result<std::size_t> { return rows; };
  }

  CountingTransactions transactions_;
  GroupCommit group_{transactions_};
  std::latch release_{1};
  std::atomic<int> returned_ = 0;
  std::jthread first_;
};

TEST_F(GroupCommitTest, one_write_is_one_transaction) {
  EXPECT_EQ(group_.run(change(3)).value_or(0), 3U);
  EXPECT_EQ(group_.run(change(0)).value_or(9), 0U);
  EXPECT_EQ(transactions_.begun, 2);
  EXPECT_EQ(transactions_.committed, 2);
}

TEST_F(GroupCommitTest, writes_that_came_meanwhile_share_the_next_transaction_in_their_order) {
  std::vector<int> order;
  std::vector<GroupCommit::Write> writes;
  for (int i = 0; i < 12; ++i) {
    writes.emplace_back([&order, i]() -> Result<std::size_t> {
      order.push_back(i);
      return static_cast<std::size_t>(i);
    });
  }
  const auto results = together(writes);
  EXPECT_EQ(transactions_.begun, 2);
  EXPECT_EQ(transactions_.committed, 2);
  for (int i = 0; i < 12; ++i) {
    EXPECT_EQ(order[static_cast<std::size_t>(i)], i);
    EXPECT_EQ(results[static_cast<std::size_t>(i)].value_or(99), static_cast<std::size_t>(i));
  }
}

TEST_F(GroupCommitTest, nobody_returns_before_the_commit_of_his_write) {
  int returned_early = 0;
  transactions_.before_commit = [&] {
    std::this_thread::sleep_for(std::chrono::milliseconds{20});
    returned_early += returned_;
  };
  for (const auto& result : together(std::vector<GroupCommit::Write>(8, change(1)))) EXPECT_TRUE(result);
  EXPECT_EQ(returned_early, 0);
  EXPECT_EQ(returned_, 8);
}

TEST_F(GroupCommitTest, a_failing_write_fails_all_of_its_transaction) {
  const GroupCommit::Write failing = [] { return fail(StorageError::unavailable, "this row cannot be written"); };
  expect_all_fail(together({change(1), failing, change(1), change(1)}), "this row cannot be written");
  expect_usable();
}

TEST_F(GroupCommitTest, a_throwing_write_fails_all_of_its_transaction) {
  const GroupCommit::Write throwing = []() -> Result<std::size_t> { throw std::bad_alloc{}; };
  expect_all_fail(together({change(1), throwing, change(1)}), "exception");
  expect_usable();
}

TEST_F(GroupCommitTest, a_failing_commit_fails_all_of_its_transaction) {
  const GroupCommit::Write breaking = [this]() -> Result<std::size_t> {
    transactions_.commit_fails = true;
    return 1U;
  };
  expect_all_fail(together({change(1), change(1), breaking}), "the disk is full");
  transactions_.commit_fails = false;
  expect_usable();
}

TEST_F(GroupCommitTest, where_no_transaction_can_begin_nothing_is_written) {
  transactions_.begin_fails = true;
  bool written = false;
  const auto result = group_.run([&]() -> Result<std::size_t> {
    written = true;
    return 1U;
  });
  EXPECT_FALSE(result);
  EXPECT_FALSE(written);
  transactions_.begin_fails = false;
  expect_usable();
}

// Odd writes fail, and so does whoever shares a transaction with one; what succeeded was committed, each thread's in
// its order, and nobody hangs.
TEST_F(GroupCommitTest, many_threads_all_get_their_own_answer) {
  constexpr std::size_t threads = 16;
  constexpr std::size_t each = 300;
  std::vector<std::vector<std::size_t>> tried(threads);
  {
    std::vector<std::jthread> running;
    for (std::size_t thread = 0; thread < threads; ++thread) {
      running.emplace_back([&, thread] {
        for (std::size_t i = 0; i < each; ++i) {
          const bool fails = thread == 0 && i % 10 == 0;
          const auto done = group_.run([&]() -> Result<std::size_t> {
            tried[thread].push_back(i);
            if (fails) return fail(StorageError::unavailable, "no");
            return i;
          });
          EXPECT_FALSE(fails && done);
          if (done) EXPECT_EQ(*done, i);
        }
      });
    }
  }
  EXPECT_GE(transactions_.rolled_back, 30);
  EXPECT_EQ(transactions_.committed + transactions_.rolled_back, transactions_.begun);
  for (const auto& numbers : tried) EXPECT_TRUE(std::ranges::is_sorted(numbers));
  expect_usable();
}

}  // namespace
}  // namespace coffer::storage::detail
