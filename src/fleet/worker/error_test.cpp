#include "fleet/worker/error.h"

#include <gtest/gtest.h>

#include <set>

namespace coffer::fleet::worker {
namespace {

TEST(WorkerErrors, have_distinct_stable_names) {
  std::set<std::string_view> names;
  for (auto code = 0; code <= static_cast<int>(WorkerError::module_too_large); ++code) {
    const auto name = code_name(static_cast<WorkerError>(code));
    EXPECT_TRUE(name.starts_with("worker.") && name != "worker.unknown") << code;
    EXPECT_TRUE(names.insert(name).second) << name;
  }
}

}  // namespace
}  // namespace coffer::fleet::worker
