#include <algorithm>

#include "fleet/manager/cron.h"
#include "fleet/manager/graph.h"
#include "fleet/manager/manager.h"

namespace coffer::fleet::manager {
namespace {

Result<std::optional<TimePoint>> next_run(const Task& task, TimePoint now) {
  if (task.schedule.empty()) return std::nullopt;
  const auto cron = TRY(Cron::parse(task.schedule));
  return cron.next(now, task.timezone);
}

Result<> apply(Task& task, TaskUpdate& update, TimePoint now) {
  if (update.name && !update.name->empty()) task.work.name = *update.name;
  if (update.inputs) task.work.inputs = *update.inputs;
  if (update.priority) task.priority = *update.priority;
  if (update.metadata) task.metadata = *update.metadata;
  if (update.timezone) task.timezone = *update.timezone;
  if (update.is_recurring) task.is_recurring = *update.is_recurring;
  if (update.schedule) task.schedule = *update.schedule;
  if (update.schedule || update.timezone) task.next_run = TRY(next_run(task, now));
  if (update.file) task.has_file = true;
  task.updated_at = now;
  return {};
}

bool is_stoppable(const Task& task) {
  const bool lasts = task.work.daemon || task.details.lasting;
  return is_active(task.state) || (lasts && task.state == TaskState::completed);  // trap 19
}

}  // namespace

Result<Task> Manager::prepare(TaskBody& body, TimePoint at) const {
  auto task = std::move(body.task);
  if (task.work.id.empty()) task.work.id = random_uuid();
  task.created_at = task.updated_at = at;
  task.trace = net::active_traceparent();
  task.next_run = TRY(next_run(task, at));
  return task;
}

Result<> Manager::authorize(PluginAction action, const Task& task) {
  return plugins_ ? plugins_->authorize(action, task) : Result<>{};
}

Result<> Manager::authorize(PluginAction action, std::string_view id) {
  if (!plugins_) return {};
  return plugins_->authorize(action, TRY(task(id)));
}

Result<> Manager::admit(Task& task) {
  if (!plugins_) return {};
  TRY(plugins_->authorize(PluginAction::create, task));
  plugins_->enrich(task);
  return {};
}

Result<Task> Manager::create_task(TaskBody body) {
  body.task.work.id.clear();
  for (const auto& id : body.task.depends_on) TRY(task(id));
  auto made = TRY(prepare(body, now()));
  TRY(admit(made));
  TRY(database_->write(
      [&](store::SqlTransaction& transaction) { return store::insert(transaction, made, body.file); }));
  return made;
}

Result<Task> Manager::task(std::string_view id) {
  return sql_read(*database_, [&](store::SqlTransaction& transaction) { return store::task(transaction, id); });
}

Result<std::optional<Bytes>> Manager::task_file(std::string_view id) {
  return sql_read(*database_, [&](store::SqlTransaction& transaction) { return store::file(transaction, id); });
}

Result<store::Paged<Task>> Manager::tasks(store::Page page, const codec::json::Object& metadata) {
  return sql_read(*database_,
                  [&](store::SqlTransaction& transaction) { return store::list_tasks(transaction, page, metadata); });
}

Result<Task> Manager::update_task(std::string_view id, TaskUpdate update) {
  TRY(authorize(PluginAction::update, id));
  return sql_write(*database_, [&](store::SqlTransaction& transaction) -> Result<Task> {
    auto task = TRY(store::task(transaction, id));
    TRY(apply(task, update, now()));
    if (update.file) TRY(store::save_file(transaction, id, *update.file));
    TRY(store::save(transaction, task));
    return task;
  });
}

Result<Task> Manager::upload(std::string_view id, Bytes file) {
  TaskUpdate update;
  update.file = std::move(file);
  return update_task(id, std::move(update));
}

Result<> Manager::delete_task(std::string_view id) {
  TRY(authorize(PluginAction::delete_, id));
  return change([&](store::SqlTransaction& transaction, Effects& effects) -> Result<> {
    const auto task = TRY(store::task(transaction, id));
    if (task.state == TaskState::running) {
      effects.stops.push_back(Progress::stop_command(task));
      if (!task.assigned.empty()) effects.released.push_back(task.assigned);
    }
    return store::erase_task(transaction, id);
  });
}

Result<> Manager::check_startable(store::SqlTransaction& transaction, const Task& task) {
  if (is_active(task.state)) {
    return fail(ManagerError::already_started, "task \"" + task.id() + "\" is running or waits in the queue already");
  }
  auto work = task.work;
  if (task.has_file) work.file.emplace();
  TRY(check(work));
  std::map<std::string, TaskState, std::less<>> states;
  for (const auto& id : task.depends_on) {
    const auto parent = store::task(transaction, id);
    states[id] = parent ? parent->state : TaskState::failed;
  }
  const auto ready = readiness(task, [&](std::string_view id) { return states.find(id)->second; });
  if (ready == Readiness::ready) return {};
  return fail(ManagerError::unmet_dependencies, "task \"" + task.id() + "\" depends on tasks that have not " +
                                                    (task.run_if == "failure" ? "failed" : "completed"));
}

Result<Task> Manager::start_task(std::string_view id, std::string_view trace) {
  Task started;
  Choice choice;
  bool waits = false;
  if (!outbox_.connected()) {
    return fail(ManagerError::broker_unavailable,
                "there is no connection to the MQTT broker: the task was not started");
  }
  TRY(authorize(PluginAction::start, id));
  TRY(change([&](store::SqlTransaction& transaction, Effects& effects) -> Result<> {
    auto task = TRY(store::task(transaction, id));
    TRY(check_startable(transaction, task));
    auto before = task;
    waits = task.on_unavailable.value_or(options_.on_unavailable) == OnUnavailable::wait;
    if (!trace.empty()) task.trace = trace;
    if (task.trace.empty()) task.trace = net::active_traceparent();
    choice = TRY(progress_.start(transaction, task, now(), waits, busy_waiting_, effects));
    if (choice.is_final(waits)) {
      before.reason = choice.reason;  // for whoever looks at the task later
      return store::save(transaction, before);
    }
    started = task;
    return {};
  }));
  if (choice.is_final(waits)) return fail(choice.code, choice.reason);
  return started;
}

Result<> Manager::stop_task(std::string_view id) {
  TRY(authorize(PluginAction::stop, id));
  return change([&](store::SqlTransaction& transaction, Effects& effects) -> Result<> {
    const auto at = now();
    auto task = TRY(store::task(transaction, id));
    if (!is_stoppable(task)) {
      return fail(ManagerError::not_running, "task \"" + task.id() + "\" is not running");
    }
    if (task.state != TaskState::scheduled) progress_.request_stop(task, at, effects);
    task.stop_requested = true;
    task.details.lasting = false;
    const auto worker = workers_.find(task.assigned);
    const bool deaf = !task.work.broadcast && !(worker && workers_.is_alive(*worker, at));
    if (task.state == TaskState::scheduled || (task.state == TaskState::running && deaf)) {
      task.error = task.state == TaskState::scheduled ? "stopped before it was given to a worker"
                                                      : "stopped while its worker was not alive";
      task.code = code_name(ManagerError::stopped);
      return progress_.end(transaction, task, TaskState::failed, at, effects);
    }
    return store::save(transaction, task);
  });
}

}  // namespace coffer::fleet::manager
