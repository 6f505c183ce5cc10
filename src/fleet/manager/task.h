// A task as the manager keeps it: what goes to a worker, what came back, and what decides when and where it runs.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "codec/json.h"
#include "fleet/commands.h"
#include "fleet/manager/error.h"
#include "fleet/results.h"

namespace coffer::fleet::manager {

// Upstream's numbers (propeller.md section 4.2). Scheduled, which it never uses, is ours for "waits in the queue".
enum class TaskState : std::uint8_t { pending, scheduled, running, completed, failed, skipped, interrupted };
bool is_terminal(TaskState state);
bool is_active(TaskState state);  // scheduled or running

// What to do about runs of a schedule that were missed while no manager ran.
enum class CatchUp { skip, once };
// What to do where nobody can run a task: upstream's answer is an error; a job's tasks wait.
enum class OnUnavailable { fail, wait };

// Where a task may run, beside what `encrypted` asks.
struct Requirements {
  std::vector<std::string> tags{};
  std::string tee{};  // "tdx"; empty: any or none
  std::uint64_t memory_bytes = 0;
  friend bool operator==(const Requirements&, const Requirements&) = default;
};

struct Task {
  StartCommand work;  // without its file, which is kept apart; work.proplet_id is the worker it is pinned to
  bool has_file = false;
  std::string kind{};  // "", "standard", "federated"
  TaskState state = TaskState::pending;
  int priority = 50;
  codec::json::Value metadata{};

  std::vector<std::string> depends_on{};
  std::string run_if{}, workflow_id{}, job_id{};

  std::string schedule{}, timezone{};
  bool is_recurring = false;
  CatchUp catch_up = CatchUp::skip;
  std::optional<TimePoint> next_run{};

  std::optional<OnUnavailable> on_unavailable{};
  Requirements requires_{};
  unsigned retries = 0;
  std::chrono::seconds retry_delay{0};

  TimePoint created_at{}, updated_at{};
  std::optional<TimePoint> start_time{}, finish_time{};
  codec::json::Value results{};  // null where there are none
  std::string error{}, code{};
  ResultDetails details{};

  // Of the present or last run
  unsigned attempt = 0;
  std::string assigned{};  // the worker
  std::string reason{};    // why it waits, or why it was not started
  bool waits = false;      // in the queue also where nobody may run it
  bool stop_requested = false;
  std::vector<std::string> expected{};    // a broadcast's workers that have not answered
  codec::json::Object proplet_results{};  // a broadcast's answers by worker
  std::optional<TimePoint> queued_at{}, not_before{};

  std::string trace{};  // W3C traceparent of what it was asked for by; empty where nothing is traced

  // Between the commit that made it run and the broker's acknowledgement of its start, a task is claimed by one
  // manager; another takes over after `claim_until`. After a stop, that is until when the worker has time for it.
  std::string claimed_by{};  // empty: the broker has the start
  std::optional<TimePoint> claim_until{};

  const std::string& id() const { return work.id; }
};

// As REST shows it: upstream's members and presence rules, then ours. The file is not in it.
codec::json::Object to_json(const Task& task);
// The same without its times.
codec::json::Object members_of(const Task& task);
// "0001-01-01T00:00:00Z" where there is none, as Go prints its zero time.
std::string time_text(const std::optional<TimePoint>& time);
// The first and last ten characters of a file's base64, as lists show it.
std::string redacted(std::string_view base64);

// What is kept in the store, but for the claim, which has columns of its own; and back. ManagerError::internal for text
// that is none of ours.
std::string to_document(const Task& task);
Result<Task> parse_document(std::string_view document);

}  // namespace coffer::fleet::manager
