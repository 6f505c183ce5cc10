// A platform's signing key under the simulator's root, for the simulators of Arm's tokens.
#pragma once

#include "codec/cbor.h"
#include "evidence/simulator_root.h"

namespace coffer::evidence::arm {

struct SimulatedSigner {
  crypto::PrivateKey key;
  codec::cbor::Map unprotected;  // the x5chain that goes into the token
};

// A fresh key, certified for a day around `now`; with `expired`, for a day that ended an hour ago.
Result<SimulatedSigner> make_simulated_signer(const SimulatorRoot& root, crypto::KeyKind kind, bool expired,
                                              TimePoint now);

}  // namespace coffer::evidence::arm
