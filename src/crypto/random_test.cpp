#include "crypto/random.h"

#include <gtest/gtest.h>

#include <set>

namespace coffer::crypto {
namespace {

TEST(SystemRandom, gives_as_many_bytes_as_asked_for) {
  for (const std::size_t size : {0, 1, 32, 4097}) {
    EXPECT_EQ(system_random().bytes(size).size(), size);
    EXPECT_EQ(system_random().secret(size).size(), size);
  }
}

TEST(SystemRandom, does_not_repeat_itself) {
  std::set<Bytes> seen;
  for (int i = 0; i < 1000; ++i) seen.insert(system_random().bytes(16));
  EXPECT_EQ(seen.size(), 1000U);
}

}  // namespace
}  // namespace coffer::crypto
