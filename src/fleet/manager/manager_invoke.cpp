// Calls of tasks that are latent: compiled once by a worker, run at each call.
#include <algorithm>
#include <thread>

#include "fleet/manager/manager.h"

namespace coffer::fleet::manager {
namespace {

constexpr std::string_view not_there = "has not been precompiled";  // upstream's words (trap 17)
constexpr auto first_pause = std::chrono::milliseconds{20};
constexpr auto longest_pause = std::chrono::milliseconds{500};

bool is_not_there(const Error& error) {
  return error.message.find(not_there) != std::string::npos;
}

}  // namespace

Result<codec::json::Value> Manager::invoke_once(const Task& task, const InvokeBody& body, TimePoint deadline) {
  InvokeCommand command{.id = task.id(), .proplet_id = task.assigned, .invocation_id = random_uuid()};
  command.inputs = body.inputs;
  command.env = body.env;
  command.traceparent = task.trace;
  invocations_.open(command.invocation_id);
  if (auto sent = outbox_.send(Topic::invoke, fleet::to_json(command)); !sent) {
    invocations_.wait(command.invocation_id, Duration{0});
    return fail(ManagerError::broker_unavailable, sent.error().message);
  }
  const auto left = std::max(deadline - now(), Duration{0});
  const auto result = invocations_.wait(command.invocation_id, left);
  if (!result) {
    return fail(ManagerError::invoke_timeout, "worker " + task.assigned + " gave no result in time");
  }
  if (result->error) return fail(ManagerError::invoke_failed, *result->error);
  return result->results;
}

// The worker was restarted, or is gone: another one compiles the task, if there is one.
void Manager::move_elsewhere(Task& task) {
  const auto moved = change([&](store::SqlTransaction& transaction, Effects& effects) -> Result<> {
    auto present = TRY(store::task(transaction, task.id()));
    if (present.state != TaskState::running) return {};
    const auto worker = workers_.find(present.assigned);
    if (!worker || !workers_.is_alive(*worker, now())) {
      const auto before = present.assigned;
      if (progress_.assign(present, now(), effects).kind == Choice::Kind::worker) effects.released.push_back(before);
      TRY(store::save(transaction, present));
    } else {
      present.work.run = random_uuid();  // the worker's word is that it has none of the last one
      TRY(store::save(transaction, present));
      effects.starts.push_back(present);
    }
    task = present;
    return {};
  });
  if (!moved) return;
}

Result<codec::json::Value> Manager::invoke_task(std::string_view id, const InvokeBody& body, std::string_view trace) {
  auto task = TRY(this->task(id));
  TRY(authorize(PluginAction::invoke, task));
  if (!task.work.latent || task.state != TaskState::running) {
    return fail(ManagerError::not_running, "task \"" + task.id() + "\" is no latent task that was started");
  }
  if (!trace.empty()) task.trace = trace;
  const auto deadline = now() + options_.invoke_timeout;
  bool moved = false;
  for (Duration pause = first_pause;; pause = std::min<Duration>(pause * 2, longest_pause)) {
    auto result = invoke_once(task, body, deadline);
    if (result || !is_not_there(result.error()) || now() + pause >= deadline) return result;
    if (!std::exchange(moved, true)) move_elsewhere(task);
    std::this_thread::sleep_for(pause);  // it compiles
  }
}

}  // namespace coffer::fleet::manager
