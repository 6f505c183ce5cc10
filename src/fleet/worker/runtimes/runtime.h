// How a task is run. A worker has one runtime for each way; the request decides which.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "fleet/commands.h"
#include "fleet/results.h"
#include "fleet/sealed_update.h"
#include "fleet/worker/error.h"
#include "wasm/module.h"

namespace coffer::fleet::worker {

// A task's module, fetched, checked and (in process) compiled: it may be run any number of times.
struct PreparedModule {
  std::string digest{};                    // "sha256:...", of the module as it runs
  bool serves = false;                     // runs until it is stopped, answering HTTP requests
  std::optional<wasm::Module> compiled{};  // in process
  std::shared_ptr<const Bytes> content{};  // for the external runtime
};

// One run of it: of the task itself, or of an invocation.
struct Run {
  const StartCommand& task;
  const std::vector<std::string>& inputs;
  const std::map<std::string, std::string>& env;
  // Told once by a module that serves, when it does: the text of the result that is due now.
  std::function<void(const std::string& result)> serving{};
};

// What is told of a run. Output and error may come together.
struct RunReport {
  std::string results{};
  ResultDetails details{};
  std::optional<Error> error{};
  std::optional<SealedUpdate> sealed{};  // of a federated round: `results` is then its text
  bool begun = false;                    // a result has gone out already: beside it only a failure is told
};

class Runtime {
 public:
  virtual ~Runtime() = default;
  virtual std::string_view name() const = 0;  // "wasm", "host", "tee"
  // Brings and checks the module; blocks. WorkerError, FleetError and what image, network and engine say.
  virtual Result<PreparedModule> prepare(const StartCommand& task, const std::stop_token& stop) = 0;
  // Blocks until the module has ended or was stopped.
  virtual RunReport run(const PreparedModule& module, const Run& run, const std::stop_token& stop) = 0;
};

}  // namespace coffer::fleet::worker
