// Calls of exported functions, and components.
#include "wasm/component_testing.h"
#include "wasm/guest_testing.h"

namespace coffer::wasm {
namespace {

using testing::compiled;
using testing::expect_code;
using testing::guest;
using testing::runtime;

using Values = std::vector<std::string>;

Result<CallResult> call(std::string_view function, Values arguments, Invocation invocation = {}) {
  static const auto module = compiled("functions");
  invocation.arguments = std::move(arguments);
  return runtime().call(module, function, invocation);
}

Values values_of(const Result<CallResult>& result) {
  EXPECT_TRUE(result) << to_string(result.error());
  return result ? result->values : Values{"failed"};
}

TEST(Function, takes_and_returns_numbers_as_text) {
  EXPECT_EQ(values_of(call("add", {"5", "10"})), Values{"15"});
  EXPECT_EQ(values_of(call("add", {"-5", "0x10"})), Values{"11"});
  EXPECT_EQ(values_of(call("add", {"4294967295", "0"})), Values{"-1"});
  EXPECT_EQ(values_of(call("add", {"-2147483648", "-0x1"})), Values{"2147483647"});
  EXPECT_EQ(values_of(call("add64", {"9007199254740993", "1"})), Values{"9007199254740994"});
  EXPECT_EQ(values_of(call("add64", {"18446744073709551615", "-9223372036854775808"})), Values{"9223372036854775807"});
  EXPECT_EQ(values_of(call("halve", {"5"})), Values{"2.5"});
  EXPECT_EQ(values_of(call("scale", {"0.5", "3"})), Values{"1.5"});
  EXPECT_EQ(values_of(call("nothing", {})), Values{});
}

TEST(Function, refuses_arguments_that_do_not_fit_its_signature) {
  expect_code(call("add", {"5"}), WasmError::bad_arguments);
  expect_code(call("add", {"5", "10", "15"}), WasmError::bad_arguments);
  for (const auto* text :
       {"five", "", "-", "--1", "1.5", " 5", "5 ", "4294967296", "-2147483649", "0x", "0x-1", "+5", "1e3"}) {
    const auto result = call("add", {text, "1"});
    expect_code(result, WasmError::bad_arguments);
    EXPECT_NE(result.error().message.find("argument 1 of add must be an i32"), std::string::npos)
        << result.error().message;
  }
  expect_code(call("halve", {"half"}), WasmError::bad_arguments);
}

TEST(Function, that_is_not_exported_is_named_with_those_that_are) {
  const auto result = call("subtract", {});
  expect_code(result, WasmError::missing_export);
  EXPECT_NE(result.error().message.find("subtract"), std::string::npos);
  EXPECT_NE(result.error().message.find("add"), std::string::npos);
}

TEST(Function, runs_in_an_instance_of_its_own_after_initialisation) {
  EXPECT_EQ(values_of(call("count", {})), Values{"42"});
  EXPECT_EQ(values_of(call("count", {})), Values{"42"});
}

TEST(Function, may_write_to_standard_output) {
  std::string output;
  EXPECT_EQ(values_of(call("greet", {}, {.standard_output = testing::append_to(output)})), Values{});
  EXPECT_EQ(output, "hello\n");
}

TEST(Function, that_traps_says_why) {
  const auto result = call("divide", {"1", "0"});
  expect_code(result, WasmError::trap);
  EXPECT_NE(result.error().message.find("integer divide by zero"), std::string::npos) << result.error().message;
}

TEST(Function, that_leaves_the_program_gives_its_exit_code) {
  const auto result = call("leave", {"7"});
  ASSERT_TRUE(result) << to_string(result.error());
  EXPECT_EQ(result->exit_code, 7);
}

TEST(Function, is_metered_by_fuel) {
  const auto module = compiled("functions", {.metered = true});
  Invocation invocation{.arguments = {"10"}, .limits = {.fuel = 10'000}};
  EXPECT_EQ(values_of(runtime().call(module, "work", invocation)), Values{"45"});
  invocation.arguments = {"1000000"};
  expect_code(runtime().call(module, "work", invocation), WasmError::out_of_fuel);
}

TEST(Module, lists_functions_with_their_signatures) {
  const auto exports = compiled("functions").exports();
  const auto find = [&](std::string_view name) {
    for (const auto& item : exports) {
      if (item.name == name) return item.signature;
    }
    return std::string{"absent"};
  };
  EXPECT_EQ(find("add"), "(i32, i32) -> (i32)");
  EXPECT_EQ(find("scale"), "(f64, i32) -> (f64)");
  EXPECT_EQ(find("nothing"), "() -> ()");
  EXPECT_FALSE(compiled("functions").is_command());
  EXPECT_TRUE(compiled("probe").is_command());
}

TEST(Module, that_wants_more_than_wasi_names_the_import) {
  const auto module = runtime().compile(guest("foreign"));
  expect_code(module, WasmError::unsupported_import);
  EXPECT_NE(module.error().message.find("env::launch"), std::string::npos) << module.error().message;
}

TEST(Module, is_refused_where_it_is_broken) {
  expect_code(runtime().compile({}), WasmError::bad_module);
  expect_code(runtime().compile(as_bytes("(module)")), WasmError::bad_module);
  expect_code(runtime().compile(as_bytes(std::string_view{"\0asm\x02\0\0\0", 8})), WasmError::bad_module);
  const auto whole = guest("functions");
  for (std::size_t size = 1; size < whole.size(); size += whole.size() / 23) {
    expect_code(runtime().compile(ByteView{whole}.first(size)), WasmError::bad_module);
  }
  expect_code(runtime().compile(as_bytes(std::string_view{"\x7f"
                                                          "ELF\x02\x01\x01\0",
                                                          8})),
              WasmError::bad_module);
}

TEST(Component, takes_and_returns_wave_text) {
  const auto module = runtime().compile(testing::component_with_add(guest("component_core")));
  ASSERT_TRUE(module) << to_string(module.error());
  EXPECT_EQ(module->kind(), ModuleKind::component);
  EXPECT_FALSE(module->is_command());
  EXPECT_EQ(values_of(runtime().call(*module, "add", {.arguments = {"5", "10"}})), Values{"15"});
  expect_code(runtime().call(*module, "add", {.arguments = {"5"}}), WasmError::bad_arguments);
  expect_code(runtime().call(*module, "add", {.arguments = {"5", "\"ten\""}}), WasmError::bad_arguments);
  expect_code(runtime().call(*module, "sum", {.arguments = {"5"}}), WasmError::missing_export);
  expect_code(runtime().run(*module, {}), WasmError::missing_export);
}

TEST(Component, finds_a_function_of_an_interface_by_long_and_short_name) {
  const auto module = runtime().compile(testing::component_with_interface(guest("component_core")));
  ASSERT_TRUE(module) << to_string(module.error());
  const Invocation invocation{.arguments = {"(5, 10)"}};
  EXPECT_EQ(values_of(runtime().call(*module, "sum", invocation)), Values{"15"});
  EXPECT_EQ(values_of(runtime().call(*module, "docs:adder/add@0.1.0#sum", invocation)), Values{"15"});
  ASSERT_EQ(module->exports().size(), 1U);
  EXPECT_EQ(module->exports()[0].name, "docs:adder/add@0.1.0#sum");
}

TEST(Component, runs_as_a_command) {
  for (const auto& [function, code] : {std::pair{"succeed", 0}, std::pair{"fail", 1}}) {
    const auto module = runtime().compile(testing::component_with_run(guest("component_core"), function));
    ASSERT_TRUE(module) << to_string(module.error());
    EXPECT_TRUE(module->is_command());
    const auto result = runtime().run(*module, {});
    ASSERT_TRUE(result) << to_string(result.error());
    EXPECT_EQ(result->exit_code, code);
  }
}

}  // namespace
}  // namespace coffer::wasm
