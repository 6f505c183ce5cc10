#include "workload/external_runtime.h"

#include "workload/detail/child_process.h"
#include "workload/detail/memory_file.h"

namespace coffer::workload {
namespace {

Result<> check_possible(const ExternalProgram& program, const Execution& execution) {
  if (execution.limits.fuel > 0 || execution.limits.memory > 0) {
    return fail(WorkloadError::usage,
                "fuel and memory limits hold only in the embedded runtime; leave out the runtime " + program.path +
                    ", or give it its own limits");
  }
  if (!execution.standard_input) return {};
  return fail(WorkloadError::usage, "the runtime " + program.path + " gets no input but this process's own");
}

}  // namespace

std::vector<std::string> runtime_arguments(const ExternalProgram& program, const Execution& execution,
                                           const std::string& module_path) {
  std::vector<std::string> arguments{program.path};
  arguments.insert(arguments.end(), program.leading_arguments.begin(), program.leading_arguments.end());
  const auto add = [&](std::string_view flag, std::string value) {
    arguments.emplace_back(flag);
    arguments.push_back(std::move(value));
  };
  if (!execution.function.empty()) add("--invoke", execution.function);
  for (const auto& [name, value] : execution.environment) {
    auto setting = name;
    add("--env", std::move(setting.append("=").append(value)));
  }
  for (const auto& [host, guest, read_only] : execution.directories) {
    auto directory = host.string();
    if (directory != guest) directory.append("::").append(guest);
    add("--dir", std::move(directory));
  }
  arguments.push_back(module_path);
  arguments.insert(arguments.end(), execution.arguments.begin(), execution.arguments.end());
  return arguments;
}

Result<ExecutionResult> run_external(const ExternalProgram& program, ByteView module, const Execution& execution) {
  TRY(check_possible(program, execution));
  const auto start = std::chrono::steady_clock::now();
  const auto file = TRY(detail::make_memory_file(module));
  auto arguments = runtime_arguments(program, execution, detail::path_of(file));
  auto child = TRY(detail::ChildProcess::spawn(program, std::move(arguments), file.get(), execution));
  ExecutionResult result;
  result.exit_code = TRY(child.wait(execution));
  result.usage.wall_time = std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now() - start);
  return result;
}

}  // namespace coffer::workload
