#include "evidence/nitro/chain_cache.h"

#include <gtest/gtest.h>

#include "evidence/nitro/simulate.h"

namespace coffer::evidence::nitro {
namespace {

using namespace std::chrono_literals;

const TimePoint now = *parse_rfc3339("2026-03-01T12:00:00Z");

class CachedChains : public testing::Test {
 protected:
  static Payload payload() { return parse_document(*simulate_document(root_, {}, now))->payload; }
  Result<TrustedLeaf> verify(const Payload& payload, TimePoint at = now) {
    return cache_.verify(payload, {&root_.certificate, 1}, at);
  }
  static inline const SimulatorRoot root_ = *make_simulator_root(now);
  ChainCache cache_;
};

TEST_F(CachedChains, one_verified_before_is_known_again) {
  const auto chain = payload();
  const auto first = verify(chain);
  ASSERT_TRUE(first) << to_string(first.error());
  EXPECT_EQ(cache_.size(), 1U);
  const auto second = verify(chain);
  ASSERT_TRUE(second);
  EXPECT_TRUE(second->key == first->key);
  EXPECT_EQ(second->simulated_root, first->simulated_root);
  EXPECT_EQ(cache_.size(), 1U);
  ASSERT_TRUE(verify(payload()));
  EXPECT_EQ(cache_.size(), 2U);
}

TEST_F(CachedChains, validity_is_checked_each_time) {
  const auto chain = payload();
  const auto leaf = verify(chain);
  ASSERT_TRUE(leaf);
  EXPECT_EQ(leaf->valid_from, now - 1h);
  EXPECT_EQ(leaf->valid_until, now + 2h);
  EXPECT_TRUE(verify(chain, now + 119min));
  EXPECT_EQ(verify(chain, now + 121min).error().code, NitroError::certificate_expired);
  EXPECT_EQ(verify(chain, now - 61min).error().code, NitroError::certificate_expired);
}

TEST_F(CachedChains, one_that_was_refused_is_not_kept) {
  auto chain = payload();
  chain.cabundle.pop_back();
  EXPECT_FALSE(verify(chain));
  EXPECT_EQ(cache_.size(), 0U);
}

TEST_F(CachedChains, any_other_certificate_is_another_chain) {
  auto chain = payload();
  ASSERT_TRUE(verify(chain));
  chain.certificate.back() ^= std::byte{1};
  EXPECT_FALSE(verify(chain));
}

}  // namespace
}  // namespace coffer::evidence::nitro
