#include "fleet/manager/scheduler.h"

#include <algorithm>

namespace coffer::fleet::manager {
namespace {

// Zero, and upstream's workers: nothing is said, so nothing is known.
std::size_t most_of(const Worker& worker) {
  return worker.capabilities ? worker.capabilities->max_tasks : 0;
}

bool has_room(const Worker& worker) {
  return most_of(worker) == 0 || worker.running < most_of(worker);
}

bool has_tag(const Worker& worker, const std::string& tag) {
  const auto among = [&](const std::vector<std::string>& tags) { return std::ranges::find(tags, tag) != tags.end(); };
  return among(worker.metadata.tags) || (worker.capabilities && among(worker.capabilities->tags));
}

// Why nobody: one worker's objection is told in full, more are counted.
struct Objections {
  std::size_t count = 0;
  std::string first{}, first_worker{};

  void add(const Worker& worker, const std::string& text) {
    if (count++ == 0) {
      first = text;
      first_worker = worker.id;
    }
  }
  std::string text() const {
    if (count == 0) return "no active proplets available";
    std::string out =
        "no eligible worker among " + std::to_string(count) + " that are alive; " + first_worker + ": " + first;
    return out;
  }
};

}  // namespace

std::string Scheduler::tee_objection(const Task& task, const Worker& worker, TimePoint now) const {
  const bool proof_needed = task.work.encrypted ? !options_.unverified_encrypted : !task.requires_.tee.empty();
  if (!proof_needed) return {};
  if (!worker.verified) return worker.unproven.empty() ? "it has proven nothing" : worker.unproven;
  if (const auto valid = workers_.checker().still_valid(*worker.verified, now); !valid) return valid.error().message;
  if (task.requires_.tee.empty() || task.requires_.tee == worker.verified->tee) return {};
  return "the task asks for TEE " + task.requires_.tee + ", it has proven " + worker.verified->tee;
}

std::string Scheduler::objection(const Task& task, const Requirements& more, const Worker& worker,
                                 TimePoint now) const {
  if (auto text = tee_objection(task, worker, now); !text.empty()) return text;
  for (const auto* tags : {&task.requires_.tags, &more.tags}) {
    for (const auto& tag : *tags) {
      if (!has_tag(worker, tag)) return "it lacks the tag \"" + tag + "\"";
    }
  }
  const auto needed = std::max(task.requires_.memory_bytes, more.memory_bytes);
  if (needed == 0) return {};
  const auto said = worker.capabilities ? worker.capabilities->memory_available_bytes : 0;
  const auto has = said != 0 ? said : worker.metadata.total_memory_bytes.value_or(0);
  if (has >= needed) return {};
  return "the task asks for " + std::to_string(needed) + " bytes of memory, it has " + std::to_string(has);
}

// One pass over the workers for one task.
struct Scheduler::Search {
  const Scheduler& scheduler;
  const Task& task;
  const Requirements& more;
  TimePoint now;
  const Worker* best = nullptr;
  bool busy = false;
  Objections objections{};
  std::vector<std::string> all{};

  // The map is sorted: the first after the last chosen one wins among equals, else the first of all.
  std::pair<std::size_t, bool> rank(const Worker& worker) const {
    return {worker.running, worker.id <= scheduler.last_};
  }

  void consider(const Worker& worker) {
    if (!scheduler.workers_.is_alive(worker, now)) return;
    if (const auto text = scheduler.objection(task, more, worker, now); !text.empty()) {
      objections.add(worker, text);
      return;
    }
    if (task.work.broadcast) all.push_back(worker.id);
    if (!has_room(worker)) {
      busy = true;
    } else if (best == nullptr || rank(worker) < rank(*best)) {
      best = &worker;
    }
  }

  std::string reason() const {
    if (busy) return "every worker that may run it is busy";
    const auto& pinned = task.work.proplet_id;
    if (pinned.empty() || objections.count != 0) return objections.text();
    return "no active proplets available: " + pinned + ", which the task is pinned to, is not alive";
  }

  Choice choice() {
    Choice choice;
    if (best != nullptr || !all.empty()) {
      choice.kind = Choice::Kind::worker;
      if (!task.work.broadcast) choice.worker = best->id;
      choice.all = std::move(all);
      return choice;
    }
    choice.kind = busy ? Choice::Kind::busy : Choice::Kind::unavailable;
    choice.code = objections.count == 0 ? ManagerError::no_worker : ManagerError::no_eligible_worker;
    choice.reason = reason();
    return choice;
  }
};

std::size_t Scheduler::room(TimePoint now) const {
  return workers_.with([&](const auto& workers) {
    bool anybody = false;
    std::size_t room = 0;
    for (const auto& [id, worker] : workers) {
      if (!workers_.is_alive(worker, now)) continue;
      anybody = true;
      if (has_room(worker)) room += most_of(worker) == 0 ? a_lot : most_of(worker) - worker.running;
      if (room >= a_lot) break;
    }
    return anybody ? std::min(room, a_lot) : a_lot;
  });
}

Choice Scheduler::choose(const Task& task, TimePoint now, const Requirements& more) {
  const std::scoped_lock lock(mutex_);
  auto choice = workers_.with([&](const auto& workers) {
    Search search{*this, task, more, now};
    const auto& pinned = task.work.proplet_id;
    if (pinned.empty()) {
      for (const auto& [id, worker] : workers) search.consider(worker);
    } else if (const auto known = workers.find(pinned); known != workers.end()) {
      search.consider(known->second);
    }
    return search.choice();
  });
  if (!choice.worker.empty()) last_ = choice.worker;
  return choice;
}

}  // namespace coffer::fleet::manager
