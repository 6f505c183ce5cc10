#include "guest/detail/external_runtime.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <fstream>
#include <iterator>

namespace coffer::guest::detail {
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
  RunnerOptions script(std::string_view body) {
    const auto file = root_ / "runtime";
    std::ofstream(file) << "#!/bin/sh\n" << body << "\n";
    ::chmod(file.c_str(), 0755);
    return {.image = "oci:x", .runtime = file.string()};
  }
  std::string content(const fs::path& name) const {
    std::ifstream stream(root_ / name, std::ios::binary);
    return {std::istreambuf_iterator<char>{stream}, {}};
  }
  fs::path root_;
};

TEST_F(ExternalRuntime, is_called_as_upstream_calls_wasmtime) {
  RunnerOptions options{.image = "oci:x",
                        .work_dir = "/w",
                        .runtime = "wasmtime",
                        .invoke = "add",
                        .wasm_args = {"5", "10"},
                        .environment = {{"A", "1"}},
                        .directories = {{"/host", "/guest"}, {"/same", "/same"}}};
  EXPECT_THAT(runtime_arguments(options, "/m"),
              ElementsAre("wasmtime", "--invoke", "add", "--env", "A=1", "--dir", "/w", "--dir", "/host::/guest",
                          "--dir", "/same", "/m", "5", "10"));
}

TEST_F(ExternalRuntime, reads_the_module_through_an_inherited_descriptor) {
  auto options = script("cat \"$1\" > " + (root_ / "seen").string() + "; exit 7");
  const std::string module(200000, 'm');
  const auto code = run_external(options, as_bytes(module));
  ASSERT_TRUE(code) << to_string(code.error());
  EXPECT_EQ(*code, 7);
  EXPECT_EQ(content("seen"), module);
}

TEST_F(ExternalRuntime, cannot_change_the_module) {
  auto options = script("echo x > \"$1\" || exit 3");
  EXPECT_EQ(*run_external(options, as_bytes("module")), 3);
}

TEST_F(ExternalRuntime, gets_no_input_unless_told) {
  EXPECT_EQ(*run_external(script("read line || exit 4"), as_bytes("m")), 4);
}

TEST_F(ExternalRuntime, a_signal_is_told_as_shells_do) {
  EXPECT_EQ(*run_external(script("kill -TERM $$"), as_bytes("m")), 128 + 15);
}

TEST_F(ExternalRuntime, is_stopped_when_its_time_is_over) {
  auto options = script("exec sleep 60");
  options.timeout = std::chrono::milliseconds{200};
  const auto start = std::chrono::steady_clock::now();
  const auto code = run_external(options, as_bytes("m"));
  ASSERT_FALSE(code);
  EXPECT_EQ(code.error().code, GuestError::timeout);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds{30});
}

TEST_F(ExternalRuntime, in_time_keeps_its_own_code) {
  auto options = script("exit 5");
  options.timeout = std::chrono::seconds{60};
  EXPECT_EQ(*run_external(options, as_bytes("m")), 5);
}

TEST_F(ExternalRuntime, that_is_not_there_is_named) {
  const auto code = run_external({.image = "oci:x", .runtime = "/no/such/runtime"}, as_bytes("m"));
  ASSERT_FALSE(code);
  EXPECT_EQ(code.error().code, GuestError::runtime_missing);
  EXPECT_THAT(code.error().message, HasSubstr("/no/such/runtime"));
}

TEST_F(ExternalRuntime, refuses_limits_that_it_cannot_hold) {
  for (auto options : {RunnerOptions{.image = "x", .max_memory = 1}, RunnerOptions{.image = "x", .fuel = 1}}) {
    options.runtime = "/bin/true";
    const auto code = run_external(options, as_bytes("m"));
    ASSERT_FALSE(code);
    EXPECT_EQ(code.error().code, GuestError::usage);
  }
}

}  // namespace
}  // namespace coffer::guest::detail
