#include "fleet/manager/manager.h"

#include "base/log.h"
#include "net/error.h"

namespace coffer::fleet::manager {
namespace {

void log_failure(std::string_view event, const Error& error) {
  log::warn(event, error.message, {{"code", std::string{error.code.name()}}});
}

// `parse` gives what `take` is called with; what cannot be read is logged and passed over.
template <class Parse, class Take>
void read_as(Parse parse, std::string_view payload, Take take) {
  const auto message = parse(payload);
  if (message) {
    take(*message);
  } else {
    log_failure("fleet.message_unreadable", message.error());
  }
}

// The database is away, or too many want the same rows.
bool may_pass(const Error& error) {
  return error.code == storage::SqlError::unavailable || error.code == storage::SqlError::conflict;
}

}  // namespace

Manager::Manager(ManagerOptions options, Dependencies dependencies)
    : options_(std::move(options)),
      database_(std::move(dependencies.database)),
      outbox_(dependencies.outbox),
      clock_(dependencies.clock),
      wake_(std::move(dependencies.wake)),
      tracer_(net::tracer_or_none(dependencies.tracer)),
      plugins_(std::move(dependencies.plugins)),
      workers_(options_.workers, std::move(dependencies.checker)),
      scheduler_(workers_, options_.scheduler),
      progress_({options_.id, options_.claim_lifetime}, workers_, scheduler_, plugins_.get()) {}

Result<std::unique_ptr<Manager>> Manager::create(ManagerOptions options, Dependencies dependencies) {
  if (options.id.empty()) options.id = random_uuid();
  TRY(store::prepare(*dependencies.database));
  std::unique_ptr<Manager> manager{new Manager(std::move(options), std::move(dependencies))};
  TRY(manager->workers_.load(*manager->database_));
  TRY(manager->count());
  return manager;
}

Result<> Manager::change(const Body& body) {
  Effects effects;
  const auto done = database_->write([&](store::SqlTransaction& transaction) -> Result<> {
    progress_.reset(effects);
    TRY(body(transaction, effects));
    // A whole queue's files are not kept in memory at once; they are read when their turn comes.
    if (effects.starts.size() > 2) return {};
    for (auto& task : effects.starts) TRY(complete_start(transaction, task));
    effects.complete = true;
    return {};
  });
  if (!done) {
    progress_.reset(effects);
    return done;
  }
  perform(std::move(effects));
  return {};
}

void Manager::perform(Effects effects) {
  queue_length_ += effects.queued;
  for (const auto& worker : effects.released) workers_.add_running(worker, -1);
  for (const auto& stop : effects.stops) {
    if (const auto sent = outbox_.send(Topic::stop, fleet::to_json(stop)); !sent) {
      log_failure("fleet.stop_unsent", sent.error());
    }
  }
  for (auto& task : effects.starts) publish(std::move(task), effects.complete);
  tally_.add(effects.outcomes);
  for (const auto& task : effects.begun) plugins_->task_started(task);
  for (const auto& task : effects.ended) plugins_->task_completed(task);
  if (effects.busy) busy_waiting_ = true;
  // Room that is freed matters to those alone that wait for it.
  if ((effects.look || (effects.freed && busy_waiting_)) && wake_) wake_();
}

Result<> Manager::on_message(Topic topic, std::string_view payload, std::optional<TimePoint> sent_at) {
  const auto at = now();
  Result<> taken;
  switch (topic) {
    case Topic::discovery:
      read_as(parse_discovery, payload, [&](const Discovery& m) { take_presence(workers_.on_discovery(m, at)); });
      break;
    case Topic::alive:
      read_as(parse_alive, payload, [&](const Alive& m) { take_presence(workers_.on_alive(m, at)); });
      break;
    case Topic::node_metrics:
      read_as(parse_node_metrics, payload, [&](const NodeMetrics& m) { telemetry_.take(m, at); });
      break;
    case Topic::task_metrics:
      read_as(parse_task_metrics, payload, [&](const TaskMetrics& m) { telemetry_.take(m, at); });
      break;
    case Topic::results:
      read_as(parse_task_result, payload, [&](const TaskResult& m) { taken = take_result(m, sent_at); });
      if (!taken) log_failure("fleet.result_failed", taken.error());
      break;
    case Topic::invoke_results:
      read_as(parse_invoke_result, payload, [&](const InvokeResult& m) { invocations_.take(m); });
      break;
    case Topic::round_start:
      read_as(parse_round_start, payload, [&](const RoundStart& m) { taken = start_round(m); });
      if (!taken) log_failure("fleet.round_failed", taken.error());
      break;
    default: break;  // commands of managers, chunks of proxies
  }
  if (!taken && may_pass(taken.error())) return taken;
  return {};
}

void Manager::take_presence(bool more_work_possible) {
  if (!more_work_possible) return;
  ++generation_;
  if (queue_length_ > 0 && wake_) wake_();
}

// The order of a second: what is due, what was lost, what is to be written down. A step that fails is tried again the
// next second.
void Manager::tick() {
  const auto count_of_ticks = ticks_++;
  const auto step = [](std::string_view event, const Result<>& done) {
    if (!done) log_failure(event, done.error());
  };
  save_published();
  end_unsendable();
  step("fleet.cron_failed", run_due());
  step("fleet.telemetry_unsaved", telemetry_.save(*database_));
  step("fleet.settle_failed", settle());
  if (count_of_ticks % 5 == 4) {
    step("fleet.workers_unsaved", workers_.save(*database_));
    step("fleet.count_failed", count());
    step("fleet.search_failed", find_lost());
  }
  if (count_of_ticks % 60 == 59) {
    step("fleet.prune_failed", TelemetryLog::prune(*database_, now() - options_.metrics_retention));
  }
  if (queue_length_ > 0 && wake_) wake_();
}

void Manager::close() {
  save_published();
  for (const auto& done : {telemetry_.save(*database_), workers_.save(*database_)}) {
    if (!done) log_failure("fleet.close_failed", done.error());
  }
}

Manager::Figures Manager::figures() const {
  Figures figures;
  const auto at = now();
  workers_.with([&](const auto& all) {
    for (const auto& [id, worker] : all) {
      const bool alive = workers_.is_alive(worker, at);
      ++(alive ? figures.alive : figures.silent);
      if (alive && worker.verified && workers_.checker().still_valid(*worker.verified, at)) ++figures.verified;
      figures.running += worker.running;
    }
  });
  return figures;
}

Result<> Manager::count() {
  const auto counts =
      TRY(sql_read(*database_, [](store::SqlTransaction& transaction) { return store::counts(transaction); }));
  queue_length_ = counts.queued;
  encrypted_queue_length_ = counts.queued_encrypted;
  if (counts.queued > 0) busy_waiting_ = true;  // perhaps, and perhaps at another manager: the next look tells
  workers_.set_running(counts.running);
  return {};
}

}  // namespace coffer::fleet::manager
