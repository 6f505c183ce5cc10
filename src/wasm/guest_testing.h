// Guests of testdata/, compiled by CMake, and one Runtime for all tests.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "wasm/runtime.h"

namespace coffer::wasm::testing {

inline Bytes guest(const std::string& name) {
  const auto path = std::filesystem::path{COFFER_WASM_GUESTS} / (name + ".wasm");
  std::ifstream stream(path, std::ios::binary);
  EXPECT_TRUE(stream) << path;
  const std::string content{std::istreambuf_iterator<char>{stream}, {}};
  return to_bytes(content);
}

inline Runtime& runtime() {
  static auto created = Runtime::create({.max_instances = 8});
  if (!created) throw std::runtime_error(to_string(created.error()));
  return *created;
}

inline Module compiled(const std::string& name, CompileOptions options = {}) {
  auto module = runtime().compile(guest(name), options);
  if (!module) throw std::runtime_error(to_string(module.error()));
  return std::move(*module);
}

inline Sink append_to(std::string& text) {
  return [&text](ByteView bytes) {
    text += as_text(bytes);
    return true;
  };
}

template <class T>
void expect_code(const Result<T>& result, WasmError code) {
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().code, ErrorCode{code}) << to_string(result.error());
}

class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    auto pattern = (std::filesystem::temp_directory_path() / "coffer-wasm-XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  ~TemporaryDirectory() { std::filesystem::remove_all(path_); }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace coffer::wasm::testing
