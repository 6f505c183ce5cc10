// From the queue to the workers, and again where a start may not have arrived.
#include <algorithm>
#include <utility>

#include "base/log.h"
#include "fleet/manager/manager.h"
#include "net/error.h"

namespace coffer::fleet::manager {
namespace {

constexpr std::size_t page_size = 128;
constexpr std::size_t most_looked_at = 4096;

}  // namespace

Result<StartCommand> Manager::start_command(const Task& task) {
  if (!task.has_file && task.depends_on.empty()) {
    auto start = task.work;
    start.proplet_id = task.assigned;
    return start;
  }
  return sql_read(*database_, [&](store::SqlTransaction& transaction) -> Result<StartCommand> {
    auto start = task.work;
    start.proplet_id = task.assigned;
    if (task.has_file) start.file = TRY(store::file(transaction, task.id()));
    for (const auto& id : task.depends_on) {
      const auto parent = store::task(transaction, id);
      if (parent && !parent->results.is_null()) start.parent_results.set(id, parent->results);
    }
    return start;
  });
}

// The task runs already as far as the store is concerned: a result that comes at once is not lost (trap 1 of
// propeller.md section 9b), and a start that does not get through is published again when its claim ends.
void Manager::publish(const Task& task) {
  auto start = start_command(task);
  auto sent = start ? outbox_.send(Topic::start, fleet::to_json(*start)) : Result<>{std::unexpected(start.error())};
  if (sent) {
    const std::scoped_lock lock(publishing_);
    published_.push_back(task.id());
    return;
  }
  log::warn("fleet.start_unsent", sent.error().message,
            {{"task_id", task.id()}, {"code", std::string{sent.error().code.name()}}});
  if (sent.error().code != net::NetError::bad_message) return;
  const auto ended = change([&](store::SqlTransaction& transaction, Effects& effects) -> Result<> {
    auto present = TRY(store::task(transaction, task.id()));
    if (present.state != TaskState::running) return {};
    present.stop_requested = true;  // it would not get through a second time
    return progress_.fail_run(transaction, present, sent.error().code, sent.error().message, now(), effects);
  });
  if (!ended) log::warn("fleet.start_unsent", ended.error().message, {{"task_id", task.id()}});
}

void Manager::save_published() {
  std::vector<std::string> ids;
  {
    const std::scoped_lock lock(publishing_);
    ids = std::exchange(published_, {});
  }
  if (ids.empty()) return;
  const auto saved = database_->write([&](store::SqlTransaction& transaction) -> Result<> {
    for (const auto& id : ids) {
      auto task = store::task(transaction, id);
      if (!task || task->state != TaskState::running || task->claimed_by != options_.id) continue;
      task->published = true;
      task->claimed_by.clear();
      if (!task->stop_requested) task->claim_until.reset();
      TRY(store::save(transaction, *task));
    }
    return {};
  });
  if (saved) return;
  const std::scoped_lock lock(publishing_);
  published_.insert(published_.end(), ids.begin(), ids.end());
}

// One transaction over some of the queue; whether there may be more behind them.
Result<bool> Manager::dispatch_page(std::size_t skip, std::size_t& given) {
  std::size_t seen = 0;
  std::size_t started = 0;
  TRY(change([&](store::SqlTransaction& transaction, Effects& effects) -> Result<> {
    const auto at = now();
    started = 0;
    auto tasks = TRY(store::queued(transaction, at, page_size, skip));
    seen = tasks.size();
    for (auto& task : tasks) {
      const auto before = task.reason;
      const auto choice = progress_.assign(task, at, effects);
      if (choice.kind == Choice::Kind::worker) {
        ++started;
        TRY(store::save(transaction, task));
      } else if (choice.kind == Choice::Kind::unavailable && !task.waits) {
        task.error = choice.reason;
        task.code = code_name(choice.code);
        TRY(progress_.end(transaction, task, TaskState::failed, at, effects));
      } else if (choice.reason != before) {
        task.reason = choice.reason;
        TRY(store::save(transaction, task));
      }
    }
    return {};
  }));
  given += started;
  queue_length_ -= std::min<std::size_t>(queue_length_, started);
  return seen == page_size;
}

Result<std::size_t> Manager::dispatch() {
  std::size_t given = 0;
  for (std::size_t skip = 0; skip < most_looked_at;) {
    const auto before = given;
    if (!TRY(dispatch_page(skip, given))) break;
    // Those that were started have left the queue.
    skip += page_size - (given - before);
  }
  return given;
}

// Another manager's claims end when it has died; our own when the broker did not answer. A worker that does not answer
// a stop is not waited for.
Result<> Manager::settle() {
  return change([&](store::SqlTransaction& transaction, Effects& effects) -> Result<> {
    const auto at = now();
    for (auto& task : TRY(store::unsettled(transaction, at, page_size))) {
      if (task.stop_requested) {
        TRY(progress_.fail_run(transaction, task, ManagerError::stopped, "its worker did not answer the stop", at,
                               effects));
        continue;
      }
      if (!outbox_.connected()) continue;
      task.claimed_by = options_.id;
      task.claim_until = at + options_.claim_lifetime;
      TRY(store::save(transaction, task));
      effects.starts.push_back(task);
    }
    return {};
  });
}

}  // namespace coffer::fleet::manager
