// The fleet's manager without its sockets and threads: what REST asks, what workers say, what is due. Several managers
// may share one PostgreSQL database: each decision is one transaction, and there is no leader.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "fleet/manager/invocations.h"
#include "fleet/manager/outbox.h"
#include "fleet/manager/plugins/plugins.h"
#include "fleet/manager/progress.h"
#include "fleet/manager/rest/task_body.h"
#include "fleet/manager/telemetry_log.h"
#include "fleet/messages.h"
#include "net/trace.h"

namespace coffer::fleet::manager {

struct ManagerOptions {
  std::string id{};  // of this process; made up where empty
  std::optional<JobMode> job_mode{};
  OnUnavailable on_unavailable = OnUnavailable::fail;  // of tasks that are started one by one and do not say
  Duration claim_lifetime = std::chrono::seconds{15};
  Duration lost_after = std::chrono::seconds{60};    // a worker's silence, until its tasks count as lost
  Duration result_grace = std::chrono::seconds{15};  // a task's age, before a worker that says it is idle is believed
  Duration cron_grace = std::chrono::seconds{90};    // a run that is later than this was missed
  Duration invoke_timeout = std::chrono::seconds{30};
  Duration metrics_retention = std::chrono::hours{1};
  Duration clock_tolerance = std::chrono::seconds{60};  // between workers' clocks and ours
  WorkersOptions workers{};
  SchedulerOptions scheduler{};
};

struct Dependencies {
  std::unique_ptr<storage::SqlDatabase> database;
  Outbox& outbox;
  AttestationChecker checker;
  const Clock& clock = system_clock();
  std::function<void()> wake{};         // the queue is worth a look: somebody shall call dispatch()
  const net::Tracer* tracer = nullptr;  // outlives the manager
  std::unique_ptr<Plugins> plugins{};   // null: none
};

// Safe to use from any thread.
class Manager {
 public:
  static Result<std::unique_ptr<Manager>> create(ManagerOptions options, Dependencies dependencies);

  // --- tasks
  Result<Task> create_task(TaskBody body);
  Result<Task> task(std::string_view id);
  Result<std::optional<Bytes>> task_file(std::string_view id);
  Result<store::Paged<Task>> tasks(store::Page page, const codec::json::Object& metadata);
  Result<Task> update_task(std::string_view id, TaskUpdate update);
  Result<Task> upload(std::string_view id, Bytes file);
  Result<> delete_task(std::string_view id);
  // Running, or waiting in the queue. Where nobody may run it and it shall not wait, it stays as it was but for its
  // reason. `trace`: what this run belongs to, in the place of what the task was made for.
  Result<Task> start_task(std::string_view id, std::string_view trace = {});
  Result<> stop_task(std::string_view id);
  Result<codec::json::Value> invoke_task(std::string_view id, const InvokeBody& body, std::string_view trace = {});

  // --- jobs and workflows
  struct JobView {
    Job job;
    std::vector<Task> tasks;
  };
  Result<JobView> create_job(JobBody body);
  Result<JobView> job(std::string_view id);
  Result<store::Paged<JobView>> jobs(store::Page page, std::optional<TaskState> state);
  Result<> start_job(std::string_view id);
  Result<> stop_job(std::string_view id);
  Result<std::vector<Task>> create_workflow(std::vector<TaskBody> bodies);

  // --- federated rounds: one task a participant
  Result<> start_round(const RoundStart& round);

  // --- workers
  struct WorkerView {
    Worker worker;
    std::size_t task_count = 0;
    bool alive = false;
  };
  Result<WorkerView> worker(std::string_view id);
  Result<store::Paged<WorkerView>> workers(store::Page page, std::optional<bool> alive);
  Result<> delete_worker(std::string_view id);
  // `kind`: "proplet" or "task".
  Result<store::Paged<std::string>> measurements(std::string_view kind, std::string_view subject, store::Page page);

  // --- what the wire brings; a payload that cannot be read is logged
  // `sent_at`: where the payload proves it; a result from before its task's start is then passed over.
  Result<> on_message(Topic topic, std::string_view payload, std::optional<TimePoint> sent_at = {});

  // --- what is due. dispatch(): one look at the queue; how many tasks were given out. tick(): once a second.
  Result<std::size_t> dispatch();
  void tick();

