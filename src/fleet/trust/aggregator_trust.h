// Whether who calls itself the aggregator of federated rounds is one that updates may be sealed to: its attestation
// token proves enough, and it holds the token's key now, for it signed a challenge of this moment.
#pragma once

#include "fleet/aggregator_statements.h"
#include "fleet/trust/token_trust.h"

namespace coffer::fleet {

class AggregatorTrust {
 public:
  // Errors of TokenTrust::create().
  static Result<AggregatorTrust> create(TokenTrustOptions options);

  // Thread safe. `nonce`: the challenge that was sent, never used before. Errors of TokenTrust::verify(), and
  // FleetError::bad_proof. `model`: what it must vouch for, too. The standing's key is the one to seal to.
  Result<Standing> verify(const AggregatorAttestation& shown, std::string_view nonce, TimePoint now,
                          const std::optional<ModelName>& model = {}) const;

 private:
  explicit AggregatorTrust(TokenTrust tokens) : tokens_(std::move(tokens)) {}
  TokenTrust tokens_;
};

}  // namespace coffer::fleet
