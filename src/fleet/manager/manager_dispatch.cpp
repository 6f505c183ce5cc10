// From the queue to the workers, and again where a start may not have arrived.
#include <algorithm>
#include <thread>
#include <utility>

#include "base/log.h"
#include "fleet/manager/manager.h"
#include "net/error.h"

namespace coffer::fleet::manager {
namespace {

constexpr std::size_t page_size = 128;
constexpr std::size_t most_looked_at = 4096;
constexpr std::size_t publishers = 16;

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

// Each start waits for the MQTT broker's acknowledgement; many wait side by side.
void Manager::publish_all(const std::vector<Task>& tasks) {
  if (tasks.size() <= 2) {
    for (const auto& task : tasks) publish(task);
    return;
  }
  std::atomic<std::size_t> next = 0;
  std::vector<std::jthread> threads;
  for (std::size_t i = 0; i < std::min(publishers, tasks.size()); ++i) {
    threads.emplace_back([&] {
      for (auto place = next++; place < tasks.size(); place = next++) publish(tasks[place]);
    });
  }
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

// A part of the queue, looked at in one transaction.
struct Manager::Page {
  std::size_t skip = 0;
  std::size_t seen = 0, started = 0;
  bool busy = false;      // somebody in it waits for a busy worker
  unsigned restarts = 0;  // a fleet that comes all at once does not hold the queue up
};

Result<> Manager::dispatch_one(store::SqlTransaction& transaction, Task& task, Page& page, Effects& effects) {
  const auto before = task.reason;
  const auto choice = progress_.assign(task, now(), effects);
  if (choice.kind == Choice::Kind::worker) {
    ++page.started;
    return store::save(transaction, task);
  }
  if (choice.kind == Choice::Kind::unavailable && !task.waits) {
    task.error = choice.reason;
    task.code = code_name(choice.code);
    return progress_.end(transaction, task, TaskState::failed, now(), effects);
  }
  page.busy = page.busy || choice.kind == Choice::Kind::busy;
  if (choice.reason == before) return {};
  task.reason = choice.reason;
  return store::save(transaction, task);
}

// ManagerError::conflict where a worker came while the front of the queue had been passed by: the front goes first.
Result<> Manager::dispatch_page(Page& page) {
  const auto generation = generation_.load();
  TRY(change([&](store::SqlTransaction& transaction, Effects& effects) -> Result<> {
    page.seen = page.started = 0;
    page.busy = false;
    for (auto& task : TRY(store::queued(transaction, now(), page_size, page.skip))) {
      ++page.seen;
      TRY(dispatch_one(transaction, task, page, effects));
    }
    if (page.skip > 0 && page.started > 0 && generation_ != generation && page.restarts < 5) {
      return fail(ManagerError::conflict, "a worker came while the queue was looked at");
    }
    return {};
  }));
  queue_length_ -= std::min<std::size_t>(queue_length_, page.started);
  return {};
}

Result<std::size_t> Manager::dispatch() {
  std::size_t given = 0;
  bool busy = false;
  for (Page page; page.skip < most_looked_at;) {
    if (!scheduler_.any_room(now())) {
      busy = queue_length_ > 0;
      break;
    }
    const auto done = dispatch_page(page);
    if (!done && done.error().code == ManagerError::conflict) {
      page.skip = 0;
      ++page.restarts;
      continue;
    }
    TRY(done);
    given += page.started;
    busy = busy || page.busy;
    if (page.seen < page_size) break;
    page.skip += page_size - page.started;  // those that were started have left the queue
  }
  busy_waiting_ = busy;
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
