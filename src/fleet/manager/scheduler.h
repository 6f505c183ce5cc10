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
};

class Scheduler {
 public:
  Scheduler(const Workers& workers, SchedulerOptions options) : workers_(workers), options_(options) {}

  // The least busy of those that may run it; among equals, the next one after the last that was chosen.
  Choice choose(const Task& task, TimePoint now);
  // Whether anybody at all can be given a task. Without anybody alive too: then tasks that shall not wait must fail.
  bool any_room(TimePoint now) const;

 private:
  struct Search;
  // Nothing where the worker may run the task, else why not.
  std::string objection(const Task& task, const Worker& worker, TimePoint now) const;
  std::string tee_objection(const Task& task, const Worker& worker, TimePoint now) const;

  const Workers& workers_;
  SchedulerOptions options_;
  std::mutex mutex_;
  std::string last_;
};

}  // namespace coffer::fleet::manager
