// The measured-boot log behind quoted PCRs.
#pragma once

#include <vector>

#include "codec/json.h"
#include "evidence/tpm/quote.h"

namespace coffer::evidence::tpm {

struct BootLog {
  codec::json::Array events;            // upstream's uefi_event_logs, of explained PCRs
  std::vector<unsigned> unexplained{};  // quoted PCRs that have events, but others as well
};

// PCR 0 to 9 (firmware, boot loader, kernel) and every PCR with an entry of the attestation agent must hold what the
// log leads to: event_log_mismatch names the PCR, both values and the last event. Operating systems extend the others
// later without this log (systemd's phases in PCR 11): their events are left out of the claims, and the PCR is named in
// `unexplained`. bad_event_log.
Result<BootLog> check_boot_log(ByteView log, const PcrValues& pcrs);

}  // namespace coffer::evidence::tpm
