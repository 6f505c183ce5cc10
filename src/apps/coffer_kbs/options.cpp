#include "apps/coffer_kbs/options.h"

#include "keybroker/config_file.h"
#include "keybroker/resource_policies.h"

namespace coffer::kbs {
namespace {

using keybroker::AdminMode;
using keybroker::Config;

bool is_historic(const Options& options) {
  return !options.sockets.empty() || !options.auth_public_key.empty() || !options.private_key.empty() ||
         !options.certificate.empty() || options.insecure_http || options.insecure_api;
}

Result<Config> historic_config(const Options& options) {
  if (!is_historic(options) && options.store.empty()) {
    return fail(CommandLineError::usage,
                "expected --config-file FILE (or KBS_CONFIG_FILE), or a start line such as "
                "--insecure-http --auth-public-key FILE; `coffer init` makes a configuration");
  }
  Config config;
  config.attestation.kind = keybroker::AttestationKind::builtin;
  auto& notices = config.notices;
  notices.emplace_back(
      "no configuration file: assuming what Trustee's first releases did; `coffer init` makes a current one");
  notices.emplace_back("assuming the attestation service built in (background check)");
  if (options.sockets.empty()) notices.emplace_back("assuming --socket 127.0.0.1:8080");
  if (options.store.empty())
    notices.emplace_back("assuming that state may be lost at the end: it is kept in memory; see --store FILE");
  if (options.auth_public_key.empty() && !options.insecure_api) {
    notices.emplace_back("assuming that nobody may administer this broker; see --auth-public-key FILE");
  }
  if (options.allow_tees.empty()) {
    notices.emplace_back(
        "sample evidence is refused; --allow-tee sample accepts it and --default-policy allow_all releases "
        "resources to it");
  }
  return config;
}

void apply_server_options(const Options& options, Config& config) {
  if (!options.sockets.empty()) config.http.sockets = options.sockets;
  if (options.insecure_http) config.http.insecure_http = true;
  if (!options.private_key.empty()) config.http.private_key = options.private_key;
  if (!options.certificate.empty()) config.http.certificate = options.certificate;
  if (options.insecure_api) {
    config.admin = {.mode = AdminMode::insecure_allow_all};
  } else if (!options.auth_public_key.empty()) {
    config.admin = {.mode = AdminMode::simple, .personas = {{"admin", options.auth_public_key}}};
  }
}

Result<> apply_our_options(const Options& options, Config& config) {
  auto& coffer = config.coffer;
  coffer.allow_tees.insert(coffer.allow_tees.end(), options.allow_tees.begin(), options.allow_tees.end());
  if (options.unattested_reads) coffer.unattested_reads = true;
  if (!options.default_policy.empty()) {
    coffer.default_policy = TRY(keybroker::parse_default_policy(options.default_policy));
  }
  if (!options.store.empty()) config.storage = {keybroker::StorageKind::sqlite, options.store};
  return {};
}

}  // namespace

std::string_view code_name(CommandLineError code) {
  switch (code) {
    case CommandLineError::usage: return "kbs.usage";
  }
  return "kbs.unknown";
}

Result<Config> build_config(const Options& options) {
  auto config =
      TRY(options.config_file.empty() ? historic_config(options) : keybroker::load_config(options.config_file));
  apply_server_options(options, config);
  TRY(apply_our_options(options, config));
  return config;
}

}  // namespace coffer::kbs
