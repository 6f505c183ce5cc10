#include "fleet/worker/known_modules.h"

#include <gtest/gtest.h>

#include "wasm/runtime.h"

namespace coffer::fleet::worker {
namespace {

class KnownModulesTest : public ::testing::Test {
 protected:
  KnownModule module(const std::string& digest) {
    return {digest, engine_.compile(to_bytes(std::string_view{"\0asm\1\0\0\0", 8})).value()};
  }
  std::string digest_of(const std::string& name, bool metered = false) {
    const auto found = known_.find(name, metered);
    return found ? found->digest : "";
  }

  wasm::Runtime engine_ = wasm::Runtime::create().value();
  KnownModules known_{2};
};

TEST_F(KnownModulesTest, are_found_by_their_name_as_they_were_compiled) {
  known_.remember("a", false, module("plain"));
  known_.remember("a", true, module("metered"));
  EXPECT_EQ(digest_of("a"), "plain");
  EXPECT_EQ(digest_of("a", true), "metered");
  EXPECT_EQ(digest_of("b"), "");
}

TEST_F(KnownModulesTest, make_room_by_what_was_not_used_for_the_longest_time) {
  known_.remember("a", false, module("a"));
  known_.remember("b", false, module("b"));
  EXPECT_EQ(digest_of("a"), "a");
  known_.remember("c", false, module("c"));
  EXPECT_EQ(digest_of("b"), "");
  EXPECT_EQ(digest_of("a"), "a");
}

TEST_F(KnownModulesTest, are_kept_once_under_a_name) {
  known_.remember("a", false, module("old"));
  known_.remember("a", false, module("new"));
  known_.remember("b", false, module("b"));
  EXPECT_EQ(digest_of("a"), "new");
  EXPECT_EQ(digest_of("b"), "b");
}

}  // namespace
}  // namespace coffer::fleet::worker
