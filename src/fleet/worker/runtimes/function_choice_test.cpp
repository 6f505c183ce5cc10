#include "fleet/worker/runtimes/function_choice.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace coffer::fleet::worker {
namespace {

using ::testing::ElementsAre;
using wasm::ModuleKind;

std::string chosen(const std::string& name, const ModuleShape& shape) {
  return choose_function(name, {}, shape).function;
}

const ModuleShape core{.functions = {"add", "main", "run"}};
const ModuleShape command{.command = true, .functions = {"_start"}};
const ModuleShape component{.kind = ModuleKind::component,
                            .command = true,
                            .functions = {"wasi:cli/run@0.2.0#run", "docs:adder/add@0.1.0#add"}};

TEST(FunctionChoice, an_export_of_the_tasks_name_comes_first) {
  EXPECT_EQ(chosen("add", core), "add");
  EXPECT_EQ(chosen("add", component), "add");
  EXPECT_EQ(chosen("docs:adder/add@0.1.0#add", component), "docs:adder/add@0.1.0#add");
}

TEST(FunctionChoice, a_core_module_has_main_run_and_start_to_fall_back_on) {
  EXPECT_EQ(chosen("label", core), "main");
  EXPECT_EQ(chosen("label", {.functions = {"run"}}), "run");
  EXPECT_EQ(chosen("label", command), "");
  EXPECT_EQ(chosen("label", {.functions = {"add"}}), "label");
}

TEST(FunctionChoice, the_command_is_named_by_start_by_nothing_and_by_a_round) {
  for (const auto* name : {"", "_start", "fl-round-3-x"}) {
    EXPECT_EQ(chosen(name, component), "");
    EXPECT_EQ(chosen(name, command), "");
  }
  EXPECT_EQ(chosen("label", component), "");
}

TEST(FunctionChoice, invoke_among_the_arguments_wins) {
  for (const std::vector<std::string>& cli_args :
       {std::vector<std::string>{"-v", "--invoke", "add", "x"}, {"-v", "--invoke=add", "x"}}) {
    const auto arguments = split_cli_args(cli_args);
    EXPECT_THAT(arguments.rest, ElementsAre("-v", "x"));
    const auto choice = choose_function("run", arguments, core);
    EXPECT_EQ(choice.function, "add");
    EXPECT_TRUE(choice.by_argument);
  }
}

TEST(FunctionChoice, an_invoke_without_a_name_is_an_argument_like_others) {
  const auto arguments = split_cli_args({"--invoke"});
  EXPECT_FALSE(arguments.invoke);
  EXPECT_THAT(arguments.rest, ElementsAre("--invoke"));
}

}  // namespace
}  // namespace coffer::fleet::worker
