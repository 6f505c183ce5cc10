// The runner's command line, for coffer-run and `coffer run`: the flags of upstream's tee-wasm-runner, and ours.
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
  bool no_compile_cache = false;

  // As they stand on the command line; apply() turns them into options.
  std::string mode = "auto";
  std::string aa_config{}, kbs_certificate{}, init_data{};
  std::vector<std::string> offline_keys{}, environment{}, directories{}, allow_http{};
  std::string memory{}, fuel{};
  double timeout_seconds = 0;
  std::vector<std::string> positional_args{};

  // Where the key comes from and how the module runs: what both programs have.
  void add_shared(CLI::App& app);
  // All flags of coffer-run: the above, and those by which upstream names image, broker and folders.
  void add_to(CLI::App& app);
  // GuestError::usage, naming the flag.
  Result<> apply();

 private:
  void add_key_flags(CLI::App& app);
  void add_module_flags(CLI::App& app);
};

// "64M", "1G", "65536": bytes, with powers of 1024 for K, M and G.
Result<std::uint64_t> parse_size(std::string_view text);

}  // namespace coffer::runner
