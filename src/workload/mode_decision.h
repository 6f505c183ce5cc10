// Which way to the key, and why: the answer that --mode auto prints.
#pragma once

#include <string>

#include "keyclient/probe.h"
#include "workload/key_settings.h"

namespace coffer::workload {

struct Decision {
  Mode mode = Mode::offline;
  bool unattested = false;  // the broker serves without attestation, and nothing better is to be had
  std::string reason;
};

// For Mode::automatic: what the broker's probe means for this guest. The errors are KeyClientError's: unreachable,
// not_a_broker, no_attestation_service, version_mismatch, no_trust_anchor.
Result<Decision> decide(const KeySettings& settings, const keyclient::ProbeResult& broker);

// The decision for any mode; probes only where the mode is open. Logs it, in the words of seed 000 too.
Result<Decision> decide(const KeySettings& settings);

}  // namespace coffer::workload
