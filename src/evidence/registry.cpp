#include "evidence/registry.h"

#include <algorithm>
#include <array>

#include "base/log.h"
#include "evidence/sample/sample.h"

namespace coffer::evidence {

namespace {

// One line a TEE. A null maker: this build has none.
struct Row {
  TeeKind kind;
  std::unique_ptr<Verifier> (*make_verifier)(TeeKind);
  std::unique_ptr<Attester> (*make_attester)(TeeKind, const RegistryOptions&);
};

std::unique_ptr<Attester> make_sample(TeeKind kind, const RegistryOptions& options) {
  return sample::make_attester(kind, kind == TeeKind::sample ? options.sample_init_data_digest : std::nullopt);
}

constexpr std::array rows{
    Row{TeeKind::sample, sample::make_verifier, make_sample},
    Row{TeeKind::sampledevice, sample::make_verifier, make_sample},
};

bool built_in(TeeKind kind) {
  return std::ranges::find(rows, kind, &Row::kind) != rows.end();
}

std::unexpected<Error> absent(TeeKind kind, std::string_view what) {
  return fail(EvidenceError::not_supported,
              "this build has no " + std::string{what} + " for TEE \"" + std::string{wire_name(kind)} + "\"");
}

Result<std::vector<TeeKind>> allowed_kinds(const RegistryOptions& options) {
  std::vector<TeeKind> out;
  for (const auto& name : options.allow_tees) {
    const auto kind = TRY(parse_tee_kind(name));
    if (!built_in(kind)) return absent(kind, "verifier");
    out.push_back(kind);
  }
  return out;
}

void warn_of_sample(TeeKind kind) {
  log::warn("evidence.sample_in_use",
            "SAMPLE TEE IN USE: its evidence proves nothing and anyone can make it; never use it with real secrets",
            {{"tee", std::string{wire_name(kind)}}});
}

}  // namespace

Result<Registry> Registry::create(const RegistryOptions& options) {
  const auto allowed = TRY(allowed_kinds(options));
  Registry out;
  out.allow_switch_ = options.allow_switch;
  for (const auto& row : rows) {
    if (is_sample(row.kind) && std::ranges::find(allowed, row.kind) == allowed.end()) continue;
    if (is_sample(row.kind)) warn_of_sample(row.kind);
    Entry entry;
    if (row.make_verifier != nullptr) entry.verifier = row.make_verifier(row.kind);
    if (row.make_attester != nullptr) entry.attester = row.make_attester(row.kind, options);
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
    if (entry.verifier != nullptr) out.push_back(kind);
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
  out.reserve(rows.size());
  for (const auto& row : rows) out.push_back(row.kind);
  return out;
}

}  // namespace coffer::evidence
