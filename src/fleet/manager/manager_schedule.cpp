// Tasks whose time has come.
#include "base/log.h"
#include "fleet/manager/cron.h"
#include "fleet/manager/manager.h"

namespace coffer::fleet::manager {
namespace {

constexpr std::size_t most_at_once = 256;

}  // namespace

// The next run is written in the transaction that starts this one: of several managers one starts it, and a manager
// that dies in between has started nothing.
Result<> Manager::run_one_due(store::SqlTransaction& transaction, Task& task, Effects& effects) {
  const auto at = now();
  const auto was_due = task.next_run.value_or(at);
  const bool missed = at - was_due > options_.cron_grace && task.catch_up == CatchUp::skip;
  if (task.is_recurring) {
    const auto cron = Cron::parse(task.schedule);
    const auto next = cron ? cron->next(at, task.timezone) : Result<std::optional<TimePoint>>{std::nullopt};
    task.next_run = next ? *next : std::nullopt;
  } else {
    task.schedule.clear();
    task.next_run.reset();
  }
  if (missed || is_active(task.state)) {
    task.reason = (missed ? "the run of " : "its last run had not ended at ") + time_text(was_due) +
                  (missed ? " was missed" : "");
    task.updated_at = at;
    return store::save(transaction, task);
  }
  task.trace = tracer_.start("task.schedule").traceparent();
  const bool waits = task.on_unavailable.value_or(OnUnavailable::wait) == OnUnavailable::wait;
  if (const auto allowed = authorize(PluginAction::start, task); !allowed) {
    Progress::enqueue(task, at, false);
    task.error = allowed.error().message;
    task.code = allowed.error().code.name();
    return progress_.end(transaction, task, TaskState::failed, at, effects);
  }
  const auto choice = TRY(progress_.start(transaction, task, at, waits, busy_waiting_, effects));
  if (!choice.is_final(waits)) return {};
  task.error = choice.reason;
  task.code = code_name(choice.code);
  return progress_.end(transaction, task, TaskState::failed, at, effects);
}

Result<> Manager::run_due() {
  return change([&](store::SqlTransaction& transaction, Effects& effects) -> Result<> {
    for (auto& task : TRY(store::due(transaction, now(), most_at_once))) {
      TRY(run_one_due(transaction, task, effects));
    }
    return {};
  });
}

// The tasks of a round have ids that follow from it, so that a message that comes twice starts nothing twice. False
// where this one runs already; one that has ended is made anew.
Result<bool> Manager::make_round_task(Task task) {
  return sql_write(*database_, [&](store::SqlTransaction& transaction) -> Result<bool> {
    task.created_at = task.updated_at = now();
    const auto present = store::task(transaction, task.id());
    if (present && is_active(present->state)) return false;
    if (!present && present.error().code != ManagerError::not_found) return fail(present.error());
    TRY(present ? store::save(transaction, task) : store::insert(transaction, task, std::nullopt));
    return true;
  });
}

// One task a participant, named and fed as upstream's (propeller.md section 4.4); the aggregation is the coordinator's.
Result<> Manager::start_round(const RoundStart& round) {
  const auto span = tracer_.start("round.start", {.kind = net::SpanKind::consumer});
  for (const auto& participant : round.participants) {
    Task task;
    task.trace = span.traceparent();
    task.work.id = uuid_of({"round", round.round_id, participant});
    task.work.name = "fl-round-" + round.round_id + "-" + participant;
    task.kind = "federated";
    task.work.mode = "train";
    task.work.image_url = round.task_wasm_image;
    task.work.proplet_id = participant;
    task.work.env = {{"ROUND_ID", round.round_id},
                     {"MODEL_URI", round.model_uri},
                     {"HYPERPARAMS", codec::json::serialize(round.hyperparams)}};
    if (round.sealed) task.work.env.emplace("FL_UPDATE_SEALED", "true");
    task.work.encrypted = round.encrypted;
    task.work.kbs_resource_path = round.kbs_resource_path;
    if (!TRY(make_round_task(task))) continue;
    if (const auto started = start_task(task.id()); !started) {
      log::warn("fleet.round_task_not_started", started.error().message,
                {{"round", round.round_id}, {"proplet_id", participant}});
    }
  }
  return {};
}

}  // namespace coffer::fleet::manager
