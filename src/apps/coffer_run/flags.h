// coffer-run's command line: the flags of upstream's tee-wasm-runner, and ours.
#pragma once

#include <string>
#include <vector>

#include "guest/runner.h"

namespace CLI {
class App;
}

namespace coffer::runner {

struct Flags {
  guest::RunnerOptions options{};
  bool json = false;

  // As they stand on the command line; apply() turns them into options.
  std::string mode = "auto";
  std::string aa_config{}, kbs_certificate{}, init_data{};
  std::vector<std::string> offline_keys{}, environment{}, directories{};
  std::string memory{}, fuel{};
  double timeout_seconds = 0;
  std::vector<std::string> positional_args{};

  void add_to(CLI::App& app);
  // GuestError::usage, naming the flag.
  Result<> apply();
};

// "64M", "1G", "65536": bytes, with powers of 1024 for K, M and G.
Result<std::uint64_t> parse_size(std::string_view text);

}  // namespace coffer::runner
