#include "fleet/worker/plugins/plugin_messages.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace coffer::fleet::worker {
namespace {

using codec::cbor::Array;
using codec::cbor::Map;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;
using wasm::Value;

TEST(PluginMessages, a_task_is_the_record_of_upstreams_interface) {
  const StartCommand task{.id = "1", .name = "add", .image_url = "r/i:1", .cli_args = {"--x"}, .encrypted = true};
  const auto info = task_info(task, {{"A", "B"}});
  EXPECT_EQ(info.if_map()->size(), 7U);
  EXPECT_EQ(*info.find("id"), Value{"1"});
  EXPECT_EQ(*info.find("name"), Value{"add"});
  EXPECT_EQ(*info.find("image-url"), Value{"r/i:1"});
  EXPECT_EQ(*info.find("cli-args"), (Value{Array{"--x"}}));
  EXPECT_EQ(*info.find("env")->if_array()->front().if_array(), (Array{"A", "B"}));
  EXPECT_EQ(*info.find("daemon"), Value{false});
  EXPECT_EQ(*info.find("encrypted"), Value{true});
}

TEST(PluginMessages, a_result_has_output_or_error) {
  const StartCommand task{.id = "1", .name = "add"};
  const auto good = task_result(task, {.results = "30"});
  EXPECT_EQ(*good.find("task-id"), Value{"1"});
  EXPECT_EQ(*good.find("success"), Value{true});
  EXPECT_EQ(*good.find("output"), (Value{Array{"30"}}));
  EXPECT_TRUE(good.find("error")->is_null());
  const auto bad = task_result(task, {.error = Error{WorkerError::exit_code, "ended"}});
  EXPECT_EQ(*bad.find("success"), Value{false});
  EXPECT_TRUE(bad.find("output")->is_null());
  EXPECT_EQ(*bad.find("error"), (Value{Array{"ended"}}));
}

TEST(PluginMessages, text_that_is_no_utf8_is_repaired_and_a_sealed_update_is_not_shown) {
  const StartCommand task{.id = "1", .name = "add"};
  EXPECT_EQ(*task_result(task, {.results = "a\xff"}).find("output"), (Value{Array{"a\uFFFD"}}));
  EXPECT_TRUE(task_result(task, {.results = "sealed", .sealed = SealedUpdate{}}).find("output")->is_null());
}

TEST(PluginMessages, only_a_record_that_says_so_allows) {
  EXPECT_FALSE(denial(Map{{"allow", true}, {"reason", Value{}}}));
  EXPECT_FALSE(denial(Map{{"allow", true}, {"reason", Array{"why not"}}}));
  EXPECT_EQ(denial(Map{{"allow", false}, {"reason", Array{"because"}}}), "because");
  for (const Value& other :
       {Value{}, Value{true}, Value{"allow"}, Value{Array{true}}, Value{Map{}}, Value{Map{{"allow", 1}}},
        Value{Map{{"allow", "true"}}}, Value{Map{{"allowed", true}}}, Value{Map{{"allow", false}}},
        Value{Map{{"allow", false}, {"reason", "bare"}}}, Value{Map{{"allow", false}, {"reason", Array{""}}}}}) {
    EXPECT_EQ(denial(other), "denied by plugin");
  }
  EXPECT_EQ(denial(Map{{"allow", false}, {"reason", Array{std::string(5000, 'x')}}})->size(), 1024U);
}

TEST(PluginMessages, variables_that_no_environment_carries_are_left_out) {
  TaskHooks::Environment environment{{"A", "old"}};
  const auto pair = [](Value name, Value value) { return Value{Array{std::move(name), std::move(value)}}; };
  add_variables(Map{{"env", Array{pair("A", "new"), pair("B", ""), pair("", "x"), pair("C=D", "x"),
                                  pair(std::string{"N\0", 2}, "x"), pair("V", std::string{"\0", 1}), pair(1, "x"),
                                  pair("X", 1), Value{"bare"}, Value{Array{"three", "of", "them"}}}}},
                environment);
  EXPECT_THAT(environment, ElementsAre(Pair("A", "new"), Pair("B", "")));
  TaskHooks::Environment none;
  for (const Value& other : {Value{}, Value{"env"}, Value{Map{}}, Value{Map{{"env", "x"}}}}) add_variables(other, none);
  EXPECT_THAT(none, IsEmpty());
}

}  // namespace
}  // namespace coffer::fleet::worker
