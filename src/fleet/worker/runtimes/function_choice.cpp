#include "fleet/worker/runtimes/function_choice.h"

#include <algorithm>
#include <string_view>

namespace coffer::fleet::worker {
namespace {

constexpr std::string_view invoke_flag = "--invoke";

bool exports(const ModuleShape& shape, std::string_view name) {
  return std::ranges::any_of(shape.functions, [&](const std::string& function) {
    const auto hash = function.rfind('#');
    return function == name || (hash != std::string::npos && std::string_view{function}.substr(hash + 1) == name);
  });
}

std::string choose_by_name(const std::string& name, const ModuleShape& shape) {
  const bool named_as_command = name.empty() || name == "_start" || name.starts_with("fl-round-");
  if (named_as_command && shape.command) return "";
  if (exports(shape, name)) return name;
  if (shape.kind == wasm::ModuleKind::core) {
    for (const auto* usual : {"main", "run"}) {
      if (exports(shape, usual)) return usual;
    }
  }
  return shape.command ? "" : name;
}

}  // namespace

ModuleShape shape_of(const wasm::Module& module) {
  ModuleShape shape{.kind = module.kind(), .command = module.is_command()};
  for (auto& function : module.exports()) shape.functions.push_back(std::move(function.name));
  return shape;
}

CliArguments split_cli_args(const std::vector<std::string>& cli_args) {
  CliArguments out;
  for (std::size_t at = 0; at < cli_args.size(); ++at) {
    const auto& argument = cli_args[at];
    const bool joined = argument.starts_with(invoke_flag) && argument.size() > invoke_flag.size() &&
                        argument[invoke_flag.size()] == '=';
    if (!out.invoke && joined) {
      out.invoke = argument.substr(invoke_flag.size() + 1);
    } else if (!out.invoke && argument == invoke_flag && at + 1 < cli_args.size()) {
      out.invoke = cli_args[++at];
    } else {
      out.rest.push_back(argument);
    }
  }
  return out;
}

FunctionChoice choose_function(const std::string& name, const CliArguments& arguments, const ModuleShape& shape) {
  if (arguments.invoke) return {*arguments.invoke, true};
  return {choose_by_name(name, shape), false};
}

}  // namespace coffer::fleet::worker
