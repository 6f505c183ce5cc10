// A PSA root of trust in software: real tokens under the simulator's root.
#pragma once

#include "evidence/psa/token.h"
#include "evidence/simulator_root.h"
#include "evidence/simulator_settings.h"

namespace coffer::evidence::psa {

// Faults by name: "wrong-measurement", "wrong-nonce", "debug" (non-psa-rot-debug), "unsecured" (psa-rot-provisioning),
// "wrong-instance", "bad-signature", "expired", "wrong-root". Values: "measurement" (32 bytes in hex, of the non-secure
// side's software), "client-id".
struct Simulation {
  Bytes nonce = Bytes(32);
  std::string profile{tfm_profile};
  SimulatorSettings settings{};
};
// bad_config for a fault or value that does not exist.
Result<Bytes> simulate_token(const SimulatorRoot& root, const Simulation& wanted, TimePoint now);

}  // namespace coffer::evidence::psa
