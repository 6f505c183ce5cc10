#include "fleet/worker/dispatcher.h"

#include "base/log.h"
#include "fleet/worker/rounds/round_update.h"

namespace coffer::fleet::worker {
namespace {

using std::chrono::steady_clock;

RunReport failed(const Error& error) {
  return {.error = error};
}

Error stopped() {
  return {WorkerError::stopped, "the task was stopped"};
}

RunReport traced_run(Runtime& runtime, const PreparedModule& module, const Run& run, const std::stop_token& stop) {
  net::TraceStep step{"wasm.execute"};
  step.span().set("module_digest", module.digest);
  auto report = runtime.run(module, run, stop);
  if (report.error) step.span().fail(*report.error);
  return report;
}

Error busy() {
  return {WorkerError::busy, "this worker has as many tasks as it takes"};
}

}  // namespace

struct Dispatcher::Started {
  StartCommand command;
  std::stop_token stop;
  Instant received;
  mutable net::Span span{};                    // from admission to the end
  mutable TaskHooks::Environment additions{};  // of the hooks, made before the module is fetched
  mutable bool began = false;                  // the hooks were told of its start
};

Dispatcher::Dispatcher(const Config& config, Parts parts)
    : config_(config),
      parts_(std::move(parts)),
      own_id_(config.identity.entity),
      tracer_(net::tracer_or_none(parts_.tracer)),
      table_(config.tasks.duplicate_window),
      pool_(config.tasks.max_tasks, config.tasks.max_queue),
      daemons_(config.tasks.max_tasks, config.tasks.max_tasks) {}

void Dispatcher::finish() {
  table_.stop_all();
  pool_.finish();
  daemons_.finish();
}

// A manager waits for an answer to whatever it sent (trap 8), so that one goes out wherever the id can be read.
void Dispatcher::start(std::string_view payload) {
  const auto received = steady_clock::now();
  auto command = parse_start(payload);
  if (!command) {
    const auto known = salvage(payload);
    log::warn("worker.bad_start", command.error().message, {{"task", known.id}});
    if (!known.id.empty() && is_for(known.proplet_id, known.broadcast, own_id_)) {
      refuse(known.id, command.error(), received);
    }
    return;
  }
  if (!is_for(command->proplet_id, command->broadcast, own_id_)) return;
  auto span = tracer_.start(
      "task.start", {.parent = net::TraceContext::parse(command->traceparent), .kind = net::SpanKind::consumer});
  span.set("task_id", command->id);
  span.set("task_name", command->name);
  const net::TraceScope scope(span);
  take(std::move(*command), received, span);
}

void Dispatcher::take(StartCommand command, Instant received, net::Span& span) {
  if (const auto checked = check(command); !checked) {
    span.fail(checked.error());
    return refuse(command.id, checked.error(), received);
  }
  admit(std::move(command), received);
}

void Dispatcher::admit(StartCommand command, Instant received) {
  std::stop_token token;
  switch (table_.begin(command.id, command.run, token)) {
    case TaskTable::Admission::running:
      log::info("worker.duplicate", "the task runs already", {{"task", command.id}});
      return;
    case TaskTable::Admission::ended:
      log::info("worker.duplicate", "the task has just ended", {{"task", command.id}});
      if (auto result = table_.last_result(command.id)) parts_.answer(Topic::results, std::move(*result), received);
      return;
    case TaskTable::Admission::admitted: break;
  }
  if (parts_.started) parts_.started(command);
  auto span = tracer_.start("task.execute", {.parent = net::active_trace().context});
  span.set("task_id", command.id);
  span.set("task_name", command.name);
  submit(std::make_shared<const Started>(std::move(command), std::move(token), received, std::move(span)));
}

void Dispatcher::submit(const Task& task) {
  const auto& command = task->command;
  if (command.encrypted) {
    // At once, before anything waits for a thread.
    if (const auto refusal = parts_.tee_refusal()) {
      log::warn("worker.encrypted_refused", refusal->message,
                {{"task", command.id}, {"code", std::string{refusal->code.name()}}});
      return end(task, failed(*refusal));
    }
  }
  auto job = [this, task] { execute(task); };
  if (command.daemon ? submit_lasting(job) : pool_.submit(job)) return;
  end(task, failed(busy()));
}

// Daemons, and what turns out to serve: they last, and would leave no thread to the tasks that end.
bool Dispatcher::submit_lasting(std::function<void()> job) {
  const bool room = daemons_running_.fetch_add(1) < config_.tasks.max_tasks;
  if (room && daemons_.submit(std::move(job))) return true;
  --daemons_running_;
  return false;
}

Runtime& Dispatcher::runtime_for(const StartCommand& command) const {
  if (command.encrypted) return parts_.tee;
  // Limits of fuel and memory, and compiling ahead, are there in process alone.
  const bool in_process = command.latent || command.fuel || command.memory_bytes;
  return parts_.host != nullptr && !in_process ? *parts_.host : parts_.wasm;
}

void Dispatcher::execute(const Task& task) {
  const net::TraceScope scope(task->span);
  const bool daemon = task->command.daemon;
  auto& runtime = runtime_for(task->command);
  const auto admitted = consult(task);
  auto module = admitted ? prepare(task, runtime) : std::unexpected(admitted.error());
  if (module && module->serves && !daemon) return hand_over(task, runtime, std::move(*module));
  const auto report = module ? run(task, runtime, *module) : failed(module.error());
  if (daemon) --daemons_running_;
  end(task, report);
  tell_hooks(task, report);
}

// Whether the task may run, and what its environment has besides: on this thread, for it takes its time.
Result<> Dispatcher::consult(const Task& task) const {
  if (parts_.hooks == nullptr) return {};
  net::TraceStep step{"task.authorize"};
  const auto allowed = parts_.hooks->authorize(task->command);
  step.span().note(allowed);
  if (!allowed) return allowed;
  task->additions = parts_.hooks->enrich(task->command);
  return {};
}

void Dispatcher::tell_hooks(const Task& task, const RunReport& report) const {
  if (task->began) parts_.hooks->task_ended(task->command, report);
}

void Dispatcher::hand_over(const Task& task, Runtime& runtime, PreparedModule module) {
  auto job = [this, task, &runtime, module = std::move(module)] {
    const net::TraceScope scope(task->span);
    const auto report = run(task, runtime, module);
    --daemons_running_;
    end(task, report);
    tell_hooks(task, report);
  };
  if (!submit_lasting(std::move(job))) end(task, failed(busy()));
}

Result<PreparedModule> Dispatcher::prepare(const Task& task, Runtime& runtime) const {
  if (task->stop.stop_requested()) return std::unexpected(stopped());
  const auto& command = task->command;
  log::info("worker.start", "starting a task",
            {{"task", command.id}, {"name", command.name}, {"runtime", std::string{runtime.name()}}});
  net::TraceStep step{"task.prepare"};
  step.span().set("runtime", std::string{runtime.name()});
  auto module = runtime.prepare(command, task->stop);
  step.span().note(module);
  if (!module && task->stop.stop_requested()) return std::unexpected(stopped());
  return module;
}

RunReport Dispatcher::run(const Task& task, Runtime& runtime, const PreparedModule& module) {
  const auto& command = task->command;
  const bool sealed = parts_.sealer != nullptr && parts_.sealer->applies_to(command);
  const auto sealable = sealed ? parts_.sealer->check(command, module.serves) : Result<>{};
  if (!sealable) return failed(sealable.error());
  if (command.latent) {
    auto enriched = command;
    for (const auto& [name, value] : task->additions) enriched.env.insert_or_assign(name, value);
    table_.make_ready(std::make_shared<const ReadyTask>(std::move(enriched), module, &runtime));
    return {};
  }
  auto environment = command.env;
  environment.try_emplace("PROPLET_ID", own_id_);
  if (parts_.round_inputs) parts_.round_inputs(environment);
  for (const auto& [name, value] : task->additions) environment.insert_or_assign(name, value);
  const auto model = sealed ? parts_.sealer->check_model(environment) : Result<>{};
  if (!model) return failed(model.error());
  if (parts_.hooks != nullptr) {
    parts_.hooks->task_starts(command, environment);
    task->began = true;
  }
  const Run run{command, command.inputs, environment};
  if (command.daemon || module.serves) return run_lasting(task, runtime, module, run);
  auto report = traced_run(runtime, module, run, task->stop);
  report.details.module_digest = module.digest;
  if (sealed) parts_.sealer->seal(command, environment, report);
  const bool update = !sealed && parts_.round_update && command.env.contains("ROUND_ID") && !report.error;
  if (update) parts_.round_update(environment, report.results);
  return report;
}

// Upstream's manager is told at once that a daemon has been started, or that a module serves; the end of one is told
// only where it failed.
RunReport Dispatcher::run_lasting(const Task& task, Runtime& runtime, const PreparedModule& module, const Run& run) {
  bool begun = false;
  const auto tell = [&](const std::string& text) {
    const RunReport report{.results = text, .details = {.module_digest = module.digest, .lasting = true}};
    parts_.answer(Topic::results, result_of(task->command, report), task->received + config_.compat_result_delay);
    begun = true;
  };
  if (!module.serves) tell("");
  auto report = traced_run(runtime, module, {run.task, run.inputs, run.env, tell}, task->stop);
  report.details.module_digest = module.digest;
  report.begun = begun;
  return report;
}

void Dispatcher::add_signature(const StartCommand& command, RunReport& report) const {
  if (!parts_.sign || report.error || report.details.module_digest.empty()) return;
  const auto inputs = digest_of_inputs(command);
  if (!inputs) return;
  report.details.signature = parts_.sign({.task_id = command.id,
                                          .proplet_id = own_id_,
                                          .module_digest = report.details.module_digest,
                                          .inputs_digest = *inputs,
                                          .result_digest = digest_of_text(report.results)});
}

std::string Dispatcher::result_of(const StartCommand& command, const RunReport& report) const {
  auto signed_report = report;
  add_signature(command, signed_report);
  TaskResult result{.task_id = command.id,
                    .proplet_id = own_id_,
                    .results = report.results,
                    .details = std::move(signed_report.details),
                    .run = command.run};
  if (report.error) {
    result.error = report.error->message;
    result.details.code = report.error->code.name();
  } else if (report.sealed) {
    result.results = write_sealed_update(*report.sealed);
  } else if (command.env.contains("ROUND_ID")) {
    result.results = round_update(command.id, own_id_, command.env, report.results);
  }
  return to_json(result);
}

void Dispatcher::end(const Task& task, const RunReport& report) {
  const auto& command = task->command;
  const auto code = report.error ? report.error->code.name() : std::string_view{};
  log::info("worker.end", report.error ? report.error->message : "the task has ended",
            {{"task", command.id}, {"code", std::string{code}}});
  const bool was_stopped = report.error && report.error->code == WorkerError::stopped;
  const bool lasting = command.daemon || report.begun;
  const bool told = report.error ? !(lasting && was_stopped) : !lasting && !command.latent;
  auto result = told ? result_of(command, report) : std::string{};
  auto telling = told ? tracer_.start("task.result", {.parent = task->span.context(), .kind = net::SpanKind::producer})
                      : net::Span{};
  if (report.error) task->span.fail(*report.error);
  // Ended before it is told: whoever hears of the end may start the task anew, and stop nothing.
  if (parts_.ended) parts_.ended(command, code);
  table_.end(command.id, command.run, result);
  if (told) parts_.answer(Topic::results, std::move(result), task->received + config_.compat_result_delay);
  telling.end();
  task->span.end();
}

void Dispatcher::refuse(const std::string& id, const Error& error, Instant received) const {
  log::warn("worker.refused", error.message, {{"task", id}, {"code", std::string{error.code.name()}}});
  TaskResult result{.task_id = id, .proplet_id = own_id_, .error = error.message};
  result.details.code = error.code.name();
  parts_.answer(Topic::results, to_json(result), received + config_.compat_result_delay);
}

void Dispatcher::stop(std::string_view payload) {
  const auto command = parse_stop(payload);
  if (!command) {
    log::warn("worker.bad_stop", command.error().message);
    return;
  }
  if (!is_for(command->proplet_id, command->broadcast, own_id_)) return;
  auto span = tracer_.start(
      "task.stop", {.parent = net::TraceContext::parse(command->traceparent), .kind = net::SpanKind::consumer});
  span.set("task_id", command->id);
  const bool found = table_.stop(command->id);
  log::info("worker.stop", found ? "stopping a task" : "no such task runs here", {{"task", command->id}});
}

}  // namespace coffer::fleet::worker
