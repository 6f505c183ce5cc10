// From commands to results: which runtime, when, and what is answered. Knows nothing of MQTT but the topics' names.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>

#include "fleet/attested_key.h"
#include "fleet/messages.h"
#include "fleet/worker/config.h"
#include "fleet/worker/plugins/task_hooks.h"
#include "fleet/worker/rounds/update_sealer.h"
#include "fleet/worker/runtimes/runtime.h"
#include "fleet/worker/task_pool.h"
#include "fleet/worker/task_table.h"
#include "net/trace.h"

namespace coffer::fleet::worker {

class Dispatcher {
 public:
  using Instant = std::chrono::steady_clock::time_point;
  struct Parts {
    Runtime& wasm;
    Runtime* host = nullptr;  // where plain tasks run by a program of its own
    Runtime& tee;
    std::function<std::optional<Error>()> tee_refusal;  // why encrypted tasks cannot be run here
    std::function<void(Topic, std::string payload, Instant not_before)> answer;
    std::function<std::string(ResultStatement)> sign{};  // empty text: no signature
    // Of federated rounds: fills the environment before a run, and gives an update to whom it is for.
    std::function<void(std::map<std::string, std::string>&)> round_inputs{};
    std::function<void(const std::map<std::string, std::string>&, const std::string& update)> round_update{};
    const UpdateSealer* sealer = nullptr;  // of updates that leave sealed alone; outlives the dispatcher
    TaskHooks* hooks = nullptr;            // asked and told; outlives the dispatcher
    std::function<void(const StartCommand&)> started{};
    std::function<void(const StartCommand&, std::string_view code)> ended{};  // code: empty for success
    const net::Tracer* tracer = nullptr;                                      // outlives the dispatcher
  };
  Dispatcher(const Config& config, Parts parts);
  ~Dispatcher() { finish(); }

  // Called with what came by MQTT. None blocks.
  void start(std::string_view payload);
  void stop(std::string_view payload);
  void invoke(std::string_view payload);

  std::size_t running() const { return table_.running(); }
  // Stops all tasks and waits for their ends. Twice is once.
  void finish();

 private:
  struct Started;
  using Task = std::shared_ptr<const Started>;

  void take(StartCommand command, Instant received, net::Span& span);
  void admit(StartCommand command, Instant received);
  void submit(const Task& task);
  Runtime& runtime_for(const StartCommand& command) const;
  void execute(const Task& task);
  Result<> consult(const Task& task) const;
  Result<PreparedModule> prepare(const Task& task, Runtime& runtime) const;
  RunReport run(const Task& task, Runtime& runtime, const PreparedModule& module);
  RunReport run_lasting(const Task& task, Runtime& runtime, const PreparedModule& module, const Run& run);
  bool submit_lasting(std::function<void()> job);
  void hand_over(const Task& task, Runtime& runtime, PreparedModule module);
  void end(const Task& task, const RunReport& report);
  void tell_hooks(const Task& task, const RunReport& report) const;
  std::string result_of(const StartCommand& command, const RunReport& report) const;
  void refuse(const std::string& id, const Error& error, Instant received) const;

  void execute_invocation(const std::shared_ptr<const ReadyTask>& ready, const InvokeCommand& command,
                          Instant received);
  void answer_invocation(const InvokeCommand& command, const RunReport& report, Instant received) const;
  void add_signature(const StartCommand& command, RunReport& report) const;

  const Config& config_;
  Parts parts_;
  std::string own_id_;
  const net::Tracer& tracer_;
  TaskTable table_;
  std::atomic<unsigned> daemons_running_{0};
  TaskPool pool_, daemons_;  // last: their threads use all the rest
};

}  // namespace coffer::fleet::worker
