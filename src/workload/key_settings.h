// Where keys come from and how this machine proves itself: what key access is opened with, whoever gathered it.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "evidence/init_data.h"
#include "keyclient/aa_config.h"
#include "keyclient/kbs_client.h"
#include "workload/mode.h"

namespace coffer::workload {

struct KeySettings {
  Mode mode = Mode::automatic;
  std::string mode_reason{};  // who chose it; empty for automatic
  std::string kbs_url{};
  std::string issuer_url{};
  bool allow_unattested = false;
  bool published_key = false;  // kbc "sample": the key that upstream publishes for tests
  std::vector<std::string> root_pems{};
  std::string tee{};                            // empty: the one this machine shows
  std::filesystem::path simulator_directory{};  // keys for "simulated:..."
  keyclient::TeeKeyAlgorithm tee_key = keyclient::TeeKeyAlgorithm::ecdh_p256;
  std::optional<evidence::InitData> init_data{};
  std::optional<unsigned> event_log_pcr{};  // [eventlog_config]: runtime events are measured; nothing: they are not
  std::vector<std::filesystem::path> key_directories{};
  std::vector<std::filesystem::path> key_files{};  // offline_fs_kbc JSON
  std::map<std::string, std::filesystem::path> resources{};

  bool has_local_keys() const { return !key_directories.empty() || !key_files.empty() || !resources.empty(); }
};

// Adds what an aa-config says of keys, roots and the key that answers are encrypted to. Addresses and mode are the
// caller's, who knows what wins over the file. Error: keyclient.config_value for an unknown key algorithm.
Result<> add_aa_config(const keyclient::AaConfig& config, KeySettings& settings);

}  // namespace coffer::workload
