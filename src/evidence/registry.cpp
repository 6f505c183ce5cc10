#include "evidence/registry.h"

#include <algorithm>

#include "base/log.h"
#ifdef COFFER_TEE_AZ_VTPM
#include "evidence/az_vtpm/az_vtpm.h"
#endif
#ifdef COFFER_TEE_SAMPLE
#include "evidence/sample/sample.h"
#endif
#ifdef COFFER_TEE_EXTERNAL
#include "evidence/external/external.h"
#endif
#ifdef COFFER_TEE_NVIDIA
#include "evidence/nvidia/nvidia.h"
#endif
#ifdef COFFER_TEE_NVIDIA_DPU
#include "evidence/nvidia_dpu/nvidia_dpu.h"
#endif
#ifdef COFFER_TEE_HYGONDCU
#include "evidence/hygondcu/hygondcu.h"
#endif
#ifdef COFFER_TEE_SE
#include "evidence/se/se.h"
#endif
#ifdef COFFER_TEE_CSV
#include "evidence/csv/csv.h"
#endif
#ifdef COFFER_TEE_KEYSTONE
#include "evidence/keystone/keystone.h"
#endif
#ifdef COFFER_TEE_PSA
#include "evidence/psa/psa.h"
#endif
#ifdef COFFER_TEE_CCA
#include "evidence/cca/cca.h"
#endif
#ifdef COFFER_TEE_SNP
#include "evidence/snp/snp.h"
#endif
#ifdef COFFER_TEE_NITRO
#include "evidence/nitro/nitro.h"
#endif
#ifdef COFFER_TEE_SGX
#include "evidence/sgx/sgx.h"
#endif
#ifdef COFFER_TEE_TDX
#include "evidence/tdx/tdx.h"
#endif
#ifdef COFFER_TEE_TPM
#include "evidence/tpm/tpm.h"
#endif

