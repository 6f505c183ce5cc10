// How tasks move from state to state. Everything here works within a transaction; what the world must be told once it
// is committed is collected in Effects.
#pragma once

#include <string>
#include <vector>

#include "fleet/manager/scheduler.h"
#include "fleet/manager/store/store.h"
#include "fleet/manager/tally.h"

namespace coffer::fleet::manager {

class Plugins;

// A transaction's body may be run more than once: it calls reset() first.
struct Effects {
  std::vector<Task> starts{};
  bool complete = false;  // `starts` have their files and their parents' results
  std::vector<StopCommand> stops{};
  std::vector<std::string> reserved{};  // workers' places taken for `starts`
  std::vector<std::string> released{};  // workers that have one task less
  std::size_t queued = 0;               // tasks that wait
  bool busy = false;                    // one of them for a worker that is busy
  bool freed = false;                   // a worker has room that it did not have
  bool look = false;                    // the queue is worth a look at once
  std::vector<EndedTask> outcomes{};    // how tasks ended
  std::vector<Task> begun{}, ended{};   // for plugins, where there are some
};

struct ProgressOptions {
  std::string manager_id;  // of this process
  Duration claim_lifetime = std::chrono::seconds{15};
  Duration stop_grace = std::chrono::seconds{30};  // for a worker's word that it stopped
};

class Progress {
 public:
  // `plugins` may be null.
  Progress(ProgressOptions options, Workers& workers, Scheduler& scheduler, Plugins* plugins)
      : options_(std::move(options)), workers_(workers), scheduler_(scheduler), plugins_(plugins) {}

  // Gives back what an attempt that is not committed had reserved.
  void reset(Effects& effects);

  // Into the queue, as new: nothing of an earlier run is left.
  static void enqueue(Task& task, TimePoint now, bool waits);
  // A queued task to a worker, if there is one. The caller saves it.
  Choice assign(Task& task, TimePoint now, Effects& effects);
  // enqueue, assign, save. Where others wait for busy workers (`contended`), a worker with room is left to the queue's
  // order.
  Result<Choice> start(store::SqlTransaction& transaction, Task& task, TimePoint now, bool waits, bool contended,
                       Effects& effects);

  // The end of a run: tried again where the task has retries left and it failed; otherwise job and workflow go on.
  // Saves the task.
  Result<> complete(store::SqlTransaction& transaction, Task& task, TimePoint now, Effects& effects);
  Result<> fail_run(store::SqlTransaction& transaction, Task& task, ErrorCode code, std::string error, TimePoint now,
                    Effects& effects);
  // The same for what shall not be tried again.
  Result<> end(store::SqlTransaction& transaction, Task& task, TaskState state, TimePoint now, Effects& effects);

  Result<> start_ready(store::SqlTransaction& transaction, Job& job, TimePoint now, Effects& effects);
  // Asks workers to stop, takes out of the queue, skips what has not begun.
  Result<> stop_all(store::SqlTransaction& transaction, std::vector<Task>& tasks, std::string_view why, TimePoint now,
                    Effects& effects);
  // Of a task that a worker has; the caller saves it.
  void request_stop(Task& task, TimePoint now, Effects& effects) const;
  static StopCommand stop_command(const Task& task);

 private:
  Result<> go_on(store::SqlTransaction& transaction, const Task& ended, TimePoint now, Effects& effects);
  Result<> go_on_with_job(store::SqlTransaction& transaction, const Task& ended, TimePoint now, Effects& effects);
  Result<> go_on_with_workflow(store::SqlTransaction& transaction, const Task& ended, TimePoint now, Effects& effects);
  void release(const Task& task, Effects& effects) const;
  // Which worker, if plugins agree; what they require counts.
  Choice choose(const Task& task, TimePoint now);
  // Whether plugins let the worker that was chosen have it. The variables they add are in the task then.
  Result<> let_go(Task& task, const Choice& choice);
  Result<Choice> start_by_itself(store::SqlTransaction& transaction, Task& task, TimePoint now, Effects& effects);

  ProgressOptions options_;
  Workers& workers_;
  Scheduler& scheduler_;
  Plugins* plugins_;
};

}  // namespace coffer::fleet::manager
