#include "workload/external_runtime.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <thread>

namespace coffer::workload {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
namespace fs = std::filesystem;

class ExternalRuntime : public testing::Test {
 protected:
  void SetUp() override {
    char pattern[] = "/tmp/coffer-runtime-XXXXXX";
    root_ = ::mkdtemp(pattern);
  }
  void TearDown() override { fs::remove_all(root_); }

  // A runtime that is a shell script.
  ExternalProgram script(std::string_view body) {
    const auto file = root_ / "runtime";
    std::ofstream(file) << "#!/bin/sh\n" << body << "\n";
    ::chmod(file.c_str(), 0755);
    return {.path = file.string()};
  }
  // The exit code of the script.
  int code_of(std::string_view body, const Execution& execution = {}) {
    const auto result = run_external(script(body), as_bytes("module"), execution);
    EXPECT_TRUE(result) << to_string(result.error());
    return result ? result->exit_code : -1;
  }
  Error error_of(std::string_view body, const Execution& execution) {
    const auto result = run_external(script(body), as_bytes("module"), execution);
    EXPECT_FALSE(result);
    return result ? Error{WorkloadError::usage, ""} : result.error();
  }
  std::string content(const fs::path& name) const {
    std::ifstream stream(root_ / name, std::ios::binary);
    return {std::istreambuf_iterator<char>{stream}, {}};
  }
  fs::path root_;
};

TEST_F(ExternalRuntime, is_called_as_upstream_calls_wasmtime) {
  const ExternalProgram program{.path = "wasmtime", .leading_arguments = {"run"}};
  const Execution execution{.function = "add",
                            .arguments = {"5", "10"},
                            .environment = {{"A", "1"}},
                            .directories = {{"/host", "/guest", false}, {"/same", "/same", false}}};
  EXPECT_THAT(runtime_arguments(program, execution, "/m"),
              ElementsAre("wasmtime", "run", "--invoke", "add", "--env", "A=1", "--dir", "/host::/guest", "--dir",
                          "/same", "/m", "5", "10"));
}

TEST_F(ExternalRuntime, reads_the_module_through_an_inherited_descriptor) {
  const auto program = script("cat \"$1\" > " + (root_ / "seen").string() + "; exit 7");
  const std::string module(200000, 'm');
  const auto result = run_external(program, as_bytes(module), {});
  ASSERT_TRUE(result) << to_string(result.error());
  EXPECT_EQ(result->exit_code, 7);
  EXPECT_EQ(content("seen"), module);
}

TEST_F(ExternalRuntime, cannot_change_the_module) {
  EXPECT_EQ(code_of("echo x > \"$1\" || exit 3"), 3);
}

TEST_F(ExternalRuntime, gets_no_input_unless_told) {
  EXPECT_EQ(code_of("read line || exit 4"), 4);
}

TEST_F(ExternalRuntime, a_signal_is_told_as_shells_do) {
  EXPECT_EQ(code_of("kill -TERM $$"), 128 + 15);
}

TEST_F(ExternalRuntime, is_stopped_when_its_time_is_over) {
  const auto start = std::chrono::steady_clock::now();
  const auto error = error_of("exec sleep 60", {.limits = {.wall_time = std::chrono::milliseconds{200}}});
  EXPECT_EQ(error.code, WorkloadError::timeout);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds{30});
}

TEST_F(ExternalRuntime, in_time_keeps_its_own_code) {
  EXPECT_EQ(code_of("exit 5", {.limits = {.wall_time = std::chrono::seconds{60}}}), 5);
}

TEST_F(ExternalRuntime, is_stopped_on_request_with_all_that_it_started) {
  std::stop_source stop;
  std::string seen;
  Execution execution{.stop = stop.get_token()};
  execution.standard_output = [&](ByteView data) {
    seen += as_text(data);
    stop.request_stop();  // the script runs and has a child of its own
    return true;
  };
  EXPECT_EQ(error_of("sleep 60 & echo $!; wait", execution).code, WorkloadError::cancelled);
  const auto grandchild = static_cast<pid_t>(std::stol(seen));
  // Reaped by init, which may take its time: a zombie is dead enough.
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds{10};
  const auto alive = [&] {
    std::ifstream status("/proc/" + std::to_string(grandchild) + "/stat");
    const std::string line{std::istreambuf_iterator<char>{status}, {}};
    return !line.empty() && line.find(") Z ") == std::string::npos;
  };
  while (alive() && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
  EXPECT_FALSE(alive());
}

TEST_F(ExternalRuntime, one_that_was_stopped_before_it_began_ends_at_once) {
  std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ(error_of("exec sleep 60", {.stop = stop.get_token()}).code, WorkloadError::cancelled);
}

TEST_F(ExternalRuntime, more_output_than_a_pipe_holds_is_taken_from_both_streams) {
  std::size_t output = 0, error = 0;
  Execution execution;
  execution.standard_output = [&](ByteView data) { return output += data.size(), true; };
  execution.standard_error = [&](ByteView data) { return error += data.size(), true; };
  EXPECT_EQ(code_of("head -c 300000 /dev/zero; head -c 200000 /dev/zero >&2; exit 6", execution), 6);
  EXPECT_EQ(output, 300000U);
  EXPECT_EQ(error, 200000U);
}

TEST_F(ExternalRuntime, a_sink_that_has_enough_closes_the_stream) {
  Execution execution;
  execution.standard_output = [](ByteView) { return false; };
  EXPECT_EQ(code_of("yes", execution), 128 + 13);
}

TEST_F(ExternalRuntime, what_a_grandchild_holds_open_is_not_waited_for) {
  std::string seen;
  Execution execution;
  execution.standard_output = [&](ByteView data) { return seen += as_text(data), true; };
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(code_of("sleep 60 & echo done", execution), 0);
  EXPECT_EQ(seen, "done\n");
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds{30});
}

TEST_F(ExternalRuntime, has_the_environment_it_is_given_and_not_the_guests) {
  auto program = script("test -z \"$HOME$GUEST\" && test \"$ONLY\" = this");
  program.environment = {"ONLY=this", "PATH=/usr/bin:/bin"};
  const auto result = run_external(program, as_bytes("m"), {.environment = {{"GUEST", "1"}}});
  ASSERT_TRUE(result) << to_string(result.error());
  EXPECT_EQ(result->exit_code, 0);
}

TEST_F(ExternalRuntime, that_is_not_there_is_named) {
  const auto result = run_external({.path = "/no/such/runtime"}, as_bytes("m"), {});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, WorkloadError::runtime_missing);
  EXPECT_THAT(result.error().message, HasSubstr("/no/such/runtime"));
}

TEST_F(ExternalRuntime, refuses_limits_and_input_that_it_cannot_hold) {
  for (const auto& limits : {ExecutionLimits{.memory = 1}, ExecutionLimits{.fuel = 1}}) {
    EXPECT_EQ(error_of("true", {.limits = limits}).code, WorkloadError::usage);
  }
  EXPECT_EQ(error_of("true", {.standard_input = wasm::source_of(to_bytes("x"))}).code, WorkloadError::usage);
}

}  // namespace
}  // namespace coffer::workload
