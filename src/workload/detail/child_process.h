// A program of its own with its output taken through pipes, stopped by deadline or stop token.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "base/file_descriptor.h"
#include "workload/execution.h"
#include "workload/external_runtime.h"

namespace coffer::workload::detail {

class ChildProcess {
 public:
  // `module` stays open in the child under its own number. runtime_missing where it cannot be started.
  static Result<ChildProcess> spawn(const ExternalProgram& program, std::vector<std::string> arguments, int module,
                                    const Execution& execution);
  ChildProcess(ChildProcess&& other) noexcept;
  ChildProcess& operator=(ChildProcess&&) = delete;
  ~ChildProcess();  // kills and reaps one that was not waited for

  // Passes output on until the child has ended, then gives its exit code. Errors: timeout, cancelled.
  Result<int> wait(const Execution& execution);

 private:
  struct Stream {
    FileDescriptor pipe{};
    wasm::Sink sink{};
    void pass_on();
    void drain();
  };
  ChildProcess() = default;
  Result<> pass_output_until_end(const Execution& execution, int stop_event, int handle);
  void kill() const;
  int reap();

  std::string name_;
  pid_t child_ = -1;
  bool own_group_ = false;
  Stream output_, error_;
};

}  // namespace coffer::workload::detail
