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
  std::string session{};  // empty for a Bearer token
};

class TokenAccess {
 public:
  // `verifier` believes the configured certificates and key sets, and a built-in attestation service's own. Where it
  // has no anchor but there is an attestation service (`receives`), tokens that this broker itself got from that
  // service are believed, known by their hash in `issued`; nothing else is.
  TokenAccess(SessionStore sessions, IssuedTokens issued, std::shared_ptr<appraisal::TokenVerifier> verifier,
              bool receives)
      : sessions_(std::move(sessions)),
        issued_(std::move(issued)),
        verifier_(std::move(verifier)),
        receives_(receives) {}

  // The session cookie first, then "Authorization: Bearer" (trustee.md 1.1). token_missing for every failure.
  Result<Credential> find(const net::Headers& headers, TimePoint now) const;
  // token_rejected with the reason in the context, or no_trust_anchor naming what to configure.
  Result<std::shared_ptr<const appraisal::VerifiedToken>> verify(const Credential& credential, TimePoint now) const;
  bool has_anchor() const;

 private:
  SessionStore sessions_;
  IssuedTokens issued_;
  std::shared_ptr<appraisal::TokenVerifier> verifier_;
  bool receives_;
};

// Says which anchor is missing and how to give one.
extern const std::string_view missing_anchor_text;

}  // namespace coffer::keybroker
