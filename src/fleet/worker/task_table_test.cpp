#include "fleet/worker/task_table.h"

#include <gtest/gtest.h>

namespace coffer::fleet::worker {
namespace {

using Admission = TaskTable::Admission;

class TaskTableTest : public ::testing::Test {
 protected:
  Admission begin(const std::string& id, const std::string& run = {}) { return table_.begin(id, run, token_, now_); }

  TaskTable table_{Duration{500}};
  std::stop_token token_;
  TaskTable::Instant now_ = std::chrono::steady_clock::now();
};

TEST_F(TaskTableTest, a_task_that_runs_is_not_begun_again) {
  EXPECT_EQ(begin("a"), Admission::admitted);
  EXPECT_EQ(begin("a"), Admission::running);
  EXPECT_EQ(begin("b"), Admission::admitted);
  EXPECT_EQ(table_.running(), 2U);
}

TEST_F(TaskTableTest, an_id_is_remembered_briefly_because_a_schedule_uses_it_again) {
  begin("a");
  table_.end("a", "", "result", now_);
  EXPECT_EQ(begin("a"), Admission::ended);
  EXPECT_EQ(table_.last_result("a"), "result");
  now_ += Duration{500};
  EXPECT_EQ(begin("a"), Admission::admitted);
}

TEST_F(TaskTableTest, without_a_window_nothing_is_remembered) {
  TaskTable table{Duration{0}};
  table.begin("a", "", token_);
  table.end("a", "", "result");
  EXPECT_EQ(table.begin("a", "", token_), Admission::admitted);
  EXPECT_FALSE(table.last_result("a"));
}

TEST_F(TaskTableTest, a_run_is_remembered_for_long_and_another_run_of_the_task_is_begun) {
  begin("a", "1");
  table_.end("a", "1", "first", now_);
  now_ += std::chrono::minutes{10};
  EXPECT_EQ(begin("a", "1"), Admission::ended);
  EXPECT_EQ(table_.last_result("a"), "first");
  EXPECT_EQ(begin("a", "2"), Admission::admitted);
  EXPECT_EQ(begin("a", "1"), Admission::running);
  table_.end("a", "2", "second", now_);
  EXPECT_EQ(table_.last_result("a"), "second");
}

TEST_F(TaskTableTest, what_is_remembered_is_bounded) {
  const std::string large(1U << 20, 'x');
  for (int i = 0; i < 70; ++i) {
    begin("a" + std::to_string(i), "r");
    table_.end("a" + std::to_string(i), "r", large, now_);
  }
  EXPECT_EQ(begin("a0", "r"), Admission::admitted);
  EXPECT_EQ(begin("a69", "r"), Admission::ended);
}

TEST_F(TaskTableTest, stop_reaches_the_task_its_invocations_and_what_stands_ready) {
  begin("a");
  const auto invocation = table_.begin_invocation("a", "a-inv-1");
  const auto other = table_.begin_invocation("b", "b-inv-1");
  table_.make_ready(std::make_shared<const ReadyTask>(
      ReadyTask{.task = {.id = "a", .name = "add"}, .module = {}, .runtime = nullptr}));
  EXPECT_EQ(table_.running(), 3U);
  EXPECT_TRUE(table_.stop("a"));
  EXPECT_TRUE(token_.stop_requested());
  EXPECT_TRUE(invocation.stop_requested());
  EXPECT_FALSE(other.stop_requested());
  EXPECT_EQ(table_.ready("a"), nullptr);
  EXPECT_FALSE(table_.stop("unknown"));
}

TEST_F(TaskTableTest, an_invocation_that_has_ended_is_forgotten) {
  table_.begin_invocation("a", "1");
  table_.begin_invocation("a", "2");
  table_.end_invocation("a", "1");
  EXPECT_EQ(table_.running(), 1U);
  table_.end_invocation("a", "2");
  table_.end_invocation("a", "2");
  EXPECT_EQ(table_.running(), 0U);
}

TEST_F(TaskTableTest, stop_all_stops_all) {
  begin("a");
  const auto invocation = table_.begin_invocation("b", "1");
  table_.stop_all();
  EXPECT_TRUE(token_.stop_requested());
  EXPECT_TRUE(invocation.stop_requested());
}

}  // namespace
}  // namespace coffer::fleet::worker
