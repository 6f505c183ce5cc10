// Whether an attestation token proves enough: it is signed by a broker that is believed, is still valid, comes from a
// TEE that counts, was appraised well enough, and says what is asked for. It names a key; who shows the token must
// still prove to hold it.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "appraisal/ear.h"
#include "appraisal/token_verifier.h"
#include "fleet/error.h"

namespace coffer::fleet {

struct TokenTrustOptions {
  appraisal::TokenVerifierOptions tokens{};  // the brokers' certificates and key sets
  // TEEs that prove nothing and are believed by name alone: "sample", "simulated:snp", ...
  std::vector<std::string> allow_tees{};
  // The worst appraisal that counts. `none`, a token that says nothing, never does.
  appraisal::Tier accepted = appraisal::Tier::affirming;
  // What the token's claims must say besides: JSON pointer (RFC 6901) and the text there (a number or a truth value as
  // JSON writes it), such as {"/submods/cpu0/ear.veraison.annotated-evidence/init_data", "ab12..."}.
  std::vector<std::pair<std::string, std::string>> claims{};
};

// What was verified.
struct Standing {
  std::string tee;  // "tdx", "simulated:snp", "sample"
  appraisal::Tier status = appraisal::Tier::none;
  TimePoint token_expires{};
  std::string token_digest;  // digest_of_text()
  std::shared_ptr<const appraisal::VerifiedToken> token;

  Result<crypto::PublicKey> key() const;  // the one that the token names
};

class TokenTrust {
 public:
  // bad_anchor of the token verifier; FleetError::bad_member for a TEE in allow_tees that does not exist.
  static Result<TokenTrust> create(TokenTrustOptions options);

  // Thread safe. `who` stands in messages ("worker 7d2f..."). FleetError::not_attested (with the token verifier's
  // reason), untrusted_tee, not_affirming, wrong_claim.
  Result<Standing> verify(std::string_view token, std::string_view who, TimePoint now) const;

 private:
  TokenTrust(TokenTrustOptions options, std::shared_ptr<appraisal::TokenVerifier> verifier);
  Result<> check_tee(const std::string& tee) const;
  Result<> check_status(std::string_view tee, appraisal::Tier status) const;
  Result<> check_claims(const codec::json::Object& claims, std::string_view who) const;

  TokenTrustOptions options_;
  std::shared_ptr<appraisal::TokenVerifier> verifier_;
};

}  // namespace coffer::fleet
