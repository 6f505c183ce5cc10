// Invocations of latent tasks.
#include "base/log.h"
#include "fleet/worker/dispatcher.h"

namespace coffer::fleet::worker {

void Dispatcher::invoke(std::string_view payload) {
  const auto received = std::chrono::steady_clock::now();
  const auto command = parse_invoke(payload);
  if (!command) {
    const auto known = salvage(payload);
    log::warn("worker.bad_invoke", command.error().message, {{"task", known.id}});
    const InvokeCommand answerable{.id = known.id, .invocation_id = known.invocation_id};
    const bool wanted = known.proplet_id == own_id_ && !known.id.empty() && !known.invocation_id.empty();
    if (wanted) answer_invocation(answerable, {.error = command.error()}, received);
    return;
  }
  if (!is_for(command->proplet_id, command->broadcast, own_id_)) return;
  auto span = tracer_.start(
      "task.invoke", {.parent = net::TraceContext::parse(command->traceparent), .kind = net::SpanKind::consumer});
  span.set("task_id", command->id);
  const auto ready = table_.ready(command->id);
  if (!ready) {
    // The manager looks for these words and sends the task anew. Whoever was not named leaves it to those that can.
    const Error unknown{WorkerError::not_precompiled,
                        "task " + command->id + " has not been precompiled on this worker"};
    if (command->proplet_id == own_id_) answer_invocation(*command, {.error = unknown}, received);
    return;
  }
  const net::ActiveTrace trace{span.tracer(), span.context()};
  const bool accepted = pool_.submit([this, ready, command = *command, received, trace] {
    const net::TraceScope scope(trace);
    execute_invocation(ready, command, received);
  });
  if (accepted) return;
  answer_invocation(*command, {.error = Error{WorkerError::busy, "this worker has as many tasks as it takes"}},
                    received);
}

void Dispatcher::execute_invocation(const std::shared_ptr<const ReadyTask>& ready, const InvokeCommand& command,
                                    Instant received) {
  net::TraceStep step{"task.invoke.execute"};
  step.span().set("task_id", command.id);
  const auto run_id = command.id + "-inv-" + command.invocation_id;
  const auto stop = table_.begin_invocation(command.id, run_id);
  const auto& inputs = command.inputs.empty() ? ready->task.inputs : command.inputs;
  auto report = ready->runtime->run(ready->module, {ready->task, inputs, command.env}, stop);
  if (report.error) step.span().fail(*report.error);
  table_.end_invocation(command.id, run_id);
  report.details.module_digest = ready->module.digest;
  auto as_run = ready->task;
  as_run.inputs = inputs;
  as_run.env = command.env;
  add_signature(as_run, report);
  answer_invocation(command, report, received);
}

void Dispatcher::answer_invocation(const InvokeCommand& command, const RunReport& report, Instant received) const {
  InvokeResult result{.task_id = command.id,
                      .invocation_id = command.invocation_id,
                      .proplet_id = own_id_,
                      .results = report.results,
                      .details = report.details};
  if (report.error) {
    result.error = report.error->message;
    result.details.code = report.error->code.name();
  }
  parts_.answer(Topic::invoke_results, to_json(result), received);
}

}  // namespace coffer::fleet::worker
