#include "fleet/worker/runtimes/execution.h"

#include <algorithm>

#include "wasm/error.h"
#include "workload/error.h"

namespace coffer::fleet::worker {
namespace {

constexpr std::size_t max_error_tail = 2048;  // bytes of standard error in an error's text

std::string parent_results(const Run& run) {
  return run.task.parent_results.empty() ? "" : codec::json::serialize(run.task.parent_results);
}

std::vector<std::pair<std::string, std::string>> environment_of(const Run& run, const std::string& own_id) {
  auto variables = run.task.env;
  for (const auto& [name, value] : run.env) variables[name] = value;
  variables.try_emplace("PROPLET_ID", own_id);
  if (auto results = parent_results(run); !results.empty()) variables.try_emplace("PARENT_RESULTS", std::move(results));
  return {variables.begin(), variables.end()};
}

// The smaller of what the worker allows and what the request asks for; 0 is no limit.
template <class Limit>
Limit smaller(Limit own, Limit asked) {
  if (own == Limit{}) return asked;
  return asked == Limit{} ? own : std::min(own, asked);
}

std::string values_text(const std::vector<std::string>& values, bool lines) {
  if (!lines) return values.empty() ? "" : values.front();
  std::string text;
  for (const auto& value : values) text += value + "\n";
  return text;
}

std::string tail_of(const std::string& text) {
  if (text.empty()) return "";
  return ": " + (text.size() > max_error_tail ? text.substr(text.size() - max_error_tail) : text);
}

}  // namespace

Error stopped_or(const Error& error) {
  const bool stopped = error.code == wasm::WasmError::cancelled || error.code == workload::WorkloadError::cancelled;
  return stopped ? Error{WorkerError::stopped, "the task was stopped"} : error;
}

workload::Execution execution_of(const Run& run, const FunctionChoice& choice, const TaskConfig& config,
                                 const std::string& own_id) {
  workload::Execution execution{
      .function = choice.function, .arguments = run.inputs, .environment = environment_of(run, own_id)};
  for (const auto& directory : config.directories) {
    execution.directories.push_back({directory, directory.string(), false});
  }
  execution.limits = {.memory = smaller<std::uint64_t>(config.memory, run.task.memory_bytes.value_or(0)),
                      .fuel = smaller<std::uint64_t>(config.fuel, run.task.fuel.value_or(0)),
                      .wall_time = smaller<Duration>(config.wall_time, run.task.timeout.value_or(Duration{0}))};
  return execution;
}

RunReport report_of(const Result<workload::ExecutionResult>& result, const FunctionChoice& choice,
                    const Streams& streams, wasm::ModuleKind kind) {
  RunReport report;
  auto& details = report.details;
  details.stdout_text = streams.output.text();
  details.stderr_text = streams.error.text();
  if (!result) {
    report.error = stopped_or(result.error());
    return report;
  }
  const bool command = choice.function.empty();
  report.results = command ? details.stdout_text : values_text(result->values, choice.by_argument);
  // Upstream tells both streams of a component's command in one text.
  if (command && kind == wasm::ModuleKind::component && !details.stderr_text.empty()) {
    report.results += "\n" + details.stderr_text;
  }
  details.exit_code = result->exit_code;
  if (result->exit_code == 0) return report;
  report.error = Error{WorkerError::exit_code, "the module ended with exit code " + std::to_string(result->exit_code) +
                                                   tail_of(details.stderr_text)};
  return report;
}

}  // namespace coffer::fleet::worker
