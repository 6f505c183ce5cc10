#include "fleet/worker/tee_access.h"

#include <algorithm>

#include "base/log.h"
#include "evidence/detect.h"

namespace coffer::fleet::worker {
namespace {

constexpr std::string_view simulated_prefix = "simulated:";

std::string without_slash(std::string uri) {
  while (uri.ends_with('/')) uri.pop_back();
  return uri;
}

Capabilities::Tee test_tee(const std::string& name) {
  const bool simulated = name.starts_with(simulated_prefix);
  return {.type = simulated ? name.substr(simulated_prefix.size()) : name, .simulated = true};
}

std::string what_was_seen(const std::filesystem::path& root) {
  std::string text;
  for (const auto& finding : evidence::survey_tees(root)) text += "; " + evidence::to_text(finding);
  return text;
}

}  // namespace

Result<std::unique_ptr<TeeAccess>> TeeAccess::open(const Config& config, const std::filesystem::path& root) {
  auto access = std::unique_ptr<TeeAccess>(new TeeAccess);
  TRY(access->detect(config.tee, root));
  TRY(access->read_settings(config));
  if (!access->tee_) return access;
  log::info("worker.tee", "runs in a TEE",
            {{"tee", access->tee_->type}, {"proves", access->tee_->simulated ? "nothing" : "itself"}});
  if (access->own_broker_.empty()) log::warn("worker.no_broker", access->refusal()->message);
  return access;
}

Result<> TeeAccess::detect(const TeeConfig& config, const std::filesystem::path& root) {
  if (config.enabled == false) {
    why_none_ = "it is switched off by PROPLET_TEE_ENABLED=false";
    return {};
  }
  if (!config.test_tee.empty()) {
    tee_ = test_tee(config.test_tee);
    settings_.tee = config.test_tee;
    return {};
  }
  if (const auto found = evidence::detect_tee(root)) {
    tee_ = Capabilities::Tee{.type = std::string{evidence::wire_name(found->kind)}};
    return {};
  }
  why_none_ = "this machine shows no TEE";
  if (config.enabled != true) return {};
  return fail(WorkerError::tee_required,
              "PROPLET_TEE_ENABLED=true, but this machine shows no TEE" + what_was_seen(root));
}

Result<> TeeAccess::read_settings(const Config& config) {
  keyclient::AaConfig agent;
  if (config.tee.aa_config) agent = TRY(keyclient::load_aa_config(*config.tee.aa_config));
  for (const auto& notice : agent.notices) log::warn("worker.aa_config", notice);
  if (agent.offline) {
    return fail(ConfigError::unsupported,
                "the aa-config takes keys from files; a worker takes them by attestation alone");
  }
  TRY(workload::add_aa_config(agent, settings_));
  settings_.issuer_url = agent.issuer_url;
  settings_.mode = agent.issuer_url.empty() ? workload::Mode::background_check : workload::Mode::passport;
  settings_.mode_reason = agent.issuer_url.empty() ? "workers attest to the broker" : "the aa-config names an issuer";
  settings_.simulator_directory = config.tee.simulator_directory;
  settings_.root_pems.insert(settings_.root_pems.end(), config.http_root_pems.begin(), config.http_root_pems.end());
  own_broker_ = without_slash(config.tee.kbs_uri.empty() ? agent.kbs_url : config.tee.kbs_uri);
  for (const auto& uri : config.tee.allowed_kbs_uris) allowed_.push_back(without_slash(uri));
  if (!own_broker_.empty()) allowed_.push_back(own_broker_);
  return {};
}

std::optional<Error> TeeAccess::refusal() const {
  const auto refused = [](const std::string& why) {
    return Error{WorkerError::tee_not_available, "TEE runtime not available: " + why};
  };
  if (!tee_) return refused(why_none_);
  if (allowed_.empty()) return refused("no key broker is configured; set PROPLET_KBS_URI");
  return std::nullopt;
}

Result<std::shared_ptr<const workload::KeyAccess>> TeeAccess::keys(const std::string& kbs_uri) {
  if (const auto refused = refusal()) return std::unexpected(*refused);
  const auto broker = kbs_uri.empty() ? own_broker_ : without_slash(kbs_uri);
  if (broker.empty()) {
    return fail(WorkerError::tee_not_available,
                "TEE runtime not available: the task names no key broker and PROPLET_KBS_URI is not set");
  }
  if (std::ranges::find(allowed_, broker) == allowed_.end()) {
    return fail(WorkerError::broker_not_allowed,
                "the task names the key broker " + broker + ", which this worker's PROPLET_KBS_ALLOWED_URIS does not");
  }
  const std::lock_guard lock(mutex_);
  auto& slot = opened_[broker];
  if (slot) return slot;
  auto settings = settings_;
  settings.kbs_url = broker;
  slot = std::make_shared<const workload::KeyAccess>(TRY(workload::KeyAccess::open(std::move(settings))));
  return slot;
}

}  // namespace coffer::fleet::worker
