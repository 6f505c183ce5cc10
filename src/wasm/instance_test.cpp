// Instances that are kept: core modules by exchange of bytes, components by typed values.
#include "wasm/instance.h"

#include <thread>

#include "wasm/guest_testing.h"
#include "wasm/host_testing.h"

namespace coffer::wasm {
namespace {

using namespace std::chrono_literals;
using testing::compiled;
using testing::expect_code;
using testing::kept;
using testing::runtime;

constexpr Duration budget = 20s;

Instance plugin(const Invocation& invocation = {}, CompileOptions options = {}) {
  return kept(compiled("plugin", options), invocation);
}

Result<std::string> exchange(Instance& instance, std::string_view function, std::string_view input = "abc") {
  return to_text(TRY(instance.exchange(function, as_bytes(input), budget)));
}

// Whatever is asked next, a guest that failed is not asked.
void expect_poisoned(Instance& instance) {
  EXPECT_TRUE(instance.poisoned());
  expect_code(instance.exchange("upper", {}, budget), WasmError::poisoned);
}

TEST(Instance, hands_bytes_in_and_out) {
  auto instance = plugin();
  EXPECT_EQ(exchange(instance, "upper").value_or(""), "ABC");
  EXPECT_EQ(exchange(instance, "same").value_or(""), "abc");
  EXPECT_EQ(exchange(instance, "upper", "").value_or("?"), "");
  EXPECT_EQ(exchange(instance, "nothing").value_or("?"), "");
  EXPECT_EQ(exchange(instance, "silent").value_or("?"), "");
  const std::string large(1 << 20, 'x');
  EXPECT_EQ(exchange(instance, "upper", large).value_or("").size(), large.size());
  EXPECT_FALSE(instance.poisoned());
}

TEST(Instance, keeps_its_state_and_gives_back_every_piece_of_memory) {
  auto instance = plugin();
  for (char call = 1; call < 10; ++call) {
    ASSERT_TRUE(exchange(instance, "upper"));
    ASSERT_TRUE(exchange(instance, "same"));
    EXPECT_EQ(exchange(instance, "count").value_or(""), (std::string{call, 1}));
  }
}

TEST(Instance, knows_what_it_exports) {
  const auto instance = plugin();
  EXPECT_TRUE(instance.has("upper"));
  EXPECT_FALSE(instance.has("lower"));
}

TEST(Instance, refuses_a_function_that_is_not_there_or_of_another_type_and_stays_usable) {
  auto instance = plugin();
  expect_code(exchange(instance, "lower"), WasmError::missing_export);
  expect_code(exchange(instance, "number"), WasmError::missing_export);
  expect_code(instance.call("upper", {}, budget), WasmError::missing_export);
  expect_code(instance.exchange("upper", Bytes(Instance::max_exchange + 1), budget), WasmError::bad_arguments);
  EXPECT_EQ(exchange(instance, "upper").value_or(""), "ABC");
}

TEST(Instance, of_a_module_without_the_allocator_cannot_exchange) {
  auto instance = kept(compiled("functions"), {});
  expect_code(instance.exchange("add", as_bytes("a"), budget), WasmError::missing_export);
}

TEST(Instance, refuses_an_answer_outside_of_the_guests_memory) {
  for (const auto* function : {"beyond", "overflow", "huge"}) {
    auto instance = plugin();
    expect_code(exchange(instance, function), WasmError::bad_result);
    expect_poisoned(instance);
  }
}

TEST(Instance, refuses_an_allocator_that_gives_nothing_or_what_is_not_its_own) {
  for (const auto* kind : {"\x01", "\x02"}) {
    auto instance = plugin();
    ASSERT_TRUE(exchange(instance, "refuse", kind));
    expect_code(exchange(instance, "upper"), WasmError::bad_result);
    expect_poisoned(instance);
  }
}

TEST(Instance, that_trapped_is_poisoned) {
  auto instance = plugin();
  expect_code(exchange(instance, "trap"), WasmError::trap);
  expect_poisoned(instance);
}

TEST(Instance, is_stopped_at_the_end_of_its_budget) {
  auto instance = plugin();
  expect_code(instance.exchange("spin", as_bytes("a"), 30ms), WasmError::timeout);
  expect_poisoned(instance);
}

TEST(Instance, is_stopped_by_its_cancellation) {
  const Cancellation cancellation;
  auto instance = plugin({.cancellation = cancellation});
  const std::jthread stopper([&] { cancellation.cancel(); });
  expect_code(exchange(instance, "spin"), WasmError::cancelled);
  expect_poisoned(instance);
}

TEST(Instance, has_its_fuel_anew_for_each_call) {
  auto instance = plugin({.limits = {.fuel = 3'000'000}}, {.metered = true});
  for (int call = 0; call < 5; ++call) ASSERT_TRUE(exchange(instance, "work"));
  expect_code(exchange(instance, "spin"), WasmError::out_of_fuel);
  expect_poisoned(instance);
}

TEST(Instance, cannot_have_fuel_where_nobody_counts) {
  const Invocation invocation{.limits = {.fuel = 1}};
  expect_code(runtime().instantiate(compiled("plugin"), invocation), WasmError::bad_arguments);
}

TEST(Instance, stays_within_its_memory) {
  auto instance = plugin({.limits = {.memory = 8 << 20}});
  expect_code(exchange(instance, "allocate"), WasmError::out_of_memory);
  expect_poisoned(instance);
}

TEST(Instance, moves_between_threads) {
  auto instance = plugin();
  ASSERT_TRUE(exchange(instance, "count"));
  std::jthread([&] { EXPECT_EQ(exchange(instance, "count").value_or(""), (std::string{2, 1})); }).join();
  EXPECT_EQ(exchange(instance, "count").value_or(""), (std::string{3, 1}));
}

TEST(Instance, of_a_component_keeps_its_state) {
  auto instance = kept(testing::values_component(), {});
  EXPECT_TRUE(instance.has("count"));
  for (int call = 1; call < 4; ++call) EXPECT_EQ(instance.call("count", {}, budget), Value{call});
  expect_code(instance.exchange("count", {}, budget), WasmError::missing_export);
  expect_code(instance.call("absent", {}, budget), WasmError::missing_export);
  EXPECT_EQ(instance.call("count", {}, budget), Value{4});
}

TEST(Instance, of_a_component_is_poisoned_by_a_trap_a_lie_and_a_timeout) {
  for (const auto& [function, code] :
       {std::pair{"trap", WasmError::trap}, {"lie", WasmError::trap}, {"make", WasmError::bad_result}}) {
    auto instance = kept(testing::values_component(), {});
    expect_code(instance.call(function, {}, budget), code);
    expect_code(instance.call("count", {}, budget), WasmError::poisoned);
  }
  auto instance = kept(testing::values_component(), {});
  expect_code(instance.call("spin", {}, 30ms), WasmError::timeout);
  expect_code(instance.call("count", {}, budget), WasmError::poisoned);
}

TEST(Instance, of_a_component_gives_no_more_than_the_limit_of_a_value) {
  auto instance = kept(testing::values_component(), {});
  const std::vector<Value> few{Value{1000}};
  const auto zeros = instance.call("zeros", few, budget);
  ASSERT_TRUE(zeros) << to_string(zeros.error());
  EXPECT_EQ(*zeros, Value{Bytes(1000)});
  const std::vector<Value> many{Value{64 << 20}};
  EXPECT_FALSE(instance.call("zeros", many, budget));
  EXPECT_TRUE(instance.poisoned());
}

TEST(Instance, of_a_component_refuses_too_many_arguments_without_harm) {
  auto instance = kept(testing::values_component(), {});
  const std::vector<Value> large{Value{Bytes(value_limits.max_size)}};
  expect_code(instance.call("bytes", large, budget), WasmError::bad_arguments);
  EXPECT_EQ(instance.call("count", {}, budget), Value{1});
}

}  // namespace
}  // namespace coffer::wasm
