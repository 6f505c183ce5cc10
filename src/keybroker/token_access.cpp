#include "keybroker/token_access.h"

#include "keybroker/admin_access.h"
#include "keybroker/refusal.h"

namespace coffer::keybroker {

const std::string_view missing_anchor_text =
    "this broker has no trust anchor, so it believes nobody: configure [attestation_service] (background check), or "
    "[attestation_token] trusted_certs_paths or trusted_jwk_sets (passport)";

namespace {

std::unexpected<Error> rejected(const Error& cause) {
  return fail(because(BrokerError::token_rejected, appraisal::guest_message(cause), cause));
}

}  // namespace

bool TokenAccess::has_anchor() const {
  return verifier_->has_anchor() || receives_;
}

Result<Credential> TokenAccess::find(const net::Headers& headers, TimePoint now) const {
  if (const auto cookie = session_cookie(headers)) {
    const auto id = SessionId::parse(*cookie);
    const auto session = id ? sessions_.find(*id) : Result<Session>{std::unexpected(id.error())};
    if (session && session->attested() && !session->expired(now))
      return Credential{session->token(), session->id().text()};
    if (!session && session.error().code == ErrorCode{BrokerError::storage_failed}) return fail(session.error());
  }
  if (const auto bearer = bearer_token(headers)) return Credential{std::string{*bearer}};
  if (!has_anchor()) return fail(BrokerError::no_trust_anchor, std::string{missing_anchor_text});
  return fail(BrokerError::token_missing, "Attestation Token not found");
}

Result<std::shared_ptr<const appraisal::VerifiedToken>> TokenAccess::verify(const Credential& credential,
                                                                            TimePoint now) const {
  if (!has_anchor()) return fail(BrokerError::no_trust_anchor, std::string{missing_anchor_text});
  if (!verifier_->has_anchor() && !TRY(issued_.find(credential.token))) {
    return fail(BrokerError::token_rejected,
                "the token is not one that this broker's attestation service issued, and no other issuer is trusted");
  }
  auto verified = verifier_->has_anchor() ? verifier_->verify(credential.token, now)
                                          : verifier_->read_received(credential.token, now);
  if (!verified) return rejected(verified.error());
  return verified;
}

}  // namespace coffer::keybroker
