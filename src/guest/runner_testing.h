// An image on disk and a runner for it; what is printed is caught.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "guest/runner.h"
#include "image/push.h"
#include "workload/wasm_modules_testing.h"

namespace coffer::guest {

using workload::adder;
using workload::exiter;
using workload::printer;
using workload::spinner;
using workload::trapper;

class RunnerTest : public ::testing::Test {
 protected:
  void SetUp() override;
  void TearDown() override;

  // Puts `module` into the layout that options_.image names, for `recipients` where given.
  void put(const Bytes& module, const image::ocicrypt::Recipients* recipients = nullptr,
           image::WasmStyle style = image::WasmStyle::cncf);
  // For the 32-byte key under `kid`.
  void put_sealed(const Bytes& module, std::string_view kid = "kbs:///default/key/k1",
                  image::WasmStyle style = image::WasmStyle::cncf);
  void write_key(std::string_view path, std::string_view content);

  Outcome run();
  // The code that a failing run ended with; its message is in outcome_.
  int failing();
  // The run's error; one with the code guest.usage and no text where there was none.
  Error error() const { return outcome_.error.value_or(Error{GuestError::usage, ""}); }
  std::string why() const { return outcome_.error ? to_string(*outcome_.error) : "no error"; }

  std::filesystem::path root_;
  RunnerOptions options_;
  Outcome outcome_;
  std::string printed_;
  std::string kek_ = std::string(32, 'K');
};

}  // namespace coffer::guest
