#include "fleet/worker/modules/module_cache.h"

#include <gtest/gtest.h>

#include "wasm/runtime.h"

namespace coffer::fleet::worker {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

ModuleCache::Token token_for(Duration life) {
  return std::make_shared<const keyclient::AttestedToken>(
      keyclient::AttestedToken{.token = "t", .tee_key = nullptr, .expires = system_clock().now() + life});
}

class ModuleCacheTest : public ::testing::Test {
 protected:
  ModuleCache::Opened opened(std::size_t size) {
    const auto wasm = to_bytes(std::string_view{"\0asm\1\0\0\0", 8});
    return std::make_shared<const OpenedModule>(SecretBytes{size}, engine_.compile(wasm).value());
  }

  wasm::Runtime engine_ = wasm::Runtime::create().value();
  ModuleCache::Token token_ = token_for(hours{1});
  ModuleCache cache_{{.bytes = 100, .age = hours{1}}};
};

TEST_F(ModuleCacheTest, keeps_nothing_unless_it_is_allowed) {
  ModuleCache off({.bytes = 100});
  EXPECT_FALSE(off.enabled());
  off.insert("kbs", "image", token_, opened(10));
  EXPECT_EQ(off.usage().modules, 0U);
}

TEST_F(ModuleCacheTest, finds_what_one_broker_released_under_the_same_token) {
  const auto module = opened(10);
  cache_.insert("kbs", "image", token_, module);
  EXPECT_EQ(cache_.find("kbs", "image", token_), module);
  EXPECT_EQ(cache_.find("kbs", "other", token_), nullptr);
  EXPECT_EQ(cache_.find("other", "image", token_), nullptr);
  EXPECT_EQ(cache_.usage().bytes, 10U);
}

TEST_F(ModuleCacheTest, another_token_of_the_same_broker_forgets_what_was_opened_under_the_last) {
  cache_.insert("kbs", "one", token_, opened(10));
  cache_.insert("kbs", "two", token_, opened(10));
  cache_.insert("other", "one", token_, opened(10));
  const auto renewed = token_for(hours{1});
  EXPECT_EQ(cache_.find("kbs", "one", renewed), nullptr);
  EXPECT_EQ(cache_.find("kbs", "two", token_), nullptr);
  EXPECT_NE(cache_.find("other", "one", token_), nullptr);
  EXPECT_EQ(cache_.usage().bytes, 10U);
}

TEST_F(ModuleCacheTest, a_token_that_has_ended_finds_and_keeps_nothing) {
  const auto ended = token_for(-seconds{1});
  cache_.insert("kbs", "image", ended, opened(10));
  EXPECT_EQ(cache_.usage().modules, 0U);
  EXPECT_EQ(cache_.find("kbs", "image", ended), nullptr);
}

TEST_F(ModuleCacheTest, forgets_at_its_age_however_often_it_was_used_or_with_its_token) {
  cache_.insert("kbs", "image", token_, opened(10));
  cache_.insert("short", "image", token_for(seconds{600}), opened(10));
  EXPECT_NE(cache_.find("kbs", "image", token_), nullptr);
  const auto now = std::chrono::steady_clock::now();
  cache_.drop_old(now + seconds{601});
  EXPECT_EQ(cache_.usage().modules, 1U);
  cache_.drop_old(now + hours{1} + seconds{1});
  EXPECT_EQ(cache_.usage().bytes, 0U);
}

TEST_F(ModuleCacheTest, forgets_by_itself_when_nobody_asks) {
  ModuleCache brief({.bytes = 100, .age = Duration{20}});
  brief.insert("kbs", "image", token_, opened(10));
  const auto patience = std::chrono::steady_clock::now() + seconds{30};
  while (brief.usage().modules != 0 && std::chrono::steady_clock::now() < patience) std::this_thread::yield();
  EXPECT_EQ(brief.usage().bytes, 0U);
}

TEST_F(ModuleCacheTest, makes_room_by_what_was_not_used_for_the_longest_time) {
  cache_.insert("kbs", "one", token_, opened(40));
  cache_.insert("kbs", "two", token_, opened(40));
  EXPECT_NE(cache_.find("kbs", "one", token_), nullptr);
  cache_.insert("kbs", "three", token_, opened(40));
  EXPECT_EQ(cache_.find("kbs", "two", token_), nullptr);
  EXPECT_NE(cache_.find("kbs", "one", token_), nullptr);
  EXPECT_EQ(cache_.usage().bytes, 80U);
  cache_.insert("kbs", "huge", token_, opened(101));
  EXPECT_EQ(cache_.usage().modules, 2U);
}

TEST_F(ModuleCacheTest, what_is_opened_again_takes_its_own_place) {
  cache_.insert("kbs", "one", token_, opened(40));
  const auto again = opened(50);
  cache_.insert("kbs", "one", token_, again);
  EXPECT_EQ(cache_.find("kbs", "one", token_), again);
  EXPECT_EQ(cache_.usage().bytes, 50U);
}

}  // namespace
}  // namespace coffer::fleet::worker
