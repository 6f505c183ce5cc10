// One boot of a machine, from power on to its command's exit status.
#pragma once

#include <functional>
#include <optional>

#include "base/clock.h"
#include "vm/machine.h"

namespace coffer::vm {

struct RunOptions {
  Firmware firmware{};
  std::filesystem::path tpm_state;                // of create_tpm(); empty: a new TPM for this boot alone
  std::filesystem::path init_data{};              // empty: none
  Duration time_limit = std::chrono::minutes{5};  // 0: none
  // Readable: the guest's program is told to end (SIGTERM); what still runs after `stop_grace` is switched off.
  int stop = -1;
  Duration stop_grace = std::chrono::seconds{15};
  std::function<void(std::string_view)> on_output;   // the program's standard output, as it comes
  std::function<void(std::string_view)> on_console;  // whole lines: kernel, firmware, the program's standard error
};

// The command's exit status. timed_out, stopped, no_exit_code, bad_tpm, no_tool, file.
Result<int> run_machine(const Image& image, const RunOptions& options);

}  // namespace coffer::vm
