// A Keystone device, its security monitor and an enclave in software, under the simulator's root.
#pragma once

#include "evidence/keystone/report.h"
#include "evidence/simulator_root.h"
#include "evidence/simulator_settings.h"

namespace coffer::evidence::keystone {

// Faults by name: "wrong-measurement" (another enclave), "wrong-monitor", "wrong-nonce", "bad-signature" (of the
// enclave), "bad-monitor-signature", "expired", "wrong-root". Values: "enclave", "monitor" (64 bytes in hex each).
// The evidence document; bad_config for a fault or value that does not exist.
Result<codec::json::Value> simulate_evidence(const SimulatorRoot& root, ByteView data,
                                             const SimulatorSettings& settings, TimePoint now);

}  // namespace coffer::evidence::keystone
