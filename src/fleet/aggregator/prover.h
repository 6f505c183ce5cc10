// The aggregator's attested key: shown to workers that ask for proof, used to open what they seal to it and to sign
// what a round has come to. A new token brings a new key; those before it still open what was sealed while they were
// shown.
#pragma once

#include <deque>
#include <memory>
#include <mutex>
#include <string>

#include "base/clock.h"
#include "fleet/aggregator/aggregator.h"
#include "fleet/aggregator_statements.h"
#include "keyclient/kbs_client.h"

namespace coffer::fleet::aggregator {

// Safe to use from several threads.
class Prover {
 public:
  Prover(std::shared_ptr<keyclient::TokenSource> tokens, const Clock& clock)
      : tokens_(std::move(tokens)), clock_(clock) {}

  // Attests where there is no token that lives. AggregatorError::not_attested with the broker's reason.
  Result<> attest();
  // Also FleetError::bad_member for a nonce that is none.
  Result<AggregatorAttestation> prove(std::string_view nonce, const std::optional<ModelName>& model = {});
  Result<SignedRound> sign(RoundStatement statement);
  // AggregatorError::unknown_key.
  Result<std::shared_ptr<const crypto::PrivateKey>> key(std::string_view thumbprint);

 private:
  struct Held {
    std::string thumbprint;
    std::shared_ptr<const keyclient::AttestedToken> token;
  };
  Result<std::shared_ptr<const keyclient::AttestedToken>> token();

  std::shared_ptr<keyclient::TokenSource> tokens_;
  const Clock& clock_;
  std::mutex mutex_;
  std::deque<Held> held_;  // newest first
};

}  // namespace coffer::fleet::aggregator
