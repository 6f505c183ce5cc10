// What command line, aa-config and environment say together, and which of them wins: a flag over the file, the file
// over AA_KBC_PARAMS.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "codec/resource_uri.h"
#include "evidence/init_data.h"
#include "guest/runner.h"
#include "keyclient/aa_config.h"
#include "keyclient/kbs_client.h"

namespace coffer::guest::detail {

inline constexpr std::string_view default_key_path = "default/key/encryption-key";

struct Settings {
  Mode mode = Mode::automatic;
  std::string mode_reason{};  // who chose it; empty for automatic
  std::string kbs_url{};
  std::string issuer_url{};
  bool issuer_by_flag = false;
  bool allow_unattested = false;
  bool expect_encrypted = false;  // by flag, or because a key was named
  bool published_key = false;     // kbc "sample": the key that upstream publishes for tests
  std::vector<std::string> root_pems{};
  std::string tee{};
  std::filesystem::path simulator_directory{};
  keyclient::TeeKeyAlgorithm tee_key = keyclient::TeeKeyAlgorithm::ecdh_p256;
  std::optional<evidence::InitData> init_data{};
  std::vector<std::filesystem::path> key_directories{};
  std::vector<std::filesystem::path> key_files{};  // offline_fs_kbc JSON
  std::map<std::string, std::filesystem::path> resources{};
  std::optional<codec::ResourceUri> key_id{};  // by flag

  bool has_local_keys() const { return !key_directories.empty() || !key_files.empty() || !resources.empty(); }
};

// `kbc_params`: the text of AA_KBC_PARAMS, empty where unset. Errors: GuestError::usage and the aa-config's.
Result<Settings> gather_settings(const RunnerOptions& options, std::string_view kbc_params);

}  // namespace coffer::guest::detail