namespace coffer::evidence {

namespace {

using MakeVerifier = Result<std::unique_ptr<Verifier>> (*)(TeeKind, const VerifierOptions&);
using MakeAttester = Result<std::unique_ptr<Attester>> (*)(TeeKind, const AttesterOptions&);

// One line a TEE. A null maker: this build has none.
struct Row {
  TeeKind kind;
  MakeVerifier make_verifier;
  MakeAttester make_attester;
  MakeAttester make_simulator;
  bool only_reads = false;  // its evidence is parsed and named, and never accepted
};

#ifdef COFFER_TEE_SAMPLE
Result<std::unique_ptr<Verifier>> sample_verifier(TeeKind kind, const VerifierOptions&) {
  return sample::make_verifier(kind);
}

Result<std::unique_ptr<Attester>> sample_attester(TeeKind kind, const AttesterOptions& options) {
  return sample::make_attester(kind, kind == TeeKind::sample ? options.sample_init_data_digest : std::nullopt);
}
#endif

const std::vector<Row>& rows() {
  static const std::vector<Row> table{
#ifdef COFFER_TEE_SAMPLE
      {TeeKind::sample, sample_verifier, sample_attester, nullptr},
      {TeeKind::sampledevice, sample_verifier, sample_attester, nullptr},
#endif
#ifdef COFFER_TEE_SNP
      {TeeKind::snp, snp::make_verifier, snp::make_attester, snp::make_simulator},
#endif
#ifdef COFFER_TEE_NITRO
      {TeeKind::nitro, nitro::make_verifier, nitro::make_attester, nitro::make_simulator},
#endif
#ifdef COFFER_TEE_SGX
      {TeeKind::sgx, sgx::make_verifier, sgx::make_attester, sgx::make_simulator},
#endif
#ifdef COFFER_TEE_TDX
      {TeeKind::tdx, tdx::make_verifier, tdx::make_attester, tdx::make_simulator},
#endif
#ifdef COFFER_TEE_CCA
      {TeeKind::cca, cca::make_verifier, cca::make_attester, cca::make_simulator},
#endif
#ifdef COFFER_TEE_TPM
      {TeeKind::tpm, tpm::make_verifier, tpm::make_attester, tpm::make_simulator},
#endif
#ifdef COFFER_TEE_AZ_VTPM
      {TeeKind::az_snp_vtpm, az_vtpm::make_verifier, az_vtpm::make_attester, az_vtpm::make_simulator},
      {TeeKind::az_tdx_vtpm, az_vtpm::make_verifier, az_vtpm::make_attester, az_vtpm::make_simulator},
#endif
#ifdef COFFER_TEE_PSA
      {TeeKind::psa, psa::make_verifier, nullptr, psa::make_simulator},
#endif
#ifdef COFFER_TEE_KEYSTONE
      {TeeKind::keystone, keystone::make_verifier, nullptr, keystone::make_simulator},
#endif
#ifdef COFFER_TEE_CSV
      {TeeKind::csv, csv::make_verifier, nullptr, nullptr, true},
#endif
#ifdef COFFER_TEE_SE
      {TeeKind::se, se::make_verifier, nullptr, nullptr, true},
#endif
#ifdef COFFER_TEE_HYGONDCU
      {TeeKind::hygondcu, hygondcu::make_verifier, nullptr, nullptr, true},
#endif
#ifdef COFFER_TEE_NVIDIA
      {TeeKind::nvidia, nvidia::make_verifier, nullptr, nvidia::make_simulator},
#endif
#ifdef COFFER_TEE_NVIDIA_DPU
      {TeeKind::nvidia_dpu, nvidia_dpu::make_verifier, nullptr, nullptr, true},
#endif
#ifdef COFFER_TEE_EXTERNAL
      {TeeKind::external, external::make_verifier, external::make_attester, nullptr},
#endif
  };
  return table;
}

const Row* find_row(TeeKind kind) {
  const auto row = std::ranges::find(rows(), kind, &Row::kind);
  return row == rows().end() ? nullptr : &*row;
}

std::unexpected<Error> absent(TeeKind kind, std::string_view what) {
  return fail(EvidenceError::not_supported,
              "this build has no " + std::string{what} + " for TEE \"" + std::string{wire_name(kind)} + "\"");
}

Result<std::vector<TeeChoice>> allowed_choices(const RegistryOptions& options) {
  std::vector<TeeChoice> out;
  for (const auto& name : options.allow_tees) {
    const auto choice = TRY(parse_tee_choice(name));
    const auto* row = find_row(choice.kind);
    if (row == nullptr) return absent(choice.kind, "verifier");
    if (choice.simulated && row->make_simulator == nullptr) return absent(choice.kind, "simulator");
    out.push_back(choice);
  }
  return out;
}

void warn(const TeeChoice& choice) {
  if (choice.simulated) {
    log::warn("evidence.simulator_in_use",
              "SIMULATED TEE IN USE: whoever holds the simulator's keys can make its evidence; never use it with real "
              "secrets",
              {{"tee", to_text(choice)}});
    return;
  }
  log::warn("evidence.sample_in_use",
            "SAMPLE TEE IN USE: its evidence proves nothing and anyone can make it; never use it with real secrets",
            {{"tee", to_text(choice)}});
}

template <typename T>
Result<std::unique_ptr<T>> make(auto maker, TeeKind kind, const auto& options) {
  if (maker == nullptr) return std::unique_ptr<T>{};
  return maker(kind, options);
}

}  // namespace

Result<Registry> Registry::create(const RegistryOptions& options) {
  auto verifier_options = options.verifier;
  auto attester_options = options.attester;
  const auto allowed = TRY(allowed_choices(options));
  for (const auto& choice : allowed) {
    if (choice.simulated || is_sample(choice.kind)) warn(choice);
    if (!choice.simulated) continue;
    verifier_options.simulated_tees.push_back(choice.kind);
    attester_options.simulated_tees.push_back(choice.kind);
  }
  Registry out;
  out.allow_switch_ = options.allow_switch;
  for (const auto& row : rows()) {
    if (is_sample(row.kind) && std::ranges::find(allowed, row.kind, &TeeChoice::kind) == allowed.end()) continue;
    Entry entry;
    if (options.verifiers) entry.verifier = TRY(make<Verifier>(row.make_verifier, row.kind, verifier_options));
    const bool simulated = verifier_options.simulated(row.kind);
    const auto maker = simulated ? row.make_simulator : row.make_attester;
    if (options.attesters) entry.attester = TRY(make<Attester>(maker, row.kind, attester_options));
    out.entries_.emplace(row.kind, std::move(entry));
  }
  return out;
}

Result<const Registry::Entry*> Registry::find(TeeKind kind, std::string_view what) const {
  if (const auto entry = entries_.find(kind); entry != entries_.end()) return &entry->second;
  if (!is_sample(kind)) return absent(kind, what);
  const std::string name{wire_name(kind)};
  return fail(EvidenceError::tee_not_allowed, "TEE \"" + name +
                                                  "\" proves nothing and is used by explicit choice only; add " +
                                                  allow_switch_ + " " + name + " to choose it");
}

Result<const Verifier*> Registry::verifier(TeeKind kind) const {
  const auto* row = find_row(kind);
  if (row != nullptr && row->only_reads) {
    return fail(EvidenceError::not_supported, "evidence of TEE \"" + std::string{wire_name(kind)} +
                                                  "\" can be shown but not verified by this build, so it is refused");
  }
  return reader(kind);
}

Result<const Verifier*> Registry::reader(TeeKind kind) const {
  const auto* entry = TRY(find(kind, "verifier"));
  if (entry->verifier == nullptr) return absent(kind, "verifier");
  return entry->verifier.get();
}

Result<const Attester*> Registry::attester(TeeKind kind) const {
  const auto* entry = TRY(find(kind, "attester"));
  if (entry->attester == nullptr) return absent(kind, "attester");
  return entry->attester.get();
}

std::vector<TeeKind> Registry::verifiers() const {
  std::vector<TeeKind> out;
  for (const auto& [kind, entry] : entries_) {
    if (entry.verifier != nullptr && !find_row(kind)->only_reads) out.push_back(kind);
  }
  return out;
}

std::vector<TeeKind> Registry::attesters() const {
  std::vector<TeeKind> out;
  for (const auto& [kind, entry] : entries_) {
    if (entry.attester != nullptr) out.push_back(kind);
  }
  return out;
}

bool Registry::sample_allowed() const {
  return std::ranges::any_of(entries_, [](const auto& entry) { return is_sample(entry.first); });
}

std::vector<TeeKind> built_in_tees() {
  std::vector<TeeKind> out;
  out.reserve(rows().size());
  for (const auto& row : rows()) out.push_back(row.kind);
  return out;
}

}  // namespace coffer::evidence
