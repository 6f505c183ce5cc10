#include "fleet/worker/trust/tee_access.h"

#include <algorithm>
#include <fstream>
#include <iterator>

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

Result<evidence::InitData> read_init_data(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>{stream}, {}};
  if (!stream) return fail(ConfigError::unreadable, "the init-data " + file.string() + " cannot be read");
  return evidence::InitData::parse(std::move(text));
}

// The file that is named, or the one that came with the init-data (guest-components.md 2.7).
Result<keyclient::AaConfig> agent_config(const TeeConfig& config, const std::optional<evidence::InitData>& init_data) {
  if (config.aa_config) return keyclient::load_aa_config(*config.aa_config);
  const auto* entry = init_data ? init_data->data().find("aa.toml") : nullptr;
  const auto* text = entry != nullptr ? entry->if_string() : nullptr;
  if (text == nullptr) return keyclient::AaConfig{};
  return keyclient::parse_aa_config(*text, keyclient::AaConfigFormat::toml, "the init-data's aa.toml");
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
  if (const auto refused = access->refusal()) {
    log::warn("worker.no_broker", refused->message);
  } else if (access->own_broker_.empty()) {
    log::info("worker.no_broker", "requests have to name a key broker, for this worker has none of its own");
  }
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
  if (config.tee.init_data) settings_.init_data = TRY(read_init_data(*config.tee.init_data));
  const auto agent = TRY(agent_config(config.tee, settings_.init_data));
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

// By the attester that serves the key broker, where there is one: it has bound and measured what there is to bind.
Result<codec::json::Value> TeeAccess::attest(ByteView report_data) {
  if (!tee_) return std::unexpected(*refusal());
  if (!allowed_.empty()) {
    const auto access = TRY(keys(own_broker_.empty() ? allowed_.front() : own_broker_));
    const std::lock_guard lock(attesting_);
    return access->attester->attester().attest(report_data);
  }
  const std::lock_guard lock(attesting_);
  if (!attester_) attester_ = TRY(workload::choose_attester(settings_));
  return attester_->attester().attest(report_data);
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
