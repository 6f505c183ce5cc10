// Why an event log is refused.
#pragma once

#include <string_view>

namespace coffer::evidence::eventlog {

enum class EventLogError {
  truncated,          // ends inside an entry
  bad_header,         // the first entry is no specification ID event, or an inconsistent one
  bad_event,          // an entry that contradicts the header or is beyond the limits
  too_large,          // more bytes or entries than any firmware writes
  unknown_algorithm,  // replay or digests of an algorithm that the log does not carry
  replay_mismatch,    // the log does not lead to the register's stated value
  bad_claims,         // claims JSON that is no list of events
  bad_entry,          // domain, operation or content that cannot be logged
  bad_wal,            // a write-ahead entry that fits neither the log nor the register
  storage_failed,     // a file of the agent's log cannot be read or written
};
std::string_view code_name(EventLogError code);

}  // namespace coffer::evidence::eventlog
