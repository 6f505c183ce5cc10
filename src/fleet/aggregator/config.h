// An aggregator's settings: AGGREGATOR_* variables and flags of the same names.
#pragma once

#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "fleet/aggregator/aggregator.h"
#include "fleet/config/variable_help.h"
#include "fleet/config/variables.h"
#include "fleet/trust/token_trust.h"
#include "net/http_server.h"

namespace coffer::fleet::aggregator {

// How it proves itself.
struct TeeSettings {
  bool outside = false;    // by name alone: no TEE, no key, plain updates
  std::string test_tee{};  // "sample", "simulated:snp": only by name
  std::filesystem::path simulator_directory{};
  std::string kbs_uri{};  // the broker that issues the token
  std::optional<std::filesystem::path> aa_config{};
  std::filesystem::path init_data{};  // TOML that the TEE vouches for by digest
  std::vector<std::string> root_pems{};
};

struct Config {
  std::string log_level = "info";
  std::string http_host = "localhost";
  std::uint16_t http_port = 8086;
  std::string certificate{}, certificate_key{};  // files; both or none
  net::ServerOptions http{};                     // timeouts and sizes
  std::string url_file{};                        // where the address is written, for port 0
  std::string token_file{};                      // the operator's token
  bool insecure_open = false;
  TeeSettings tee{};
  std::optional<TokenTrustOptions> workers{};  // whose updates count; nothing: of anybody who can seal, by name alone
  bool accept_plain = false;
  std::string model_file{};  // the first model; empty: upstream's three zeros
  AggregatorOptions aggregator{};
  std::vector<std::string> notices{};  // for the log
};

// fleet::ConfigError, naming the variable or flag.
Result<Config> read_config(const Variables& variables);
std::span<const VariableHelp> variable_help();

}  // namespace coffer::fleet::aggregator
