// The broker's command line: a configuration file, or the single options of Trustee before configuration files.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "keybroker/config.h"

namespace coffer::kbs {

enum class CommandLineError { usage };
std::string_view code_name(CommandLineError code);

struct Options {
  std::string config_file{};
  // The historic start line: kbs --insecure-http --auth-public-key FILE
  std::vector<std::string> sockets{};
  std::string auth_public_key{};
  std::string private_key{};
  std::string certificate{};
  bool insecure_http = false;
  bool insecure_api = false;
  // Ours
  std::vector<std::string> allow_tees{};
  std::string default_policy{};
  std::string store{};
  bool unattested_reads = false;
  bool check = false;
};

// With a file, options given beside it win over it. Without one, what was not said is assumed as upstream's first
// releases did (127.0.0.1:8080, attestation service built in), and each assumption becomes a notice.
Result<keybroker::Config> build_config(const Options& options);

}  // namespace coffer::kbs
