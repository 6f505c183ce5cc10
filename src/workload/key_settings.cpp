#include "workload/key_settings.h"

namespace coffer::workload {

Result<> add_aa_config(const keyclient::AaConfig& config, KeySettings& settings) {
  if (config.key_directory) settings.key_directories.push_back(*config.key_directory);
  settings.resources = config.resources;
  if (config.event_log.enabled) settings.event_log_pcr = config.event_log.init_pcr;
  if (!config.kbs_cert_pem.empty()) settings.root_pems.push_back(config.kbs_cert_pem);
  if (!config.tee_key_algorithm.empty()) {
    settings.tee_key = TRY(keyclient::parse_tee_key_algorithm(config.tee_key_algorithm));
  }
  return {};
}

}  // namespace coffer::workload
