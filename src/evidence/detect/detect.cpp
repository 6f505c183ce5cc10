#include "evidence/detect.h"

#include <fmt/format.h>

#include "evidence/detect/probes.h"

namespace coffer::evidence {

namespace fs = std::filesystem;

namespace {

using Probe = void (*)(detail::Survey&);
// guest-components.md 2.3, first hit wins.
constexpr Probe probes[] = {detail::probe_tdx, detail::probe_sgx,   detail::probe_azure,
                            detail::probe_snp, detail::probe_csv,   detail::probe_cca,
                            detail::probe_se,  detail::probe_nitro, detail::probe_tpm};

}  // namespace

std::vector<TeeFinding> survey_tees(const Machine& machine) {
  detail::Survey survey{machine};
  for (const auto probe : probes) probe(survey);
  return std::move(survey).findings();
}

std::vector<TeeFinding> survey_tees(const fs::path& root) {
  return survey_tees(this_machine(root));
}

std::vector<DetectedTee> detect_tees(const fs::path& root) {
  std::vector<DetectedTee> out;
  for (auto& finding : survey_tees(root)) {
    if (finding.taken) out.push_back({finding.kind, std::move(finding.device)});
  }
  return out;
}

std::optional<DetectedTee> detect_tee(const fs::path& root) {
  auto all = detect_tees(root);
  if (all.empty()) return std::nullopt;
  return std::move(all.front());
}

std::string to_text(const TeeFinding& finding) {
  return fmt::format("{}: {}{}{}{}", wire_name(finding.kind), finding.taken ? "" : "not taken, ", finding.device,
                     finding.reason.empty() ? "" : ": ", finding.reason);
}

}  // namespace coffer::evidence
