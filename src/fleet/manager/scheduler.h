// Which worker gets a task. A function of what is known of workers; nothing is changed here.
#pragma once

#include <string>

#include "fleet/manager/task.h"
#include "fleet/manager/workers.h"

namespace coffer::fleet::manager {

struct SchedulerOptions {
  // Encrypted tasks may go to workers that have proven nothing, as upstream sends them; the worker's own attestation to
  // its broker is then all that guards the key.
  bool unverified_encrypted = false;
};

struct Choice {
  enum class Kind {
    worker,       // `worker` gets it
    busy,         // somebody may run it and has no room now: it waits, whatever the task says
    unavailable,  // nobody may run it: the task's on_unavailable decides
  } kind = Kind::unavailable;
  std::string worker{};
  std::string reason{};  // where it is not Kind::worker
  ManagerError code = ManagerError::no_worker;
  std::vector<std::string> all{};  // a broadcast: everyone alive that may run it

  // It is not worth waiting: a plugin's "no" is not one of the fleet.
  bool is_final(bool waits) const {
    return kind == Kind::unavailable &&
           (!waits || code == ManagerError::plugin_denied || code == ManagerError::plugin_failed);
  }
};

class Scheduler {
 public:
  Scheduler(const Workers& workers, SchedulerOptions options) : workers_(workers), options_(options) {}

  // The least busy of those that may run it; among equals, the next one after the last that was chosen. `more`: what is
  // required beside the task's own requirements.
  Choice choose(const Task& task, TimePoint now, const Requirements& more = {});
  // How many tasks can be given out, `a_lot` where somebody has no bound. Without anybody alive too: then tasks that
  // shall not wait must fail.
  static constexpr std::size_t a_lot = 1024;
  std::size_t room(TimePoint now) const;

 private:
  struct Search;
  // Nothing where the worker may run the task, else why not.
  std::string objection(const Task& task, const Requirements& more, const Worker& worker, TimePoint now) const;
  std::string tee_objection(const Task& task, const Worker& worker, TimePoint now) const;

  const Workers& workers_;
  SchedulerOptions options_;
  std::mutex mutex_;
  std::string last_;
};

}  // namespace coffer::fleet::manager
