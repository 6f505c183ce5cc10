#include "fleet/manager/progress.h"

#include <algorithm>

#include "fleet/manager/graph.h"
#include "fleet/manager/plugins/plugins.h"
#include "fleet/topics.h"

namespace coffer::fleet::manager {

using store::SqlTransaction;

namespace {

Choice refused(const Error& error) {
  const bool denied = error.code == ManagerError::plugin_denied;
  return {.kind = Choice::Kind::unavailable,
          .reason = error.message,
          .code = denied ? ManagerError::plugin_denied : ManagerError::plugin_failed};
}

}  // namespace

void Progress::reset(Effects& effects) {
  for (const auto& worker : effects.reserved) workers_.add_running(worker, -1);
  effects = {};
}

void Progress::enqueue(Task& task, TimePoint now, bool waits) {
  task.state = TaskState::scheduled;
  task.waits = waits;
  task.queued_at = now;
  task.not_before.reset();
  task.updated_at = now;
  task.start_time.reset();
  task.finish_time.reset();
  task.results = {};
  task.error.clear();
  task.code.clear();
  task.reason.clear();
  task.details = {};
  task.attempt = 0;
  task.assigned.clear();
  task.work.run.clear();
  task.expected.clear();
  task.proplet_results = {};
  task.stop_requested = false;
}

Choice Progress::choose(const Task& task, TimePoint now) {
  if (plugins_ == nullptr) return scheduler_.choose(task, now);
  const auto required = plugins_->before_select(task);
  return required ? scheduler_.choose(task, now, *required) : refused(required.error());
}

// A broadcast goes to whoever hears it, so there is no worker to ask about.
Result<> Progress::let_go(Task& task, const Choice& choice) {
  if (plugins_ == nullptr || choice.worker.empty()) return {};
  return plugins_->before_dispatch(task,
                                   workers_.find(choice.worker).value_or(Worker{.id = choice.worker, .name = {}}));
}

Choice Progress::assign(Task& task, TimePoint now, Effects& effects) {
  auto choice = choose(task, now);
  if (choice.kind != Choice::Kind::worker) return choice;
  if (const auto agreed = let_go(task, choice); !agreed) return refused(agreed.error());
  task.state = TaskState::running;
  task.assigned = choice.worker;
  task.expected = choice.all;
  task.start_time = now;
  task.updated_at = now;
  task.reason.clear();
  ++task.attempt;
  task.work.run = random_uuid();
  task.claimed_by = options_.manager_id;
  task.claim_until = now + options_.claim_lifetime;
  if (!choice.worker.empty()) {
    workers_.add_running(choice.worker, 1);
    effects.reserved.push_back(choice.worker);
  }
  effects.starts.push_back(task);
  if (plugins_ != nullptr) effects.begun.push_back(task);
  return choice;
}

Result<Choice> Progress::start(SqlTransaction& transaction, Task& task, TimePoint now, bool waits, bool contended,
                               Effects& effects) {
  enqueue(task, now, waits);
  auto choice = contended ? choose(task, now) : assign(task, now, effects);
  if (contended && choice.kind == Choice::Kind::worker) {
    choice = {.kind = Choice::Kind::busy, .reason = "others wait before it"};
    effects.look = true;
  }
  if (choice.is_final(waits)) return choice;
  if (choice.kind != Choice::Kind::worker) {
    task.reason = choice.reason;
    ++effects.queued;
    effects.busy = effects.busy || choice.kind == Choice::Kind::busy;
  }
  TRY(store::save(transaction, task));
  return choice;
}

void Progress::release(const Task& task, Effects& effects) const {
  if (!task.assigned.empty()) effects.released.push_back(task.assigned);
}

Result<> Progress::end(SqlTransaction& transaction, Task& task, TaskState state, TimePoint now, Effects& effects) {
  if (task.state == TaskState::running) release(task, effects);
  task.state = state;
  task.finish_time = now;
  task.updated_at = now;
  task.claim_until.reset();
  task.reason.clear();
  effects.freed = true;
  effects.outcomes.push_back(EndedTask::of(task));
  if (plugins_ != nullptr) effects.ended.push_back(task);
  TRY(store::save(transaction, task));
  return go_on(transaction, task, now, effects);
}

Result<> Progress::complete(SqlTransaction& transaction, Task& task, TimePoint now, Effects& effects) {
  task.error.clear();
  task.code.clear();
  return end(transaction, task, TaskState::completed, now, effects);
}

Result<> Progress::fail_run(SqlTransaction& transaction, Task& task, ErrorCode code, std::string error, TimePoint now,
                            Effects& effects) {
  task.error = std::move(error);
  task.code = code.name();
  if (task.stop_requested || task.attempt > task.retries) {
    return end(transaction, task, TaskState::failed, now, effects);
  }
  release(task, effects);
  task.state = TaskState::scheduled;
  task.reason = "attempt " + std::to_string(task.attempt) + " failed: " + task.error;
  task.not_before = now + task.retry_delay;
  task.assigned.clear();
  task.updated_at = now;
  ++effects.queued;
  effects.look = true;
  return store::save(transaction, task);
}

Result<> Progress::go_on(SqlTransaction& transaction, const Task& ended, TimePoint now, Effects& effects) {
  if (!ended.job_id.empty()) return go_on_with_job(transaction, ended, now, effects);
  if (!ended.workflow_id.empty()) return go_on_with_workflow(transaction, ended, now, effects);
  return {};
}

void Progress::request_stop(Task& task, TimePoint now, Effects& effects) const {
  task.stop_requested = true;
  task.updated_at = now;
  task.claimed_by.clear();
  task.claim_until = now + options_.stop_grace;
  effects.stops.push_back(stop_command(task));
}

StopCommand Progress::stop_command(const Task& task) {
  return {.id = task.id(), .broadcast = task.work.broadcast, .proplet_id = task.assigned, .traceparent = task.trace};
}

Result<> Progress::stop_all(SqlTransaction& transaction, std::vector<Task>& tasks, std::string_view why, TimePoint now,
                            Effects& effects) {
  for (auto& task : tasks) {
    if (is_terminal(task.state)) continue;
    task.updated_at = now;
    if (task.state == TaskState::running) {
      request_stop(task, now, effects);
    } else {
      task.state = TaskState::skipped;
      task.finish_time = now;
      task.reason = why;
      task.code = code_name(ManagerError::dependency_failed);
    }
    TRY(store::save(transaction, task));
  }
  return {};
}

Result<> Progress::start_ready(SqlTransaction& transaction, Job& job, TimePoint now, Effects& effects) {
  auto tasks = TRY(store::tasks_of_job(transaction, job.id));
  for (const auto& id : ready_tasks(job, tasks)) {
    const auto task = std::ranges::find_if(tasks, [&](const Task& t) { return t.id() == id; });
    const bool waits = task->on_unavailable.value_or(OnUnavailable::wait) == OnUnavailable::wait;
    const auto choice = TRY(start(transaction, *task, now, waits, false, effects));
    if (choice.is_final(waits)) {
      task->error = choice.reason;
      task->code = code_name(choice.code);
      TRY(end(transaction, *task, TaskState::failed, now, effects));
      return {};  // end() has gone on with the job
    }
  }
  return {};
}

Result<> Progress::go_on_with_job(SqlTransaction& transaction, const Task& ended, TimePoint now, Effects& effects) {
  auto job = TRY(store::job(transaction, ended.job_id));
  if (!job.started) return {};
  if (ended.state != TaskState::completed && ended.state != TaskState::skipped) {
    auto tasks = TRY(store::tasks_of_job(transaction, job.id));
    TRY(stop_all(transaction, tasks, "task " + ended.work.name + " of the job failed", now, effects));
  } else {
    TRY(start_ready(transaction, job, now, effects));
  }
  const auto tasks = TRY(store::tasks_of_job(transaction, job.id));
  if (!std::ranges::all_of(tasks, [](const Task& task) { return is_terminal(task.state); })) return {};
  job.finish_time = now;
  job.started = false;
  return store::save(transaction, job);
}

// Nobody asked for this start but the workflow itself.
Result<Choice> Progress::start_by_itself(SqlTransaction& transaction, Task& task, TimePoint now, Effects& effects) {
  if (plugins_ == nullptr) return start(transaction, task, now, true, false, effects);
  const CallerScope caller("system");
  if (const auto allowed = plugins_->authorize(PluginAction::start, task); !allowed) {
    enqueue(task, now, true);
    return refused(allowed.error());
  }
  return start(transaction, task, now, true, false, effects);
}

Result<> Progress::go_on_with_workflow(SqlTransaction& transaction, const Task& ended, TimePoint now,
                                       Effects& effects) {
  auto tasks = TRY(store::tasks_of_workflow(transaction, ended.workflow_id));
  const auto state_of = [&](std::string_view id) {
    const auto found = std::ranges::find_if(tasks, [&](const Task& task) { return task.id() == id; });
    return found == tasks.end() ? TaskState::failed : found->state;  // one that was deleted completed nothing
  };
  for (bool changed = true; changed;) {
    changed = false;
    for (auto& task : tasks) {
      if (task.state != TaskState::pending || task.depends_on.empty()) continue;
      const auto ready = readiness(task, state_of);
      if (ready == Readiness::waits) continue;
      changed = true;
      if (ready == Readiness::ready) {
        const auto choice = TRY(start_by_itself(transaction, task, now, effects));
        if (!choice.is_final(true)) continue;
        task.error = choice.reason;
        task.code = code_name(choice.code);
        return end(transaction, task, TaskState::failed, now, effects);  // which goes on with the workflow
      }
      task.state = TaskState::skipped;
      task.finish_time = now;
      task.updated_at = now;
      task.reason = "what it depends on did not end as run_if asks";
      TRY(store::save(transaction, task));
    }
  }
  return {};
}

}  // namespace coffer::fleet::manager
