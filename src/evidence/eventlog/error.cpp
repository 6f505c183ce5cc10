#include "evidence/eventlog/error.h"

namespace coffer::evidence::eventlog {

std::string_view code_name(EventLogError code) {
  switch (code) {
    case EventLogError::truncated: return "eventlog.truncated";
    case EventLogError::bad_header: return "eventlog.bad_header";
    case EventLogError::bad_event: return "eventlog.bad_event";
    case EventLogError::too_large: return "eventlog.too_large";
    case EventLogError::unknown_algorithm: return "eventlog.unknown_algorithm";
    case EventLogError::replay_mismatch: return "eventlog.replay_mismatch";
    case EventLogError::bad_claims: return "eventlog.bad_claims";
    case EventLogError::bad_entry: return "eventlog.bad_entry";
    case EventLogError::bad_wal: return "eventlog.bad_wal";
    case EventLogError::storage_failed: return "eventlog.storage_failed";
  }
  return "eventlog.unknown";
}

}  // namespace coffer::evidence::eventlog
