#include <algorithm>

#include "fleet/manager/graph.h"
#include "fleet/manager/manager.h"

namespace coffer::fleet::manager {
namespace {

std::vector<Task> tasks_in(const std::vector<TaskBody>& bodies) {
  std::vector<Task> tasks;
  for (const auto& body : bodies) tasks.push_back(body.task);
  return tasks;
}

bool any_active(const std::vector<Task>& tasks) {
  return std::ranges::any_of(tasks, [](const Task& task) { return is_active(task.state); });
}

}  // namespace

Result<> Manager::authorize_all(PluginAction action, std::string_view job) {
  if (!plugins_) return {};
  for (const auto& task : TRY(this->job(job)).tasks) TRY(plugins_->authorize(action, task));
  return {};
}

// Tasks of one call are made together or not at all; those without an id of the client's get one.
Result<> Manager::insert_all(std::vector<TaskBody>& bodies, std::vector<Task>& tasks, const Job* job) {
  const auto at = now();
  const auto workflow = job == nullptr ? random_uuid() : std::string{};
  for (auto& body : bodies) {
    if (body.task.work.id.empty()) body.task.work.id = random_uuid();
    body.task.job_id = job != nullptr ? job->id : "";
    body.task.workflow_id = workflow;
  }
  TRY(check_graph(tasks_in(bodies)));
  for (auto& body : bodies) tasks.push_back(TRY(prepare(body, at)));
  for (auto& task : tasks) TRY(admit(task));
  return database_->write([&](store::SqlTransaction& transaction) -> Result<> {
    if (job != nullptr) TRY(store::save(transaction, *job));
    for (std::size_t i = 0; i < tasks.size(); ++i) TRY(store::insert(transaction, tasks[i], bodies[i].file, i));
    return {};
  });
}

Result<Manager::JobView> Manager::create_job(JobBody body) {
  JobView view;
  view.job.id = random_uuid();
  view.job.name = body.name;
  view.job.created_at = now();
  if (!body.execution_mode.empty() || !options_.job_mode) {
    view.job.mode = TRY(parse_job_mode(body.execution_mode));
  } else {
    view.job.mode = *options_.job_mode;
  }
  TRY(insert_all(body.tasks, view.tasks, &view.job));
  return view;
}

Result<std::vector<Task>> Manager::create_workflow(std::vector<TaskBody> bodies) {
  std::vector<Task> tasks;
  TRY(insert_all(bodies, tasks, nullptr));
  return tasks;
}

Result<Manager::JobView> Manager::job(std::string_view id) {
  return sql_read(*database_, [&](store::SqlTransaction& transaction) -> Result<JobView> {
    auto job = TRY(store::job(transaction, id));
    auto tasks = TRY(store::tasks_of_job(transaction, id));
    return JobView{std::move(job), std::move(tasks)};
  });
}

Result<store::Paged<Manager::JobView>> Manager::jobs(store::Page page, std::optional<TaskState> state) {
  return sql_read(*database_, [&](store::SqlTransaction& transaction) -> Result<store::Paged<JobView>> {
    store::Paged<JobView> found;
    for (auto& job : TRY(store::jobs(transaction))) {
      const bool in_page = found.total >= page.offset && found.items.size() < page.limit;
      if (!state && !in_page) {
        ++found.total;
        continue;
      }
      auto tasks = TRY(store::tasks_of_job(transaction, job.id));
      if (state && state_of(job, tasks) != *state) continue;
      ++found.total;
      if (in_page) found.items.push_back({std::move(job), std::move(tasks)});
    }
    return found;
  });
}

Result<> Manager::start_job(std::string_view id) {
  if (!outbox_.connected()) {
    return fail(ManagerError::broker_unavailable, "there is no connection to the MQTT broker: the job was not started");
  }
  TRY(authorize_all(PluginAction::start, id));
  return change([&](store::SqlTransaction& transaction, Effects& effects) -> Result<> {
    const auto at = now();
    auto job = TRY(store::job(transaction, id));
    auto tasks = TRY(store::tasks_of_job(transaction, id));
    if (job.started || any_active(tasks)) {
      return fail(ManagerError::already_started, "job \"" + job.id + "\" is running already");
    }
    for (auto& task : tasks) {
      if (task.state == TaskState::pending) continue;
      Progress::enqueue(task, at, true);  // forgets the last run
      task.state = TaskState::pending;
      TRY(store::save(transaction, task));
    }
    job.started = true;
    job.start_time = at;
    job.finish_time.reset();
    TRY(store::save(transaction, job));
    return progress_.start_ready(transaction, job, at, effects);
  });
}

Result<> Manager::stop_job(std::string_view id) {
  TRY(authorize_all(PluginAction::stop, id));
  return change([&](store::SqlTransaction& transaction, Effects& effects) -> Result<> {
    const auto at = now();
    auto job = TRY(store::job(transaction, id));
    auto tasks = TRY(store::tasks_of_job(transaction, id));
    if (!job.started && !any_active(tasks)) {
      return fail(ManagerError::not_running, "job \"" + job.id + "\" is not running");
    }
    TRY(progress_.stop_all(transaction, tasks, "the job was stopped", at, effects));
    job.started = false;
    job.finish_time = at;
    return store::save(transaction, job);
  });
}

}  // namespace coffer::fleet::manager
