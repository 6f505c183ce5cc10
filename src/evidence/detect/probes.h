// One probe a TEE: what shows it, and what makes it one that this program runs in.
#pragma once

#include <vector>

#include "evidence/detect.h"
#include "evidence/detect/machine.h"

namespace coffer::evidence::detail {

// Findings in the making. `provider`: what stands behind the kernel's TSM reports, "" where nothing does.
class Survey {
 public:
  explicit Survey(const Machine& machine);

  const Machine& machine() const { return machine_; }
  const std::string& provider() const { return provider_; }
  // The first of the files that exists, "" where none does.
  std::string first_of(std::initializer_list<std::string_view> files) const;
  // Whether the processor is known to run no guest at all.
  bool on_bare_metal() const;

  void take(TeeKind kind, std::string device, std::string reason = {});
  void pass_over(TeeKind kind, std::string device, std::string reason);
  std::vector<TeeFinding> findings() && { return std::move(findings_); }

 private:
  const Machine& machine_;
  std::string provider_;
  std::vector<TeeFinding> findings_;
};

void probe_tdx(Survey& survey);
void probe_sgx(Survey& survey);
void probe_azure(Survey& survey);  // both kinds
void probe_snp(Survey& survey);
void probe_csv(Survey& survey);
void probe_cca(Survey& survey);
void probe_se(Survey& survey);
void probe_nitro(Survey& survey);
void probe_tpm(Survey& survey);

}  // namespace coffer::evidence::detail
