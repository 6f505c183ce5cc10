#include "workload/embedded_runtime.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "wasm/error.h"
#include "workload/error.h"
#include "workload/wasm_modules_testing.h"

namespace coffer::workload {
namespace {

using ::testing::ElementsAre;

class EmbeddedRuntime : public ::testing::Test {
 protected:
  Result<ExecutionResult> run(const Bytes& module, const Execution& execution) {
    const auto compiled = TRY(runtime_->compile(module, {.metered = execution.limits.fuel > 0}));
    return run_embedded(*runtime_, compiled, execution);
  }
  Error error_of(const Bytes& module, const Execution& execution) {
    const auto result = run(module, execution);
    EXPECT_FALSE(result);
    return result ? Error{WorkloadError::usage, ""} : result.error();
  }
  Result<wasm::Runtime> runtime_ = wasm::Runtime::create();
};

TEST_F(EmbeddedRuntime, gives_the_values_of_a_function) {
  const auto result = run(adder(), {.function = "add", .arguments = {"10", "20"}});
  ASSERT_TRUE(result) << to_string(result.error());
  EXPECT_THAT(result->values, ElementsAre("30"));
}

TEST_F(EmbeddedRuntime, gives_a_commands_output_and_code) {
  std::string printed;
  const auto result =
      run(printer("hello"), {.standard_output = [&](ByteView data) { return printed += as_text(data), true; }});
  ASSERT_TRUE(result) << to_string(result.error());
  EXPECT_EQ(printed, "hello");
  EXPECT_EQ(run(exiter(7), {})->exit_code, 7);
}

TEST_F(EmbeddedRuntime, a_guest_that_spins_is_stopped_on_request) {
  std::stop_source stop;
  std::jthread stopper([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds{50});
    stop.request_stop();
  });
  EXPECT_EQ(error_of(spinner(), {.stop = stop.get_token()}).code, wasm::WasmError::cancelled);
}

TEST_F(EmbeddedRuntime, a_run_that_was_stopped_before_it_began_ends_at_once) {
  std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ(error_of(spinner(), {.stop = stop.get_token()}).code, wasm::WasmError::cancelled);
}

TEST_F(EmbeddedRuntime, each_limit_holds) {
  EXPECT_EQ(error_of(spinner(), {.limits = {.wall_time = std::chrono::milliseconds{50}}}).code,
            wasm::WasmError::timeout);
  EXPECT_EQ(error_of(spinner(), {.limits = {.fuel = 10000}}).code, wasm::WasmError::out_of_fuel);
}

TEST_F(EmbeddedRuntime, runs_of_several_threads_do_not_stop_each_other) {
  std::stop_source stop;
  std::jthread spinning([&] { EXPECT_FALSE(run(spinner(), {.stop = stop.get_token()})); });
  EXPECT_THAT(run(adder(), {.function = "add", .arguments = {"1", "2"}})->values, ElementsAre("3"));
  stop.request_stop();
}

}  // namespace
}  // namespace coffer::workload
