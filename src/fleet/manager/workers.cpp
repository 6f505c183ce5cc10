#include "fleet/manager/workers.h"

#include "base/log.h"
#include "fleet/topics.h"

namespace coffer::fleet::manager {
namespace {

constexpr std::size_t saved_at_once = 1000;

std::string name_for(std::string_view id) {
  return "proplet-" + std::string{id.substr(0, 8)};
}

}  // namespace

std::optional<TimePoint> Worker::last_alive() const {
  if (history.empty()) return std::nullopt;
  return history.back();
}

Worker* Workers::known_or_new(std::string_view id) {
  if (const auto known = workers_.find(id); known != workers_.end()) return &known->second;
  if (workers_.size() >= options_.max_workers || !is_uuid(id)) {
    log::warn("fleet.worker_refused", "a worker is not taken in: its id is no UUID, or there are too many",
              {{"proplet_id", std::string{id.substr(0, 64)}}});
    return nullptr;
  }
  Worker worker;
  worker.id = id;
  worker.name = name_for(id);
  return &workers_.emplace(std::string{id}, std::move(worker)).first->second;
}

void Workers::beat(Worker& worker, TimePoint now) {
  worker.offline = false;
  worker.history.push_back(now);
  while (worker.history.size() > options_.history_size) worker.history.pop_front();
  dirty_.insert_or_assign(worker.id, false);
}

void Workers::take_capabilities(Worker& worker, const std::optional<Capabilities>& capabilities,
                                const Result<VerifiedTee>& verified) {
  worker.capabilities = capabilities;
  if (verified) {
    worker.verified = *verified;
    worker.unproven.clear();
  } else {
    worker.verified.reset();
    worker.unproven = verified.error().message;
  }
}

// Signatures are checked outside of the lock.
Result<VerifiedTee> Workers::check(std::string_view id, const std::optional<Capabilities>& capabilities,
                                   const std::optional<Error>& error, TimePoint now) const {
  if (error) {
    return fail(ManagerError::no_eligible_worker, "what it says of itself cannot be read: " + error->message);
  }
  return checker_.check(id, capabilities, now);
}

bool Workers::on_discovery(const Discovery& discovery, TimePoint now) {
  const auto verified = check(discovery.proplet_id, discovery.capabilities, discovery.capabilities_error, now);
  const std::scoped_lock lock(mutex_);
  auto* worker = known_or_new(discovery.proplet_id);
  if (worker == nullptr) return false;
  worker->name_space = discovery.name_space;
  worker->metadata = discovery.metadata;
  worker->idle_beats = 0;
  take_capabilities(*worker, discovery.capabilities, verified);
  beat(*worker, now);
  return true;
}

bool Workers::on_offline(std::string_view id) {
  const std::scoped_lock lock(mutex_);
  const auto known = workers_.find(id);
  if (known == workers_.end()) return false;
  known->second.offline = true;
  known->second.verified.reset();
  known->second.unproven = "it is offline";
  dirty_.insert_or_assign(known->first, false);
  return false;
}

bool Workers::on_alive(const Alive& alive, TimePoint now) {
  if (alive.status == Alive::offline) return on_offline(alive.proplet_id);
  if (alive.status != Alive::alive) return false;
  const auto verified = check(alive.proplet_id, alive.capabilities, alive.capabilities_error, now);
  const std::scoped_lock lock(mutex_);
  auto* worker = known_or_new(alive.proplet_id);
  if (worker == nullptr) return false;
  const bool was_alive = is_alive(*worker, now);
  const bool was_verified = worker->verified.has_value();
  if (!alive.name_space.empty()) worker->name_space = alive.name_space;
  // Upstream's heartbeats say nothing of this, and ours may leave it out: then what is known ages.
  if (alive.capabilities || alive.capabilities_error) {
    take_capabilities(*worker, alive.capabilities, verified);
    const bool idle = alive.capabilities && alive.capabilities->running_tasks == 0;
    worker->idle_beats = idle ? worker->idle_beats + 1 : 0;
  }
  beat(*worker, now);
  return !was_alive || (worker->verified && !was_verified);
}

bool Workers::is_alive(const Worker& worker, TimePoint now) const {
  return !worker.offline && !worker.history.empty() && now - worker.history.back() <= options_.alive_timeout;
}

std::optional<Worker> Workers::find(std::string_view id) const {
  const std::scoped_lock lock(mutex_);
  const auto known = workers_.find(id);
  return known == workers_.end() ? std::nullopt : std::optional{known->second};
}

std::vector<Worker> Workers::all() const {
  const std::scoped_lock lock(mutex_);
  std::vector<Worker> list;
  list.reserve(workers_.size());
  for (const auto& [id, worker] : workers_) list.push_back(worker);
  return list;
}

bool Workers::forget(std::string_view id) {
  const std::scoped_lock lock(mutex_);
  const auto known = workers_.find(id);
  if (known == workers_.end()) return false;
  dirty_.insert_or_assign(known->first, true);
  workers_.erase(known);
  return true;
}

void Workers::add_running(std::string_view id, int by) {
  const std::scoped_lock lock(mutex_);
  const auto known = workers_.find(id);
  if (known == workers_.end()) return;
  auto& running = known->second.running;
  if (by < 0) {
    running -= std::min(running, static_cast<std::size_t>(-by));
  } else {
    running += static_cast<std::size_t>(by);
  }
}

void Workers::set_running(const std::map<std::string, std::size_t>& running) {
  const std::scoped_lock lock(mutex_);
  for (auto& [id, worker] : workers_) {
    const auto count = running.find(id);
    worker.running = count == running.end() ? 0 : count->second;
  }
}

Result<> Workers::save(storage::SqlDatabase& database) {
  std::vector<std::pair<std::string, std::string>> changed;  // an empty document: gone
  {
    const std::scoped_lock lock(mutex_);
    for (auto entry = dirty_.begin(); entry != dirty_.end() && changed.size() < saved_at_once;) {
      const auto known = workers_.find(entry->first);
      changed.emplace_back(entry->first, known == workers_.end() ? "" : to_document(known->second));
      entry = dirty_.erase(entry);
    }
  }
  if (changed.empty()) return {};
  return database.write([&](storage::SqlTransaction& transaction) -> Result<> {
    for (const auto& [id, document] : changed) {
      TRY(document.empty() ? store::erase_worker(transaction, id) : store::save_worker(transaction, id, document));
    }
    return {};
  });
}

Result<> Workers::load(storage::SqlDatabase& database) {
  const auto documents =
      TRY(sql_read(database, [](storage::SqlTransaction& transaction) { return store::workers(transaction); }));
  const std::scoped_lock lock(mutex_);
  for (const auto& document : documents) {
    auto worker = parse_worker(document);
    if (!worker) {
      log::warn("fleet.worker_unreadable", worker.error().message);
      continue;
    }
    auto id = worker->id;
    workers_.insert_or_assign(std::move(id), std::move(*worker));
  }
  return {};
}

}  // namespace coffer::fleet::manager
