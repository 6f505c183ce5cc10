#include "workload/hal/error.h"

#include <gtest/gtest.h>

#include <set>

namespace coffer::workload::hal {
namespace {

TEST(HalError, names_are_stable_and_distinct) {
  std::set<std::string_view> names;
  for (int i = 0; i <= static_cast<int>(HalError::storage_refused); ++i) {
    const auto name = code_name(static_cast<HalError>(i));
    EXPECT_TRUE(name.starts_with("hal.")) << name;
    EXPECT_TRUE(names.insert(name).second) << name;
  }
  EXPECT_FALSE(names.contains("hal.unknown"));
}

}  // namespace
}  // namespace coffer::workload::hal
