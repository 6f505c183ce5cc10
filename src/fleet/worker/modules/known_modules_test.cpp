#include "fleet/worker/modules/known_modules.h"

#include <gtest/gtest.h>

#include "wasm/runtime.h"

namespace coffer::fleet::worker {
namespace {

class KnownModulesTest : public ::testing::Test {
 protected:
  // A module that is another for each name.
  wasm::Module module(std::string_view name) {
    auto wasm = to_bytes(std::string_view{"\0asm\1\0\0\0", 8});
    for (const char c : {'\0', char(name.size() + 1), char(name.size())}) wasm.push_back(static_cast<std::byte>(c));
    for (const char c : name) wasm.push_back(static_cast<std::byte>(c));
    return engine_.compile(wasm).value();
  }
  bool knows(const std::string& name, std::string_view as, bool metered = false) {
    const auto found = known_.find(name, metered);
    return found && found->digest() == module(as).digest();
  }

  wasm::Runtime engine_ = wasm::Runtime::create().value();
  KnownModules known_{2};
};

TEST_F(KnownModulesTest, are_found_by_their_name_as_they_were_compiled) {
  known_.remember("a", false, module("plain"));
  known_.remember("a", true, module("metered"));
  EXPECT_TRUE(knows("a", "plain"));
  EXPECT_TRUE(knows("a", "metered", true));
  EXPECT_FALSE(known_.find("b", false));
}

TEST_F(KnownModulesTest, make_room_by_what_was_not_used_for_the_longest_time) {
  known_.remember("a", false, module("a"));
  known_.remember("b", false, module("b"));
  EXPECT_TRUE(knows("a", "a"));
  known_.remember("c", false, module("c"));
  EXPECT_FALSE(known_.find("b", false));
  EXPECT_TRUE(knows("a", "a"));
}

TEST_F(KnownModulesTest, are_kept_once_under_a_name) {
  known_.remember("a", false, module("old"));
  known_.remember("a", false, module("new"));
  known_.remember("b", false, module("b"));
  EXPECT_TRUE(knows("a", "new"));
  EXPECT_TRUE(knows("b", "b"));
}

}  // namespace
}  // namespace coffer::fleet::worker
