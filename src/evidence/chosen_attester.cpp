#include "evidence/chosen_attester.h"

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
  if (choice.init_data) options.attester.sample_init_data_digest = choice.init_data->digest();
  out.registry_ = std::make_unique<Registry>(TRY(Registry::create(options)));
  out.attester_ = TRY(out.registry_->attester(tee.kind));
  if (!choice.init_data) return out;
  const auto bound = out.attester_->bind_init_data(choice.init_data->digest());
  if (!bound && bound.error().code != EvidenceError::not_supported) return fail(bound.error());
  return out;
}

}  // namespace coffer::evidence
