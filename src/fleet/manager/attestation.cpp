#include "fleet/manager/attestation.h"

namespace coffer::fleet::manager {
namespace {

std::unexpected<Error> unproven(std::string why) {
  return fail(ManagerError::no_eligible_worker, std::move(why));
}

}  // namespace

Result<VerifiedTee> AttestationChecker::check(std::string_view proplet_id,
                                              const std::optional<Capabilities>& capabilities, TimePoint now) const {
  if (!trust_) {
    return unproven("this manager trusts no broker's tokens (MANAGER_ATTESTATION_JWKS, MANAGER_ATTESTATION_CERTS)");
  }
  if (!capabilities || !capabilities->attestation) return unproven("it sends no attestation token");
  const auto standing = trust_->verify(proplet_id, *capabilities, now);
  if (!standing) {
    return unproven(standing.error().message + " (" + std::string{standing.error().code.name()} + ")");
  }
  return VerifiedTee{.tee = standing->tee, .token_expires = standing->token_expires, .proven_at = now};
}

Result<> AttestationChecker::still_valid(const VerifiedTee& tee, TimePoint now) const {
  if (now >= tee.token_expires) {
    return unproven("its attestation token expired at " + format_rfc3339(tee.token_expires));
  }
  if (now > tee.proven_at + proof_lifetime_) {
    return unproven("its last proof is of " + format_rfc3339(tee.proven_at) + ", which is too long ago");
  }
  return {};
}

}  // namespace coffer::fleet::manager
