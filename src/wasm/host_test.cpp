// Host interfaces, and values of every type on their way through a component: in by a call, out to the host, back as
// its answer, and out as the call's result.
#include "wasm/host.h"

#include <cmath>

#include "wasm/host_testing.h"

namespace coffer::wasm {
namespace {

using namespace std::chrono_literals;
using codec::cbor::Array;
using codec::cbor::Map;
using testing::expect_code;
using testing::kept;
using testing::values_component;

constexpr Duration budget = 20s;

using Values = std::vector<Value>;

// Answers with what it got.
Result<Value> echo(std::string_view interface_name, std::string_view function, std::span<const Value> arguments) {
  EXPECT_EQ(interface_name, "test:host/echo@0.1.0");
  if (function == "nothing") return Value{};
  if (function == "scalars") return Value{Array(arguments.begin(), arguments.end())};
  return arguments[0];
}

Result<Value> through_host(std::string_view function, const Values& arguments, const HostCall& host = echo) {
  auto instance = kept(values_component(), {.host_call = host});
  return instance.call(function, arguments, budget);
}

Values scalars() {
  return {true,
          -128,
          255,
          -32768,
          65535,
          Value{std::int64_t{-2147483648}},
          Value{4294967295U},
          Value{INT64_MIN},
          Value{UINT64_MAX},
          1.5,
          -0.1,
          "\xf0\x9f\x94\x91"};
}

// An option's value. some(some(3)) would be a copy of the inner one.
Value some(Value value) {
  Array array;
  array.push_back(std::move(value));
  return array;
}

Map all() {
  return {{"name", "key"},
          {"data", to_bytes("\x01\x02")},
          {"items", Array{1, 2, Value{4294967295U}}},
          {"pair", Array{"one", 1}},
          {"shape", Array{"circle", 7}},
          {"color", "green"},
          {"access", Array{"read", "execute"}},
          {"deep", some(some(3))},
          {"outcome", Map{{"ok", "fine"}}},
          {"done", Map{{"err", Value{}}}}};
}

// `all()` with another value for one of its fields.
Values with(std::string_view field, Value value) {
  auto fields = all();
  for (auto& [name, old] : fields) {
    if (name == Value{std::string{field}}) old = value;
  }
  return {Value{std::move(fields)}};
}

TEST(HostInterface, is_called_with_what_the_guest_says_and_answers) {
  std::string seen;
  const HostCall host = [&](std::string_view interface_name, std::string_view function,
                            std::span<const Value> arguments) -> Result<Value> {
    seen = std::string{interface_name} + "#" + std::string{function};
    EXPECT_EQ(arguments.size(), 1U);
    EXPECT_EQ(arguments[0], Value{7});
    return Value{8};
  };
  EXPECT_EQ(through_host("number", {7}, host), Value{8});
  EXPECT_EQ(seen, "test:host/echo@0.1.0#number");
}

TEST(HostInterface, carries_every_scalar_both_ways) {
  EXPECT_EQ(through_host("scalars", scalars()), (Value{Array(scalars())}));
  EXPECT_EQ(through_host("nothing", {}), Value{});
}

TEST(HostInterface, carries_floats_of_every_width) {
  for (const double value : {0.0, 1.0, 65504.0, 0x1p-24, 1e300, -std::numeric_limits<double>::infinity()}) {
    auto arguments = scalars();
    arguments[10] = value;
    const auto result = through_host("scalars", arguments);
    ASSERT_TRUE(result) << to_string(result.error());
    EXPECT_EQ((*result->if_array())[10], Value{value});
  }
  auto arguments = scalars();
  arguments[9] = std::nan("");
  const auto result = through_host("scalars", arguments);
  ASSERT_TRUE(result) << to_string(result.error());
  EXPECT_TRUE(std::isnan(std::get<double>((*result->if_array())[9].data())));
}

TEST(HostInterface, carries_composite_values_both_ways) {
  const auto expect_same = [](const Values& arguments) {
    const auto result = through_host("all-of-it", arguments);
    ASSERT_TRUE(result) << to_string(result.error());
    for (const auto& [name, value] : *arguments[0].if_map()) EXPECT_EQ(*result->find(*name.if_text()), value);
  };
  expect_same({Value{all()}});
  expect_same(with("data", Bytes{}));
  expect_same(with("items", Array{}));
  expect_same(with("shape", Array{"none"}));
  expect_same(with("shape", Array{"named", "square"}));
  expect_same(with("access", Array{}));
  expect_same(with("deep", Value{}));
  expect_same(with("deep", some(Value{})));
  expect_same(with("outcome", Map{{"err", 9}}));
  expect_same(with("done", Map{{"ok", Value{}}}));
  EXPECT_EQ(through_host("bytes", {to_bytes("abc")}), Value{to_bytes("abc")});
}

TEST(HostInterface, refuses_arguments_that_do_not_fit_their_type) {
  const auto scalar = [](std::size_t index, Value value) {
    auto arguments = scalars();
    arguments[index] = std::move(value);
    return through_host("scalars", arguments);
  };
  expect_code(scalar(0, 1), WasmError::bad_arguments);
  expect_code(scalar(1, 128), WasmError::bad_arguments);
  expect_code(scalar(2, -1), WasmError::bad_arguments);
  expect_code(scalar(3, 32768), WasmError::bad_arguments);
  expect_code(scalar(6, Value{1ULL << 32}), WasmError::bad_arguments);
  expect_code(scalar(7, Value{UINT64_MAX}), WasmError::bad_arguments);
  expect_code(scalar(8, -1), WasmError::bad_arguments);
  expect_code(scalar(9, 1), WasmError::bad_arguments);
  expect_code(scalar(11, "two"), WasmError::bad_arguments);
  expect_code(scalar(11, ""), WasmError::bad_arguments);
  expect_code(through_host("scalars", {}), WasmError::bad_arguments);
  expect_code(through_host("nothing", {1}), WasmError::bad_arguments);
  expect_code(through_host("bytes", {Array{1, 2}}), WasmError::bad_arguments);
}

TEST(HostInterface, refuses_composite_arguments_that_do_not_fit_their_type) {
  const auto refused = [](std::string_view field, Value value) {
    expect_code(through_host("all-of-it", with(field, std::move(value))), WasmError::bad_arguments);
  };
  refused("name", Bytes{});
  refused("items", Array{-1});
  refused("pair", Array{"one"});
  refused("shape", Array{"square"});
  refused("shape", Array{"none", 1});
  refused("shape", Array{"circle"});
  refused("shape", Array{});
  refused("shape", Array{"circle", 1, 2});
  refused("color", "black");
  refused("access", Array{"own"});
  refused("access", Array{"read", "read"});
  refused("deep", Array{1, 2});
  refused("deep", 1);
  refused("outcome", Map{{"neither", 1}});
  refused("outcome", Map{});
  refused("outcome", Map{{"ok", 1}});
  refused("done", Map{{"ok", 1}});
  auto more = all();
  more.emplace_back("more", 1);
  expect_code(through_host("all-of-it", {Value{more}}), WasmError::bad_arguments);
  auto less = all();
  less.pop_back();
  expect_code(through_host("all-of-it", {Value{less}}), WasmError::bad_arguments);
}

TEST(HostInterface, that_answers_with_an_error_traps_the_guest_with_its_message) {
  const auto result = through_host("number", {1}, [](auto, auto, auto) -> Result<Value> {
    return fail(WasmError::internal, "the key store is closed");
  });
  expect_code(result, WasmError::trap);
  EXPECT_NE(result.error().message.find("test:host/echo@0.1.0#number: the key store is closed"), std::string::npos)
      << result.error().message;
}

TEST(HostInterface, that_throws_traps_the_guest) {
  const auto result =
      through_host("number", {1}, [](auto, auto, auto) -> Result<Value> { throw std::runtime_error("out of order"); });
  expect_code(result, WasmError::trap);
  EXPECT_NE(result.error().message.find("out of order"), std::string::npos) << result.error().message;
}

TEST(HostInterface, whose_answer_does_not_fit_its_type_traps_the_guest) {
  for (const auto& answer : {Value{256}, Value{"one"}, Value{}, Value{Bytes(value_limits.max_size)}}) {
    expect_code(through_host("number", {1}, [&](auto, auto, auto) -> Result<Value> { return answer; }),
                WasmError::trap);
  }
  expect_code(through_host("nothing", {}, [](auto, auto, auto) -> Result<Value> { return Value{1}; }), WasmError::trap);
}

TEST(HostInterface, that_nobody_answers_traps_the_guest) {
  expect_code(through_host("number", {1}, {}), WasmError::trap);
}

TEST(HostInterface, serves_runs_and_text_calls_too) {
  const Invocation invocation{.arguments = {"41"}, .host_call = [](auto, auto, auto arguments) -> Result<Value> {
                                return Value{*arguments[0].if_int64() + 1};
                              }};
  const auto result = testing::host_runtime().call(values_component(), "number", invocation);
  ASSERT_TRUE(result) << to_string(result.error());
  EXPECT_EQ(result->values, std::vector<std::string>{"42"});
}

TEST(HostInterface, that_is_not_linked_is_named) {
  const auto module = testing::runtime().compile(testing::made_component("values"));
  expect_code(module, WasmError::unsupported_import);
  EXPECT_NE(module.error().message.find("test:host/"), std::string::npos) << module.error().message;
}

}  // namespace
}  // namespace coffer::wasm
