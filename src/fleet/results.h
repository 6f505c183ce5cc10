// What a worker answers.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "codec/json.h"

namespace coffer::fleet {

// The keys that ours add to both kinds of result.
struct ResultDetails {
  std::string code{};  // stable error code
  std::string stdout_text{}, stderr_text{};
  std::optional<int> exit_code{};
  std::string module_digest{};
  std::string signature{};  // sign_result() of attested_key.h
  bool lasting = false;     // the task goes on until it is stopped: a daemon, or one that serves
  friend bool operator==(const ResultDetails&, const ResultDetails&) = default;
};

struct TaskResult {
  std::string task_id;
  std::string proplet_id{};  // absent in results of federated rounds
  // A string, or for federated rounds an object. Parsing takes any type.
  codec::json::Value results{std::string{}};
  std::optional<std::string> error{};  // null on the wire where absent
  ResultDetails details{};
  std::string run{};  // of the start; ours
};

struct InvokeResult {
  std::string task_id, invocation_id;
  std::string proplet_id{};
  codec::json::Value results{std::string{}};
  std::optional<std::string> error{};
  ResultDetails details{};
};

// An empty error text counts as none, as upstream's manager reads it.
Result<TaskResult> parse_task_result(std::string_view payload);
Result<InvokeResult> parse_invoke_result(std::string_view payload);
std::string to_json(const TaskResult& result);
std::string to_json(const InvokeResult& result);

}  // namespace coffer::fleet
