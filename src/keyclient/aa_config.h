// The attestation agent's configuration, in one loader for runner, guest and worker (guest-components.md 2.2, and the
// keys of seed 000): [token_configs.kbs] url cert tee_key_algorithm (alias coco_kbs), [token_configs.coco_as] or
// [token_configs.issuer] url, [attestation] type, [key_providers] type path, [resources] URI = file, [eventlog_config],
// [log] level.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "keyclient/error.h"

namespace coffer::keyclient {

struct AaConfig {
  std::string kbs_url{};            // empty: not configured
  std::string kbs_cert_pem{};       // an extra root
  std::string tee_key_algorithm{};  // empty: the default, P-256
  std::string issuer_url{};         // the broker that issues tokens in passport mode
  bool offline = false;             // [attestation] type = "file", or kbc offline_fs_kbc
  std::string mode{};               // "background-check" or "passport" from attestation_type; empty: not said
  std::string kbc_name{};           // from AA_KBC_PARAMS: "cc_kbc", "offline_fs_kbc", "sample"
  std::optional<std::filesystem::path> key_directory{};      // [key_providers] type = "local" path = ...
  std::map<std::string, std::filesystem::path> resources{};  // [resources]
  struct EventLog {
    unsigned init_pcr = 17;
    bool enabled = false;
  } event_log{};
  std::string log_level{};
  // What the reader wants said: unknown keys by name, aliases, older spellings. One sentence each.
  std::vector<std::string> notices{};
};

enum class AaConfigFormat { toml, json, yaml };

// By extension: .json, .yaml and .yml, everything else TOML. Relative paths inside stand relative to the file's folder.
Result<AaConfig> load_aa_config(const std::filesystem::path& file);
// `name` stands in errors and notices, "aa-config.toml:3: ...".
Result<AaConfig> parse_aa_config(std::string_view text, AaConfigFormat format, std::string_view name,
                                 const std::filesystem::path& base = {});

// "<kbc>::<uri>" as in AA_KBC_PARAMS and agent.aa_kbc_params. Split at the first "::", so that IPv6 addresses survive.
struct KbcParams {
  std::string kbc;
  std::string uri;
};
Result<KbcParams> parse_kbc_params(std::string_view text);
// Fills what the file left open from AA_KBC_PARAMS, where that is set. A different URL there is config_conflict.
Result<> apply_kbc_params(AaConfig& config, const KbcParams& params);

}  // namespace coffer::keyclient
