// The first place at which two boots went different ways.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "codec/json.h"
#include "evidence/eventlog/event_log.h"

namespace coffer::evidence::eventlog {

// As much of an event as can be compared and named, from a log or from claims of an earlier appraisal.
struct EventSummary {
  std::uint32_t index;
  std::string type_name;
  std::string digest;       // hex
  std::string description;  // what describe() says
  friend bool operator==(const EventSummary& a, const EventSummary& b) {
    return a.index == b.index && a.type_name == b.type_name && a.digest == b.digest;
  }
};

// Without events that extend nothing. unknown_algorithm where an event has no digest of it.
Result<std::vector<EventSummary>> summarize(const EventLog& log, crypto::HashAlgorithm algorithm);
// From `uefi_event_logs`; bad_claims, unknown_algorithm.
Result<std::vector<EventSummary>> summarize(const codec::json::Value& claims, crypto::HashAlgorithm algorithm);

struct Difference {
  std::uint32_t index;                   // the register
  std::size_t position;                  // among the events of that register, from 0
  std::optional<EventSummary> expected;  // absent: the actual log has an event more
  std::optional<EventSummary> actual;    // absent: it ends before
};

// The difference in the lowest-numbered register that has one; nothing where all agree.
std::optional<Difference> diff(const std::vector<EventSummary>& expected, const std::vector<EventSummary>& actual);
// "PCR 9, event 1: expected EV_EVENT_TAG Linux initrd 11ab.., found EV_EVENT_TAG Linux initrd 22cd..".
std::string to_text(const Difference& difference, std::string_view register_name = "PCR");

}  // namespace coffer::evidence::eventlog
