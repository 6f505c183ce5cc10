// Whether a worker has proven itself: its attestation token is signed by a broker that is believed, is still valid, and
// the worker holds the key that the token names. What a relying party needs: the manager, the aggregator, whoever
// checks a result.
#pragma once

#include <string>
#include <vector>

#include "fleet/attested_key.h"
#include "fleet/capabilities.h"
#include "fleet/trust/token_trust.h"

namespace coffer::fleet {

struct WorkerTrustOptions {
  appraisal::TokenVerifierOptions tokens{};  // the brokers' certificates and key sets
  // TEEs that prove nothing and are believed by name alone: "sample", "simulated:snp", ...
  std::vector<std::string> allow_tees{};
  // The worst appraisal that counts. `none`, a token that says nothing, never does.
  appraisal::Tier accepted = appraisal::Tier::affirming;
  Duration tolerance = std::chrono::seconds{60};  // of a proof's age
};

class WorkerTrust {
 public:
  // bad_anchor of the token verifier; FleetError::bad_member for a TEE in allow_tees that does not exist.
  static Result<WorkerTrust> create(WorkerTrustOptions options);

  // Thread safe. FleetError::not_attested (with the token verifier's reason), untrusted_tee, not_affirming, bad_proof,
  // stale_proof. The claim `capabilities.tee` is not read: the token says which TEE it is.
  Result<Standing> verify(std::string_view proplet_id, const Capabilities& capabilities, TimePoint now) const;

 private:
  WorkerTrust(TokenTrust tokens, Duration tolerance) : tokens_(std::move(tokens)), tolerance_(tolerance) {}

  TokenTrust tokens_;
  Duration tolerance_;
};

}  // namespace coffer::fleet
