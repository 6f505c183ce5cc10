// Runs of WASI commands.
#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <fstream>
#include <thread>

#include "wasm/guest_testing.h"

namespace coffer::wasm {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;
using testing::append_to;
using testing::compiled;
using testing::expect_code;
using testing::runtime;

struct Ran {
  Result<CommandResult> result;
  std::string output;
  std::string errors;
};

Ran run_probe(std::vector<std::string> arguments, Invocation invocation = {}) {
  static const auto module = compiled("probe");
  Ran ran{fail(WasmError::internal, "not run"), {}, {}};
  arguments.insert(arguments.begin(), "probe");
  invocation.arguments = std::move(arguments);
  invocation.standard_output = append_to(ran.output);
  invocation.standard_error = append_to(ran.errors);
  if (!invocation.limits.wall_time) invocation.limits.wall_time = std::chrono::minutes{2};
  ran.result = runtime().run(module, invocation);
  return ran;
}

int exit_code(const Ran& ran) {
  EXPECT_TRUE(ran.result) << to_string(ran.result.error());
  return ran.result ? ran.result->exit_code : -1;
}

TEST(Command, gets_its_arguments) {
  const auto ran = run_probe({"args", "one", "two words", "\xc3\xa9"});
  EXPECT_EQ(exit_code(ran), 0);
  EXPECT_EQ(ran.output, "probe\nargs\none\ntwo words\n\xc3\xa9\n");
}

TEST(Command, gets_only_the_environment_that_is_named) {
  EXPECT_EQ(run_probe({"env", "COLOUR"}, {.environment = {{"COLOUR", "blue"}}}).output, "blue\n");
  EXPECT_EQ(run_probe({"env", "PATH"}).output, "(unset)\n");
}

TEST(Command, reads_its_standard_input_to_the_end) {
  const std::string text(300'000, 'x');
  const auto ran = run_probe({"cat"}, {.standard_input = source_of(to_bytes(text))});
  EXPECT_EQ(exit_code(ran), 0);
  EXPECT_EQ(ran.output, text);
}

TEST(Command, finds_no_input_where_none_is_given) {
  const auto ran = run_probe({"cat"});
  EXPECT_EQ(exit_code(ran), 0);
  EXPECT_EQ(ran.output, "");
}

TEST(Command, reads_from_a_file_descriptor) {
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  ASSERT_EQ(::write(ends[1], "piped", 5), 5);
  ::close(ends[1]);
  const auto ran = run_probe({"cat"}, {.standard_input = source_of_file_descriptor(ends[0])});
  ::close(ends[0]);
  EXPECT_EQ(ran.output, "piped");
}

TEST(Command, writes_standard_error_apart) {
  const auto ran = run_probe({"stderr", "careful"});
  EXPECT_EQ(ran.output, "");
  EXPECT_EQ(ran.errors, "careful\n");
}

TEST(Command, exits_with_its_own_code) {
  for (const int code : {0, 1, 42, 125, 126, 200, 255})
    EXPECT_EQ(exit_code(run_probe({"exit", std::to_string(code)})), code);
}

TEST(Command, sees_a_preopened_directory) {
  const testing::TemporaryDirectory directory;
  std::ofstream(directory.path() / "in.txt") << "content";
  const Invocation invocation{.preopens = {{directory.path(), "/data", false}}};
  EXPECT_EQ(run_probe({"read", "/data/in.txt"}, invocation).output, "content");
  EXPECT_EQ(exit_code(run_probe({"write", "/data/out.txt", "written"}, invocation)), 0);
  std::string written;
  std::getline(std::ifstream(directory.path() / "out.txt"), written);
  EXPECT_EQ(written, "written");
}

TEST(Command, cannot_write_to_a_read_only_directory) {
  const testing::TemporaryDirectory directory;
  const Invocation invocation{.preopens = {{directory.path(), "/data", true}}};
  EXPECT_NE(exit_code(run_probe({"write", "/data/out.txt", "x"}, invocation)), 0);
  EXPECT_FALSE(std::filesystem::exists(directory.path() / "out.txt"));
}

TEST(Command, cannot_leave_its_directories) {
  const testing::TemporaryDirectory directory;
  const auto inner = directory.path() / "inner";
  std::filesystem::create_directory(inner);
  std::ofstream(directory.path() / "secret.txt") << "secret";
  std::filesystem::create_symlink(directory.path() / "secret.txt", inner / "link.txt");
  const Invocation invocation{.preopens = {{inner, "/data", false}}};
  for (const auto* path : {"/data/../secret.txt", "/etc/hostname", "/data/link.txt"}) {
    const auto ran = run_probe({"read", path}, invocation);
    EXPECT_NE(exit_code(ran), 0) << path;
    EXPECT_EQ(ran.output, "") << path;
  }
}

TEST(Command, is_refused_a_directory_that_does_not_exist) {
  expect_code(run_probe({"args"}, {.preopens = {{"/nonexistent/here", "/data", true}}}).result, WasmError::bad_preopen);
}

TEST(Command, that_traps_is_reported_with_reason_and_backtrace) {
  const auto ran = run_probe({"trap"});
  expect_code(ran.result, WasmError::trap);
  EXPECT_NE(ran.result.error().message.find("unreachable"), std::string::npos) << ran.result.error().message;
  EXPECT_NE(ran.result.error().message.find("main"), std::string::npos) << ran.result.error().message;
}

TEST(Command, that_recurses_without_end_traps_with_a_message_of_one_line) {
  const auto ran = run_probe({"recurse"});
  expect_code(ran.result, WasmError::trap);
  const auto& message = ran.result.error().message;
  EXPECT_EQ(message.find('\n'), std::string::npos) << message;
  EXPECT_LE(message.size(), 700U) << message;
}

TEST(Command, that_allocates_without_end_is_stopped_at_its_limit) {
  const auto ran = run_probe({"allocate"}, {.limits = {.memory = 32U << 20}});
  expect_code(ran.result, WasmError::out_of_memory);
  EXPECT_NE(ran.result.error().message.find("33554432"), std::string::npos) << ran.result.error().message;
}

TEST(Command, that_starts_with_more_memory_than_allowed_is_refused) {
  expect_code(run_probe({"args"}, {.limits = {.memory = 1024}}).result, WasmError::out_of_memory);
}

TEST(Command, that_spins_is_stopped_at_its_wall_time) {
  const auto start = steady_clock::now();
  expect_code(run_probe({"spin"}, {.limits = {.wall_time = milliseconds{200}}}).result, WasmError::timeout);
  EXPECT_GE(steady_clock::now() - start, milliseconds{200});
  EXPECT_LT(steady_clock::now() - start, std::chrono::seconds{20});
}

TEST(Command, that_sleeps_is_stopped_at_its_wall_time) {
  expect_code(run_probe({"sleep"}, {.limits = {.wall_time = milliseconds{100}}}).result, WasmError::timeout);
}

TEST(Command, that_waits_for_input_is_stopped_at_its_wall_time) {
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  const auto ran = run_probe(
      {"cat"}, {.standard_input = source_of_file_descriptor(ends[0]), .limits = {.wall_time = milliseconds{100}}});
  expect_code(ran.result, WasmError::timeout);
  ::close(ends[1]);
}

class CancelledCommand : public ::testing::TestWithParam<const char*> {};

TEST_P(CancelledCommand, stops_at_once) {
  const Cancellation cancellation;
  std::jthread other([&] {
    std::this_thread::sleep_for(milliseconds{100});
    cancellation.cancel();
  });
  expect_code(run_probe({GetParam()}, {.cancellation = cancellation}).result, WasmError::cancelled);
}

INSTANTIATE_TEST_SUITE_P(Guests, CancelledCommand, ::testing::Values("spin", "sleep", "stream"));

TEST(Command, that_was_cancelled_before_does_not_begin) {
  const Cancellation cancellation;
  cancellation.cancel();
  const auto ran = run_probe({"args"}, {.cancellation = cancellation});
  expect_code(ran.result, WasmError::cancelled);
  EXPECT_EQ(ran.output, "");
}

TEST(Command, hands_over_output_as_it_is_written) {
  const auto module = compiled("probe");
  const Cancellation cancellation;
  std::string output;
  Invocation invocation{.arguments = {"probe", "stream"}, .cancellation = cancellation};
  invocation.standard_output = [&](ByteView bytes) {
    output += as_text(bytes);
    if (output.find("tick 2") != std::string::npos) cancellation.cancel();
    return true;
  };
  expect_code(runtime().run(module, invocation), WasmError::cancelled);
  EXPECT_TRUE(output.starts_with("tick 0\ntick 1\ntick 2\n")) << output;
}

TEST(Command, sees_a_closed_stream_where_its_output_is_not_wanted) {
  const auto module = compiled("probe");
  Invocation invocation{.arguments = {"probe", "cat"}, .standard_input = source_of(to_bytes("abc"))};
  invocation.standard_output = [](ByteView) { return false; };
  const auto result = runtime().run(module, invocation);
  ASSERT_TRUE(result) << to_string(result.error());
  EXPECT_NE(result->exit_code, 0);
}

TEST(Command, is_stopped_when_its_fuel_is_used_up) {
  const auto module = compiled("probe", {.metered = true});
  Invocation invocation{.arguments = {"probe", "spin"}, .limits = {.fuel = 1'000'000}};
  expect_code(runtime().run(module, invocation), WasmError::out_of_fuel);
  invocation.arguments = {"probe", "args"};
  const auto finished = runtime().run(module, invocation);
  ASSERT_TRUE(finished) << to_string(finished.error());
  EXPECT_GT(finished->usage.fuel, 1000U);
  EXPECT_LT(finished->usage.fuel, 1'000'000U);
}

TEST(Command, needs_a_metered_module_for_a_fuel_limit) {
  expect_code(run_probe({"args"}, {.limits = {.fuel = 1}}).result, WasmError::bad_arguments);
}

TEST(Command, reports_what_it_used) {
  const auto ran = run_probe({"args"});
  ASSERT_TRUE(ran.result);
  EXPECT_GE(ran.result->usage.peak_memory, 65536U);
  EXPECT_EQ(ran.result->usage.fuel, std::nullopt);
}

TEST(Command, is_refused_where_all_instances_are_in_use) {
  auto small = Runtime::create({.max_instances = 1});
  ASSERT_TRUE(small) << to_string(small.error());
  const auto module = small->compile(testing::guest("probe"));
  ASSERT_TRUE(module) << to_string(module.error());
  const Cancellation cancellation;
  std::atomic<bool> started = false;
  Invocation streaming{.arguments = {"probe", "stream"}, .cancellation = cancellation};
  streaming.standard_output = [&](ByteView) { return started = true; };
  std::jthread other([&] { expect_code(small->run(*module, streaming), WasmError::cancelled); });
  while (!started) std::this_thread::sleep_for(milliseconds{1});
  expect_code(small->run(*module, {.arguments = {"probe", "args"}}), WasmError::out_of_memory);
  cancellation.cancel();
}

TEST(Command, runs_on_many_threads_at_once) {
  std::atomic<int> wrong = 0;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 6; ++i) {
      threads.emplace_back([&wrong, i] {
        const auto ran = run_probe({"args", std::to_string(i)});
        if (!ran.result || ran.output != "probe\nargs\n" + std::to_string(i) + "\n") ++wrong;
      });
    }
  }
  EXPECT_EQ(wrong, 0);
}

TEST(Command, is_missing_in_a_module_of_functions) {
  const auto result = runtime().run(compiled("functions"), {.arguments = {"functions"}});
  expect_code(result, WasmError::missing_export);
  EXPECT_NE(result.error().message.find("add64"), std::string::npos) << result.error().message;
}

}  // namespace
}  // namespace coffer::wasm
