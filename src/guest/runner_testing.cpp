#include "guest/runner_testing.h"

#include <cstdlib>
#include <fstream>

#include "image/layout.h"

namespace coffer::guest {

void RunnerTest::SetUp() {
  char pattern[] = "/tmp/coffer-runner-XXXXXX";
  root_ = ::mkdtemp(pattern);
  options_.image = "oci:" + (root_ / "image").string() + ":test";
}

void RunnerTest::TearDown() {
  std::filesystem::remove_all(root_);
}

void RunnerTest::put(const Bytes& module, const image::ocicrypt::Recipients* recipients, image::WasmStyle style) {
  auto sink = image::Layout::create({root_ / "image", "test"});
  ASSERT_TRUE(sink) << to_string(sink.error());
  const auto pushed = image::push_wasm(module, **sink, {.style = style, .recipients = recipients});
  ASSERT_TRUE(pushed) << to_string(pushed.error());
}

void RunnerTest::put_sealed(const Bytes& module, std::string_view kid, image::WasmStyle style) {
  image::ocicrypt::Recipients recipients;
  recipients.keks.push_back({.kid = *codec::ResourceUri::parse(kid), .kek = SecretBytes::copy_of(kek_)});
  put(module, &recipients, style);
}

void RunnerTest::write_key(std::string_view path, std::string_view content) {
  const auto file = root_ / "keys" / path;
  std::filesystem::create_directories(file.parent_path());
  std::ofstream(file, std::ios::binary) << content;
  options_.offline_keys = {root_ / "keys"};
}

Outcome RunnerTest::run() {
  ::testing::internal::CaptureStdout();
  outcome_ = guest::run(options_);
  printed_ = ::testing::internal::GetCapturedStdout();
  return outcome_;
}

int RunnerTest::failing() {
  run();
  EXPECT_TRUE(outcome_.error) << "ended with " << outcome_.exit_code << " and no error";
  return outcome_.exit_code;
}

}  // namespace coffer::guest
