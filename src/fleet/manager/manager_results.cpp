// What workers answer.
#include <algorithm>

#include "base/log.h"
#include "fleet/manager/manager.h"

namespace coffer::fleet::manager {
namespace {

// A worker that was given up may have been only far away: what it brings in the end counts, where nobody else was asked
// meanwhile.
bool is_late(const Task& task) {
  return task.state == TaskState::failed &&
         (task.code == code_name(ManagerError::worker_lost) || task.code == code_name(ManagerError::result_lost));
}

// What counted as completed when it had begun to serve, and has failed since.
bool is_end_of_lasting(const Task& task, const TaskResult& result) {
  return task.state == TaskState::completed && task.details.lasting && !task.work.broadcast && result.error &&
         result.proplet_id == task.assigned;
}

bool is_expected(const Task& task, const TaskResult& result) {
  if (task.state != TaskState::running && !is_late(task)) return false;
  // A result may come again when the task runs anew: upstream's workers cannot tell, ours can.
  if (!result.run.empty() && result.run != task.work.run) return false;
  // Results of federated rounds do not say whose they are (trap 23).
  return task.work.broadcast || result.proplet_id.empty() || result.proplet_id == task.assigned;
}

ErrorCode code_of(const TaskResult& result) {
  // Codes are of static storage; a worker's own text is kept beside.
  return result.details.code == code_name(ManagerError::stopped) ? ManagerError::stopped : ManagerError::internal;
}

}  // namespace

// A task may be run again under its id: what was said of the run before, and is said again by whoever heard it, ends
// nothing.
bool Manager::is_of_earlier_run(const Task& task, std::optional<TimePoint> sent_at) const {
  return sent_at && task.start_time && *sent_at + options_.clock_tolerance < *task.start_time;
}

Result<> Manager::take_result(const TaskResult& result, std::optional<TimePoint> sent_at) {
  const auto begin = net::system_nanoseconds();
  std::string trace;
  const auto taken = write_result(result, sent_at, trace);
  const auto context = net::TraceContext::parse(trace);
  if (!context) return taken;
  auto span = tracer_.start("task.result", {.parent = context, .kind = net::SpanKind::consumer, .start = begin});
  span.set("task_id", result.task_id);
  span.set("proplet_id", result.proplet_id);
  if (result.error) span.set("task_code", result.details.code);
  span.note(taken);
  return taken;
}

Result<> Manager::write_result(const TaskResult& result, std::optional<TimePoint> sent_at, std::string& trace) {
  return change([&](store::SqlTransaction& transaction, Effects& effects) -> Result<> {
    auto task = store::task(transaction, result.task_id);
    if (task) trace = task->trace;
    if (task && is_of_earlier_run(*task, sent_at)) {
      log::warn("fleet.result_passed_over", "this result was sent before the task was started",
                {{"task_id", result.task_id}, {"proplet_id", result.proplet_id}});
      return {};
    }
    if (task && is_end_of_lasting(*task, result)) return end_lasting(transaction, *task, result);
    if (!task || !is_expected(*task, result)) {
      log::info("fleet.result_passed_over", "nobody waits for this result, or another worker was given the task",
                {{"task_id", result.task_id}, {"proplet_id", result.proplet_id}});
      if (!task && task.error().code != ErrorCode{ManagerError::not_found}) return fail(task.error());
      return {};
    }
    if (task->work.broadcast) return take_broadcast_result(transaction, *task, result, effects);
    task->results = result.results;
    task->details = result.details;
    task->details.code.clear();
    const auto at = now();
    if (!result.error) return progress_.complete(transaction, *task, at, effects);
    TRY(progress_.fail_run(transaction, *task, code_of(result), *result.error, at, effects));
    task->code = task->stop_requested ? std::string{code_name(ManagerError::stopped)} : result.details.code;
    for (auto& outcome : effects.outcomes) {
      if (outcome.id == task->id()) outcome.code = task->code;
    }
    return store::save(transaction, *task);
  });
}

// Whatever waited for its completion has gone on long since.
Result<> Manager::end_lasting(store::SqlTransaction& transaction, Task& task, const TaskResult& result) const {
  task.state = TaskState::failed;
  task.error = *result.error;
  task.code = result.details.code;
  task.details.lasting = false;
  task.finish_time = task.updated_at = now();
  return store::save(transaction, task);
}

Result<> Manager::take_broadcast_result(store::SqlTransaction& transaction, Task& task, const TaskResult& result,
                                        Effects& effects) {
  if (result.proplet_id.empty() || std::erase(task.expected, result.proplet_id) == 0) return {};
  codec::json::Object answer{{"results", result.results}};
  if (result.error) answer.append("error", *result.error);
  task.proplet_results.set(result.proplet_id, std::move(answer));
  task.results = result.results;
  if (result.error) task.error = result.proplet_id + ": " + *result.error;
  const auto at = now();
  task.updated_at = at;
  if (!task.expected.empty()) return store::save(transaction, task);
  return progress_.end(transaction, task, task.error.empty() ? TaskState::completed : TaskState::failed, at, effects);
}

Result<> Manager::end_lost(const std::string& worker, ManagerError code, const std::string& why) {
  return change([&](store::SqlTransaction& transaction, Effects& effects) -> Result<> {
    const auto at = now();
    for (auto& task : TRY(store::running_on(transaction, worker))) {
      const bool idle = code == ManagerError::result_lost;
      if (idle &&
          (task.work.latent || !task.claimed_by.empty() || at - task.start_time.value_or(at) < options_.result_grace)) {
        continue;
      }
      TRY(progress_.fail_run(transaction, task, code, why, at, effects));
    }
    return {};
  });
}

// A worker that is silent for long has lost its tasks; so has one that says, three times, that it runs nothing.
Result<> Manager::find_lost() {
  const auto at = now();
  for (const auto& worker : workers_.all()) {
    if (worker.running == 0) continue;
    const bool silent = !worker.last_alive() || at - *worker.last_alive() > options_.lost_after;
    if (silent || (worker.offline && at - *worker.last_alive() > options_.workers.alive_timeout)) {
      TRY(end_lost(worker.id, ManagerError::worker_lost,
                   "worker " + worker.id + " was not heard of since " + time_text(worker.last_alive())));
    } else if (worker.idle_beats >= 3) {
      TRY(end_lost(worker.id, ManagerError::result_lost,
                   "worker " + worker.id + " does not run it any more, and its result did not arrive"));
    }
  }
  return end_lost_broadcasts();
}

Result<> Manager::end_lost_broadcasts() {
  return change([&](store::SqlTransaction& transaction, Effects& effects) -> Result<> {
    const auto at = now();
    for (auto& task : TRY(store::running_broadcasts(transaction))) {
      const auto lost = std::erase_if(task.expected, [&](const std::string& id) {
        const auto worker = workers_.find(id);
        return !worker || !worker->last_alive() || at - *worker->last_alive() > options_.lost_after;
      });
      if (lost == 0) continue;
      task.error = std::to_string(lost) + " of its workers were lost";
      task.code = code_name(ManagerError::worker_lost);
      TRY(task.expected.empty() ? progress_.end(transaction, task, TaskState::failed, at, effects)
                                : store::save(transaction, task));
    }
    return {};
  });
}

}  // namespace coffer::fleet::manager
