// What of a module is run, and with which arguments: upstream's rules over a task's name, its cli_args and the exports.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "fleet/commands.h"
#include "wasm/module.h"

namespace coffer::fleet::worker {

struct ModuleShape {
  wasm::ModuleKind kind = wasm::ModuleKind::core;
  bool command = false;
  std::vector<std::string> functions{};
};
ModuleShape shape_of(const wasm::Module& module);

// `--invoke NAME` or `--invoke=NAME` taken out of a task's cli_args.
struct CliArguments {
  std::optional<std::string> invoke{};
  std::vector<std::string> rest{};
};
CliArguments split_cli_args(const std::vector<std::string>& cli_args);

struct FunctionChoice {
  std::string function{};  // empty: the command's start
  // Chosen by `--invoke`, as upstream's encrypted tasks do it: results are then written as wasmtime's command line
  // writes them, a line each.
  bool by_argument = false;
};

// 1. What `--invoke` names. 2. The command for the names "", "_start" and "fl-round-...". 3. The export of the task's
// name. 4. Of a core module main, run, _start; of a component its command. Otherwise the name, for the engine to
// complain about.
FunctionChoice choose_function(const std::string& name, const CliArguments& arguments, const ModuleShape& shape);

}  // namespace coffer::fleet::worker
