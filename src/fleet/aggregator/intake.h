// From the body of POST /update to an update that may count: the seal opened, the worker's signature checked.
#pragma once

#include <optional>
#include <string_view>

#include "fleet/aggregator/aggregator.h"
#include "fleet/aggregator/prover.h"
#include "fleet/sealed_update.h"
#include "fleet/trust/token_trust.h"

namespace coffer::fleet::aggregator {

struct IntakeOptions {
  bool accept_plain = false;            // updates of upstream's workers, which everybody on the way can read and forge
  std::optional<TokenTrust> workers{};  // whose updates count; nothing: of anybody who can seal, by name alone
};

// Safe to use from several threads.
class Intake {
 public:
  // `prover` outlives the object; null outside of a TEE.
  Intake(IntakeOptions options, Prover* prover, const Clock& clock)
      : options_(std::move(options)), prover_(prover), clock_(clock) {}

  // bad_request, plain_update, unknown_key, unsigned_update, wrong_round; FleetError::bad_seal, bad_payload,
  // bad_member, and what fleet/trust says of the worker.
  Result<ReceivedUpdate> read(std::string_view body) const;

 private:
  Result<ReceivedUpdate> read_plain(const codec::json::Object& object, std::string_view body) const;
  Result<ReceivedUpdate> read_sealed(const codec::json::Object& object) const;
  // The thumbprint of the key that has signed it; empty where nobody need sign.
  Result<std::string> check_signer(const SignedUpdate& content, const RoundUpdate& update) const;

  IntakeOptions options_;
  Prover* prover_;
  const Clock& clock_;
};

}  // namespace coffer::fleet::aggregator
