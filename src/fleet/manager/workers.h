// The workers that this manager has heard of. Heartbeats change memory; the store is brought up to date now and then,
// for ten thousand workers beat some thousand times a second.
#pragma once

#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "fleet/manager/attestation.h"
#include "fleet/manager/store/store.h"
#include "fleet/presence.h"

namespace coffer::fleet::manager {

struct Worker {
  std::string id{}, name{};
  std::string name_space{};
  Discovery::Metadata metadata{};
  std::optional<Capabilities> capabilities{};
  bool offline = false;             // it, or its last will, said so
  std::deque<TimePoint> history{};  // of heartbeats, newest last
  std::size_t running = 0;          // tasks given to it
  unsigned idle_beats = 0;          // heartbeats in a row that said it runs nothing
  std::optional<VerifiedTee> verified{};
  std::string unproven{};  // why it is not verified

  std::optional<TimePoint> last_alive() const;
};

struct WorkersOptions {
  // Upstream's ten seconds are as long as its workers' interval, so that they flap: more than two intervals.
  Duration alive_timeout = std::chrono::seconds{25};
  std::size_t max_workers = 50'000;
  std::size_t history_size = 10;
};

// Safe to use from any thread.
class Workers {
 public:
  Workers(WorkersOptions options, AttestationChecker checker) : options_(options), checker_(std::move(checker)) {}

  Result<> load(storage::SqlDatabase& database);
  // What changed since the last call.
  Result<> save(storage::SqlDatabase& database);

  // Each says whether more work can be given out now than before.
  bool on_discovery(const Discovery& discovery, TimePoint now);
  // A last will of a stranger, such as a proxy's, makes no worker (trap 2 of propeller.md section 9b).
  bool on_alive(const Alive& alive, TimePoint now);

  bool is_alive(const Worker& worker, TimePoint now) const;
  std::optional<Worker> find(std::string_view id) const;
  std::vector<Worker> all() const;  // by id
  bool forget(std::string_view id);

  // For the scheduler: the same object, under the lock.
  template <class F>
  auto with(F visit) const {
    const std::scoped_lock lock(mutex_);
    return visit(workers_);
  }
  void add_running(std::string_view id, int by);
  void set_running(const std::map<std::string, std::size_t>& running);
  const AttestationChecker& checker() const { return checker_; }
  Duration alive_timeout() const { return options_.alive_timeout; }

 private:
  Worker* known_or_new(std::string_view id);
  Result<VerifiedTee> check(std::string_view id, const std::optional<Capabilities>& capabilities,
                            const std::optional<Error>& error, TimePoint now) const;
  static void take_capabilities(Worker& worker, const std::optional<Capabilities>& capabilities,
                                const Result<VerifiedTee>& verified);
  bool on_offline(std::string_view id);
  void beat(Worker& worker, TimePoint now);

  WorkersOptions options_;
  AttestationChecker checker_;
  mutable std::mutex mutex_;
  std::map<std::string, Worker, std::less<>> workers_;
  std::map<std::string, bool, std::less<>> dirty_;  // id, whether it is gone
};

// {"id","name","task_count","alive","last_alive_at","metadata"} as upstream, then "coffer".
codec::json::Object to_json(const Worker& worker, std::size_t task_count, bool alive);
// What is kept in the store, and back. What was proven is not: a manager that starts asks for new proof.
std::string to_document(const Worker& worker);
Result<Worker> parse_worker(std::string_view document);
// A Semantic Definition Format document (RFC 9880) of it.
codec::json::Object to_sdf(const Worker& worker);

}  // namespace coffer::fleet::manager
