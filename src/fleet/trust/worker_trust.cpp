#include "fleet/trust/worker_trust.h"

namespace coffer::fleet {

Result<WorkerTrust> WorkerTrust::create(WorkerTrustOptions options) {
  auto tokens = TRY(TokenTrust::create({.tokens = std::move(options.tokens),
                                        .allow_tees = std::move(options.allow_tees),
                                        .accepted = options.accepted}));
  return WorkerTrust{std::move(tokens), options.tolerance};
}

Result<Standing> WorkerTrust::verify(std::string_view proplet_id, const Capabilities& capabilities,
                                     TimePoint now) const {
  const auto who = "worker " + std::string{proplet_id};
  if (!capabilities.attestation) {
    return fail(FleetError::not_attested, who + " is not attested: it shows no attestation token");
  }
  const auto& shown = *capabilities.attestation;
  auto standing = TRY(tokens_.verify(shown.token, who, now));
  const auto key = TRY(standing.key());
  TRY(check_presence(shown.proof, proplet_id, key, now, tolerance_));
  return standing;
}

}  // namespace coffer::fleet
