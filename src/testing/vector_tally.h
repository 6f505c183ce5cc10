// Counts the cases of a published vector file, so that none is left out without a word.
#pragma once

#include <gtest/gtest.h>

#include <iostream>
#include <map>
#include <string>

namespace coffer::testing {

// At its end it prints how many cases ran and which were skipped for which reason, and fails where none ran.
class VectorTally {
 public:
  explicit VectorTally(std::string file) : file_(std::move(file)) {}
  VectorTally(const VectorTally&) = delete;
  VectorTally& operator=(const VectorTally&) = delete;
  ~VectorTally() {
    std::cout << "[ vectors  ] " << file_ << ": " << ran_ << " cases ran\n";
    for (const auto& [reason, cases] : skipped_) {
      std::cout << "[ vectors  ] " << file_ << ": skipped because " << reason << ": " << cases << "\n";
    }
    EXPECT_GT(ran_, 0) << "no case of " << file_ << " ran";
  }

  void ran() { ++ran_; }
  void skip(const std::string& reason, const std::string& name) {
    auto& cases = skipped_[reason];
    cases += cases.empty() ? name : ", " + name;
  }

 private:
  std::string file_;
  int ran_ = 0;
  std::map<std::string, std::string> skipped_;
};

}  // namespace coffer::testing
