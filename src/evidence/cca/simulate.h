// A CCA platform and realm in software: real tokens under the simulator's root.
#pragma once

#include "evidence/cca/collection.h"
#include "evidence/cca/token.h"
#include "evidence/simulator_root.h"
#include "evidence/simulator_settings.h"

namespace coffer::evidence::cca {

// Faults by name: "wrong-measurement" (another initial measurement), "wrong-nonce", "debug" (a platform in recoverable
// debug), "unbound-realm-key", "bad-signature" (of the platform), "bad-realm-signature", "expired", "wrong-root".
// Values: "initial-measurement", "personalization-value" (64 bytes in hex each), "cbor-tag" (399 or 907: the wrapping).
struct Simulation {
  Bytes challenge = Bytes(challenge_size);
  Bytes personalization_value = Bytes(64);
  SimulatorSettings settings{};
  bool cose_key = false;  // the newer profiles, in which the realm's key is a COSE_Key
  Wrapping wrapping = Wrapping::plain;
};
// bad_config for a fault or value that does not exist.
Result<Bytes> simulate_token(const SimulatorRoot& root, const Simulation& wanted, TimePoint now);

}  // namespace coffer::evidence::cca
