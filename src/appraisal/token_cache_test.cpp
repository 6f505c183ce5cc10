#include "appraisal/detail/token_cache.h"

#include <gtest/gtest.h>

namespace coffer::appraisal::detail {
namespace {

const auto start = from_unix_seconds(1'800'000'000);
const auto later = start + std::chrono::minutes{5};

std::shared_ptr<const VerifiedToken> token() {
  return std::make_shared<const VerifiedToken>(codec::json::Object{}, codec::json::Object{}, std::nullopt, later);
}

TEST(TokenCache, a_token_is_known_until_its_time) {
  TokenCache cache{2};
  const auto kept = token();
  cache.insert("a", kept, later);
  EXPECT_EQ(cache.find("a", later - Duration{1}), kept);
  EXPECT_EQ(cache.find("a", later), nullptr);
  EXPECT_EQ(cache.size(), 0U);
}

TEST(TokenCache, the_least_recently_used_goes_first) {
  TokenCache cache{2};
  cache.insert("a", token(), later);
  cache.insert("b", token(), later);
  EXPECT_NE(cache.find("a", start), nullptr);
  cache.insert("c", token(), later);
  EXPECT_EQ(cache.find("b", start), nullptr);
  EXPECT_NE(cache.find("a", start), nullptr);
  EXPECT_NE(cache.find("c", start), nullptr);
  EXPECT_EQ(cache.size(), 2U);
}

TEST(TokenCache, no_capacity_keeps_nothing_and_one_token_stands_once) {
  TokenCache none{0};
  none.insert("a", token(), later);
  EXPECT_EQ(none.find("a", start), nullptr);
  TokenCache some{2};
  some.insert("a", token(), later);
  some.insert("a", token(), later);
  EXPECT_EQ(some.size(), 1U);
}

}  // namespace
}  // namespace coffer::appraisal::detail
