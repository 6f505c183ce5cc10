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

// What the store keeps apart from the task.
Result<> Manager::complete_start(store::SqlTransaction& transaction, Task& task) const {
  if (task.has_file) task.work.file = TRY(store::file(transaction, task.id()));
  for (const auto& id : task.depends_on) {
    const auto parent = store::task(transaction, id);
    if (parent && !parent->results.is_null()) task.work.parent_results.set(id, parent->results);
  }
  return {};
}

Result<std::string> Manager::start_payload(Task task, bool complete, std::string traceparent) {
  if (!complete && (task.has_file || !task.depends_on.empty())) {
    TRY(database_->read(
        [&](store::SqlTransaction& transaction) -> Result<> { return complete_start(transaction, task); }));
  }
  task.work.proplet_id = task.assigned;
  task.work.traceparent = std::move(traceparent);
  return fleet::to_json(task.work);
}

// From the queue to the MQTT broker's acknowledgement.
net::Span Manager::dispatch_span(const Task& task) const {
  net::SpanOptions options{.parent = net::TraceContext::parse(task.trace), .kind = net::SpanKind::producer};
  if (task.queued_at) options.start = std::chrono::nanoseconds{task.queued_at->time_since_epoch()}.count();
  auto span = tracer_.start("task.dispatch", options);
  span.set("task_id", task.id());
  span.set("task_name", task.work.name);
  span.set("proplet_id", task.assigned);
  span.set("attempt", std::int64_t{task.attempt});
  span.set("encrypted", task.work.encrypted);
  return span;
}

// The task runs already as far as the store is concerned: a result that comes at once is not lost (trap 1 of
// propeller.md section 9b), and a start that does not get through is published again when its claim ends.
void Manager::publish(Task task, bool complete) {
  const auto id = task.id();
  const auto span = std::make_shared<net::Span>(dispatch_span(task));
  auto payload = start_payload(std::move(task), complete, span->traceparent());
  {
    const std::scoped_lock lock(publishing_);
    posted_.insert(id);
  }
  const auto posted = payload ? outbox_.post(Topic::start, std::move(*payload),
                                             [this, id, span](const Result<>& sent) {
                                               span->note(sent);
                                               span->end();
                                               on_posted(id, sent);
                                             })
                              : Result<>{std::unexpected(payload.error())};
  if (posted) return;
  on_posted(id, posted);
  end_unsendable();
}

// On the MQTT client's thread, which must not wait.
void Manager::on_posted(const std::string& task, const Result<>& sent) {
  {
    const std::scoped_lock lock(publishing_);
    posted_.erase(task);
    if (sent) {
      published_.push_back(task);
      return;
    }
    const auto& code = sent.error().code;
    if (code == net::NetError::bad_message || code == net::NetError::too_large || code == net::NetError::not_taken) {
      unsendable_.emplace_back(task, sent.error());
    }
  }
  log::warn("fleet.start_unsent", sent.error().message,
            {{"task_id", task}, {"code", std::string{sent.error().code.name()}}});
}

bool Manager::on_its_way(const std::string& task) {
  const std::scoped_lock lock(publishing_);
  return posted_.contains(task);
}

// What would not get through a second time.
void Manager::end_unsendable() {
  std::vector<std::pair<std::string, Error>> unsendable;
  {
    const std::scoped_lock lock(publishing_);
    unsendable = std::exchange(unsendable_, {});
  }
  for (const auto& [id, why] : unsendable) {
    const auto ended = change([&](store::SqlTransaction& transaction, Effects& effects) -> Result<> {
      auto task = TRY(store::task(transaction, id));
      if (task.state != TaskState::running) return {};
      task.stop_requested = true;
      return progress_.fail_run(transaction, task, why.code, why.message, now(), effects);
    });
    if (!ended) log::warn("fleet.start_unsent", ended.error().message, {{"task_id", id}});
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
    for (const auto& id : ids) TRY(store::settle_claim(transaction, id, options_.id));
    return {};
  });
  if (saved) return;
  const std::scoped_lock lock(publishing_);
  published_.insert(published_.end(), ids.begin(), ids.end());
}

// A part of the queue, looked at in one transaction.
struct Manager::Page {
  std::size_t skip = 0, limit = 0;
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
  if (choice.is_final(task.waits)) {
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
    for (auto& task : TRY(store::queued(transaction, now(), page.limit, page.skip))) {
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
  if (!outbox_.connected()) return 0U;  // what nobody can be told of is not given out
  std::size_t given = 0;
  bool busy = false;
  for (Page page; page.skip < most_looked_at;) {
    const auto room = scheduler_.room(now());
    if (room == 0) {
      busy = queue_length_ > 0;
      break;
    }
    // As many as there is room for; while those at the front cannot use it, more and more.
    page.limit = std::min(std::max(room, 4 * page.limit), page_size);
    const auto done = dispatch_page(page);
    if (!done && done.error().code == ManagerError::conflict) {
      page.skip = 0;
      ++page.restarts;
      continue;
    }
    TRY(done);
    given += page.started;
    busy = busy || page.busy;
    if (page.seen < page.limit) break;
    page.skip += page.limit - page.started;  // those that were started have left the queue
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
      const bool waits = on_its_way(task.id());
      if (!waits && !outbox_.connected()) continue;
      task.claimed_by = options_.id;
      task.claim_until = at + options_.claim_lifetime;
      TRY(store::save(transaction, task));
      if (!waits) effects.starts.push_back(task);
    }
    return {};
  });
}

}  // namespace coffer::fleet::manager