  // Writes down what is still only in memory.
  void close();

  struct Figures {
    std::size_t alive = 0, verified = 0, silent = 0, running = 0;
  };
  Figures figures() const;
  Tally::Counts outcomes() const { return tally_.counts(); }

  const ManagerOptions& options() const { return options_; }
  std::size_t queue_length() const { return queue_length_; }
  // As of the last count; tick() counts every fifth time.
  std::size_t encrypted_queue_length() const { return encrypted_queue_length_; }

 private:
  Manager(ManagerOptions options, Dependencies dependencies);
  TimePoint now() const { return clock_.now(); }

  // A transaction, and what it calls for. The body gets both.
  using Body = std::function<Result<>(store::SqlTransaction&, Effects&)>;
  Result<> change(const Body& body);
  void perform(Effects effects);
  net::Span dispatch_span(const Task& task) const;
  void publish(Task task, bool complete);
  Result<> complete_start(store::SqlTransaction& transaction, Task& task) const;
  Result<std::string> start_payload(Task task, bool complete, std::string traceparent);
  void on_posted(const std::string& task, const Result<>& sent);
  bool on_its_way(const std::string& task);
  void save_published();
  void end_unsendable();

  Result<Task> prepare(TaskBody& body, TimePoint now) const;
  // What plugins say, where there are some. admit(): of a task that is to be made, to which they may add.
  Result<> authorize(PluginAction action, const Task& task);
  Result<> authorize(PluginAction action, std::string_view id);
  Result<> authorize_all(PluginAction action, std::string_view job);
  Result<> admit(Task& task);
  Result<> check_startable(store::SqlTransaction& transaction, const Task& task);
  Result<> insert_all(std::vector<TaskBody>& bodies, std::vector<Task>& tasks, const Job* job);
  Result<> take_result(const TaskResult& result, std::optional<TimePoint> sent_at);
  bool is_of_earlier_run(const Task& task, std::optional<TimePoint> sent_at) const;
  Result<> write_result(const TaskResult& result, std::optional<TimePoint> sent_at, std::string& trace);
  Result<> end_lasting(store::SqlTransaction& transaction, Task& task, const TaskResult& result) const;
  Result<> take_broadcast_result(store::SqlTransaction& transaction, Task& task, const TaskResult& result,
                                 Effects& effects);
  void take_presence(bool more_work_possible);
  Result<codec::json::Value> invoke_once(const Task& task, const InvokeBody& body, TimePoint deadline);
  void move_elsewhere(Task& task);
  Result<bool> make_round_task(Task task);

  struct Page;
  Result<> dispatch_page(Page& page);
  Result<> dispatch_one(store::SqlTransaction& transaction, Task& task, Page& page, Effects& effects);
  Result<> run_due();
  Result<> run_one_due(store::SqlTransaction& transaction, Task& task, Effects& effects);
  Result<> settle();
  Result<> find_lost();
  Result<> end_lost(const std::string& worker, ManagerError code, const std::string& why);
  Result<> end_lost_broadcasts();
  Result<> count();

  ManagerOptions options_;
  std::unique_ptr<storage::SqlDatabase> database_;
  Outbox& outbox_;
  const Clock& clock_;
  std::function<void()> wake_;
  const net::Tracer& tracer_;
  std::unique_ptr<Plugins> plugins_;
  Workers workers_;
  Scheduler scheduler_;
  Progress progress_;
  Invocations invocations_;
  TelemetryLog telemetry_;
  Tally tally_;
  std::atomic<std::size_t> queue_length_ = 0;
  std::atomic<std::size_t> encrypted_queue_length_ = 0;
  std::atomic<bool> busy_waiting_ = false;     // somebody waits for a worker that is busy
  std::atomic<std::uint64_t> generation_ = 0;  // of the workers that may be given work
  std::mutex publishing_;
  std::set<std::string> posted_;                           // tasks whose start is on its way to the broker
  std::vector<std::string> published_;                     // has arrived there, and is not yet written down
  std::vector<std::pair<std::string, Error>> unsendable_;  // can never get through
  std::atomic<unsigned> ticks_ = 0;
};

}  // namespace coffer::fleet::manager
