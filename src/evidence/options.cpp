#include "evidence/options.h"

#include <algorithm>

namespace coffer::evidence {

namespace {
constexpr std::string_view simulated_prefix = "simulated:";
}  // namespace

Result<TeeChoice> parse_tee_choice(std::string_view name) {
  const bool simulated = name.starts_with(simulated_prefix);
  const auto kind = TRY(parse_tee_kind(simulated ? name.substr(simulated_prefix.size()) : name));
  if (simulated && is_sample(kind)) {
    return fail(EvidenceError::unknown_tee,
                "\"" + std::string{name} + "\" is no TEE: the sample TEE has no simulation");
  }
  return TeeChoice{kind, simulated};
}

std::string to_text(const TeeChoice& choice) {
  return std::string{choice.simulated ? simulated_prefix : ""} + std::string{wire_name(choice.kind)};
}

bool VerifierOptions::simulated(TeeKind kind) const {
  return std::ranges::find(simulated_tees, kind) != simulated_tees.end();
}

std::span<const crypto::Certificate> VerifierOptions::simulated_roots(TeeKind kind) const {
  if (!simulated(kind)) return {};
  return simulator_roots;
}

Result<std::vector<crypto::Certificate>> parse_simulator_roots(std::string_view pem) {
  auto roots = TRY(crypto::Certificate::chain_from_pem(pem));
  for (const auto& root : roots) {
    if (simulated_subject(root)) continue;
    return fail(EvidenceError::simulated_refused, "a simulator's root is expected to say \"" +
                                                      std::string{simulator_mark} + "\" in its subject, found \"" +
                                                      root.subject() + "\"");
  }
  return roots;
}

std::optional<std::string> simulated_subject(const crypto::Certificate& root) {
  auto subject = root.subject();
  // RFC 2253 text escapes the comma of the mark.
  std::string plain;
  std::ranges::copy_if(subject, std::back_inserter(plain), [](char c) { return c != '\\'; });
  if (plain.find(simulator_mark) == std::string::npos) return std::nullopt;
  return plain;
}

}  // namespace coffer::evidence
