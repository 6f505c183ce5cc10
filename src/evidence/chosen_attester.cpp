#include "evidence/chosen_attester.h"

#include "base/log.h"
#include "evidence/detect.h"

namespace coffer::evidence {

namespace {

Result<TeeChoice> find_tee(const AttesterChoice& choice) {
  if (!choice.tee.empty()) return parse_tee_choice(choice.tee);
  std::string passed_over;
  for (const auto& finding : survey_tees(choice.root)) {
    if (finding.taken) return TeeChoice{finding.kind};
    passed_over += (passed_over.empty() ? " (" : "; ") + to_text(finding);
  }
  if (!passed_over.empty()) passed_over += ")";
  return fail(EvidenceError::no_device,
              "this machine shows no TEE" + passed_over +
                  ", so it cannot attest; where the broker's owner allows it, `--tee sample` or `--tee simulated:snp` "
                  "plays one");
}

Result<> bind(const InitData& init_data, const Attester& attester) {
  const auto bound = attester.bind_init_data(init_data.digest());
  if (!bound && bound.error().code != EvidenceError::not_supported) return fail(bound.error());
  return {};
}

}  // namespace

Result<ChosenAttester> ChosenAttester::choose(const AttesterChoice& choice) {
  const auto tee = TRY(find_tee(choice));
  ChosenAttester out;
  out.name_ = to_text(tee);
  RegistryOptions options{.allow_switch = "--tee", .verifiers = false};
  // Detection never finds a TEE that proves nothing, so this is one that was named.
  if (tee.simulated || is_sample(tee.kind)) options.allow_tees.push_back(out.name_);
  options.attester.root = choice.root;
  options.attester.simulator_directory = choice.simulator_directory;
  options.attester.simulated_event_log = [log = out.simulated_log_] { return log.read(); };
  if (choice.init_data) options.attester.sample_init_data_digest = choice.init_data->digest();
  out.registry_ = std::make_unique<Registry>(TRY(Registry::create(options)));
  out.attester_ = TRY(out.registry_->attester(tee.kind));
  if (choice.init_data) TRY(bind(*choice.init_data, *out.attester_));
  TRY(out.open_event_log(choice, tee.simulated));
  return out;
}

Result<> ChosenAttester::open_event_log(const AttesterChoice& choice, bool simulated) {
  if (!choice.event_log_pcr) return {};
  event_log_pcr_ = *choice.event_log_pcr;
  // Older kernels have registers that a guest can quote, and not extend.
  const auto value = attester_->read_runtime_measurement(event_log_pcr_);
  if (!value && value.error().code == EvidenceError::not_supported) {
    log::warn("evidence.no_event_log",
              "runtime events are not measured: this TEE or its kernel has no register for them",
              {{"tee", name_}, {"pcr", std::to_string(event_log_pcr_)}, {"reason", value.error().message}});
    return {};
  }
  TRY(value);
  auto storage =
      simulated ? simulated_log_.storage() : file_storage(eventlog::AgentLogPaths::from_environment(choice.root));
  event_log_ = TRY(eventlog::AgentEventLog::open(*attester_, std::move(storage)));
  return {};
}

Result<> ChosenAttester::measure(std::string_view domain, std::string_view operation, std::string_view content) const {
  if (event_log_ == nullptr) return {};
  return event_log_->extend(event_log_pcr_, domain, operation, content);
}

}  // namespace coffer::evidence
