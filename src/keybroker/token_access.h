// From a request to the verified claims it may act on.
#pragma once

#include <memory>
#include <string>

#include "appraisal/token_verifier.h"
#include "keybroker/issued_tokens.h"
#include "keybroker/session_store.h"
#include "net/http.h"

namespace coffer::keybroker {

struct Credential {
  std::string token;
  std::string session{};   // empty for a Bearer token
};

class TokenAccess {
 public:
  // `anchored` believes the configured certificates and key sets, and a built-in attestation service's own. `own` is for
  // a broker with an attestation service and no anchor: it reads tokens that this broker itself got from that service,
  // known by their hash in `issued`. Without an anchor nothing else is believed.
  TokenAccess(SessionStore sessions, IssuedTokens issued, std::shared_ptr<appraisal::TokenVerifier> anchored,
              std::shared_ptr<appraisal::TokenVerifier> own)
      : sessions_(std::move(sessions)), issued_(std::move(issued)), anchored_(std::move(anchored)), own_(std::move(own)) {}

  // The session cookie first, then "Authorization: Bearer" (trustee.md 1.1). token_missing for every failure.
  Result<Credential> find(const net::Headers& headers, TimePoint now) const;
  // token_rejected with the reason in the context, or no_trust_anchor naming what to configure.
  Result<std::shared_ptr<const appraisal::VerifiedToken>> verify(const Credential& credential, TimePoint now) const;
  bool has_anchor() const;

 private:
  SessionStore sessions_;
  IssuedTokens issued_;
  std::shared_ptr<appraisal::TokenVerifier> anchored_;
  std::shared_ptr<appraisal::TokenVerifier> own_;
};

// Says which anchor is missing and how to give one.
extern const std::string_view missing_anchor_text;

}  // namespace coffer::keybroker
