#include "guest/detail/settings.h"

#include <cstdlib>
#include <fstream>
#include <iterator>

#include "base/log.h"

namespace coffer::guest::detail {
namespace {

constexpr std::size_t max_text_file = 1U << 20;

Result<std::string> read_text(const std::filesystem::path& file, std::string_view what) {
  std::ifstream stream(file, std::ios::binary);
  if (!stream) return fail(GuestError::usage, std::string{what} + " " + file.string() + " cannot be opened");
  std::string text{std::istreambuf_iterator<char>{stream}, {}};
  if (text.size() > max_text_file) {
    return fail(GuestError::usage, std::string{what} + " " + file.string() + " is over 1 MiB");
  }
  return text;
}

void apply_logging(const keyclient::AaConfig& config) {
  // RUST_LOG beats the file (guest-components.md 2.2).
  const bool by_environment = std::getenv("RUST_LOG") != nullptr || std::getenv("COFFER_LOG") != nullptr;
  if (!config.log_level.empty() && !by_environment) log::set_filter(config.log_level);
  for (const auto& notice : config.notices) log::warn("runner.aa_config", notice);
}

Result<keyclient::AaConfig> read_config(const RunnerOptions& options, std::string_view kbc_params) {
  keyclient::AaConfig config;
  if (options.aa_config) config = TRY(keyclient::load_aa_config(*options.aa_config));
  apply_logging(config);
  // A broker named on the command line makes the environment's moot.
  if (kbc_params.empty() || !options.kbs_url.empty()) return config;
  TRY(keyclient::apply_kbc_params(config, TRY(keyclient::parse_kbc_params(kbc_params))));
  return config;
}

struct Choice {
  Mode mode;
  std::string reason;
};

// The first of flag, kbc name, file and the mere presence of keys that says anything.
Result<Choice> choose_mode(const RunnerOptions& options, const keyclient::AaConfig& config, const Settings& settings) {
  const auto& kbc = options.kbc_name.empty() ? config.kbc_name : options.kbc_name;
  if (!kbc.empty() && kbc != "cc_kbc" && kbc != "offline_fs_kbc" && kbc != "sample") {
    return fail(GuestError::usage, "kbc name \"" + kbc + "\" is unknown; expected cc_kbc, offline_fs_kbc or sample");
  }
  const bool local_kbc = kbc == "offline_fs_kbc" || kbc == "sample";
  if (options.mode != Mode::automatic) {
    if (local_kbc && options.mode != Mode::offline) {
      return fail(GuestError::usage, "--mode " + std::string{name_of(options.mode)} + " asks a broker, the kbc " + kbc +
                                         " none; give one of them");
    }
    return Choice{options.mode, "--mode says so"};
  }
  if (local_kbc) return Choice{Mode::offline, "the kbc " + kbc + " asks no broker"};
  if (config.offline) return Choice{Mode::offline, "[attestation] type is \"file\""};
  if (settings.kbs_url.empty() && settings.has_local_keys()) {
    return Choice{Mode::offline, "key files are given and no broker is"};
  }
  if (!config.mode.empty()) return Choice {
      TRY(workload::parse_mode(config.mode))
      , "attestation_type says so"
    };
  if (settings.issuer_by_flag) return Choice{Mode::passport, "--issuer-uri names an issuer"};
  return Choice{Mode::automatic, ""};
}

Result<> add_local_keys(const RunnerOptions& options, Settings& settings) {
  for (const auto& path : options.offline_keys) {
    std::error_code failure;
    if (std::filesystem::is_directory(path, failure)) {
      settings.key_directories.push_back(path);
    } else if (std::filesystem::is_regular_file(path, failure)) {
      settings.key_files.push_back(path);
    } else {
      return fail(GuestError::usage, "offline keys " + path.string() + ": no such directory or file");
    }
  }
  return {};
}

Result<> add_trust(const RunnerOptions& options, Settings& settings) {
  if (options.kbs_certificate) {
    settings.root_pems.push_back(TRY(read_text(*options.kbs_certificate, "certificate")));
  }
  if (options.init_data) {
    settings.init_data = TRY(evidence::InitData::parse(TRY(read_text(*options.init_data, "init-data"))));
  }
  return {};
}

// What a mode cannot do without, said before anything is asked for.
Result<> check_complete(const Settings& settings) {
  const bool asks_broker = settings.mode == Mode::background_check || settings.mode == Mode::passport;
  if (asks_broker && settings.kbs_url.empty()) {
    return fail(GuestError::usage, "mode " + std::string{name_of(settings.mode)} +
                                       " needs the broker's address: give --kbs-uri or token_configs.kbs.url");
  }
  if (settings.mode == Mode::passport && settings.issuer_url.empty()) {
    return fail(GuestError::usage,
                "mode passport needs the broker that issues tokens: give --issuer-uri or "
                "token_configs.coco_as.url");
  }
  return {};
}

}  // namespace

Result<Settings> gather_settings(const RunnerOptions& options, std::string_view kbc_params) {
  const auto config = TRY(read_config(options, kbc_params));
  Settings settings;
  settings.kbs_url = options.kbs_url.empty() ? config.kbs_url : options.kbs_url;
  settings.issuer_url = options.issuer_url.empty() ? config.issuer_url : options.issuer_url;
  settings.issuer_by_flag = !options.issuer_url.empty();
  settings.tee = options.tee;
  settings.simulator_directory = options.simulator_directory;
  settings.allow_unattested = options.allow_unattested;
  TRY(add_local_keys(options, settings));
  TRY(workload::add_aa_config(config, settings));
  TRY(add_trust(options, settings));
  auto choice = TRY(choose_mode(options, config, settings));
  settings.mode = choice.mode;
  settings.mode_reason = std::move(choice.reason);
  settings.published_key = (options.kbc_name.empty() ? config.kbc_name : options.kbc_name) == "sample";
  if (!options.key_id.empty()) settings.key_id = TRY(codec::ResourceUri::parse_any(options.key_id));
  settings.expect_encrypted = options.require_encrypted || settings.key_id;
  TRY(check_complete(settings));
  return settings;
}

}  // namespace coffer::guest::detail
