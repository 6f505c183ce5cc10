// Reference values from a boot that happened, by its event log.
#pragma once

#include "codec/json.h"
#include "evidence/eventlog/event_log.h"

namespace coffer::evidence::measure {

// {"tpm_pcr00":["<hex>"],...,"tpm_events":[...]} of every register in the log, SHA-256. The log proves nothing by
// itself: take it from a machine that you trust. EventLogError::unknown_algorithm.
Result<codec::json::Object> reference_values(const eventlog::EventLog& log);

}  // namespace coffer::evidence::measure
