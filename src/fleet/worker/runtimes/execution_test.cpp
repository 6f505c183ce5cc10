#include "fleet/worker/runtimes/execution.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "wasm/error.h"
#include "workload/error.h"

namespace coffer::fleet::worker {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Pair;
using wasm::ModuleKind;
using workload::ExecutionResult;

class ExecutionTest : public ::testing::Test {
 protected:
  workload::Execution execution() {
    return execution_of({task_, task_.inputs, env_}, {.function = "add"}, config_, "me");
  }
  RunReport report(const Result<ExecutionResult>& result, const FunctionChoice& choice,
                   ModuleKind kind = ModuleKind::core) {
    return report_of(result, choice, streams_, kind);
  }
  void write(CapturedOutput& stream, std::string_view text) { stream.sink()(as_bytes(text)); }

  StartCommand task_{.id = "t", .name = "add", .inputs = {"1"}};
  std::map<std::string, std::string> env_;
  TaskConfig config_{.memory = 1000, .wall_time = Duration{0}};
  Streams streams_{100};
};

TEST_F(ExecutionTest, the_smaller_of_the_workers_and_the_requests_limits_holds) {
  task_.memory_bytes = 2000;
  task_.fuel = 7;
  task_.timeout = std::chrono::seconds{3};
  EXPECT_EQ(execution().limits.memory, 1000U);
  EXPECT_EQ(execution().limits.fuel, 7U);
  EXPECT_EQ(execution().limits.wall_time, Duration{3000});
  task_.memory_bytes = 500;
  config_.fuel = 5;
  config_.wall_time = Duration{100};
  EXPECT_EQ(execution().limits.memory, 500U);
  EXPECT_EQ(execution().limits.fuel, 5U);
  EXPECT_EQ(execution().limits.wall_time, Duration{100});
}

TEST_F(ExecutionTest, the_environment_is_the_tasks_the_runs_and_ours_where_they_say_nothing) {
  task_.env = {{"A", "task"}, {"B", "task"}};
  env_ = {{"B", "run"}};
  task_.parent_results.set("parent", "x");
  const auto environment = execution().environment;
  EXPECT_THAT(environment, Contains(Pair("A", "task")));
  EXPECT_THAT(environment, Contains(Pair("B", "run")));
  EXPECT_THAT(environment, Contains(Pair("PROPLET_ID", "me")));
  EXPECT_THAT(environment, Contains(Pair("PARENT_RESULTS", R"({"parent":"x"})")));
  task_.env["PROPLET_ID"] = "said";
  EXPECT_THAT(execution().environment, Contains(Pair("PROPLET_ID", "said")));
}

TEST_F(ExecutionTest, folders_are_opened_under_their_own_names) {
  config_.directories = {"/data"};
  ASSERT_EQ(execution().directories.size(), 1U);
  EXPECT_EQ(execution().directories[0].guest_path, "/data");
  EXPECT_FALSE(execution().directories[0].read_only);
}

TEST_F(ExecutionTest, a_functions_first_value_is_its_result_and_all_of_them_where_invoke_asked) {
  const ExecutionResult values{.values = {"1", "2"}};
  EXPECT_EQ(report(values, {.function = "f"}).results, "1");
  EXPECT_EQ(report(values, {.function = "f", .by_argument = true}).results, "1\n2\n");
  EXPECT_EQ(report(ExecutionResult{}, {.function = "f"}).results, "");
}

TEST_F(ExecutionTest, a_commands_output_is_its_result_and_a_components_errors_as_well) {
  write(streams_.output, "out\n");
  write(streams_.error, "err\n");
  EXPECT_EQ(report(ExecutionResult{}, {}).results, "out\n");
  EXPECT_EQ(report(ExecutionResult{}, {}, ModuleKind::component).results, "out\n\nerr\n");
  EXPECT_EQ(report(ExecutionResult{}, {}).details.stderr_text, "err\n");
}

TEST_F(ExecutionTest, a_code_that_is_not_zero_is_an_error_and_zero_by_proc_exit_is_none) {
  write(streams_.error, "why");
  EXPECT_FALSE(report(ExecutionResult{.exit_code = 0}, {}).error);
  const auto failed = report(ExecutionResult{.exit_code = 3}, {});
  EXPECT_EQ(failed.error->code, WorkerError::exit_code);
  EXPECT_THAT(failed.error->message, ::testing::AllOf(HasSubstr("3"), HasSubstr("why")));
  EXPECT_EQ(failed.details.exit_code, 3);
}

TEST_F(ExecutionTest, both_runtimes_cancellations_are_told_alike_and_other_errors_as_they_are) {
  EXPECT_EQ(report(fail(wasm::WasmError::cancelled, ""), {}).error->code, WorkerError::stopped);
  EXPECT_EQ(report(fail(workload::WorkloadError::cancelled, ""), {}).error->code, WorkerError::stopped);
  EXPECT_EQ(report(fail(wasm::WasmError::trap, ""), {}).error->code, wasm::WasmError::trap);
}

TEST_F(ExecutionTest, output_over_the_bound_is_counted_and_not_kept) {
  CapturedOutput output(4);
  EXPECT_TRUE(output.sink()(as_bytes("abc")));
  EXPECT_TRUE(output.sink()(as_bytes("defg")));
  EXPECT_EQ(output.text(), "abcd\n[3 more bytes were written and are not kept]\n");
}

}  // namespace
}  // namespace coffer::fleet::worker
