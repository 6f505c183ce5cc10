#include "evidence/eventlog/diff.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/printable.h"
#include "codec/base64.h"
#include "evidence/eventlog/details.h"

namespace coffer::evidence::eventlog {

namespace json = codec::json;
using crypto::HashAlgorithm;

namespace {

std::unexpected<Error> no_digest(std::uint64_t index, std::string_view type, HashAlgorithm algorithm) {
  return fail(EventLogError::unknown_algorithm,
              fmt::format("event {} of register {} has no digest of {}", type, index, claim_name(algorithm)));
}

Result<std::string> claimed_digest(const json::Object& event, HashAlgorithm algorithm) {
  const auto* digests = TRY(json::array_member(event, "digests", "event"));
  for (const auto& each : *digests) {
    const auto* digest = TRY(each.as_object("event.digests[]"));
    if (TRY(json::string_member(*digest, "alg", "digest")) != claim_name(algorithm)) continue;
    return std::string {
      TRY(json::string_member(*digest, "digest", "digest"))
    };
  }
  return fail(EventLogError::unknown_algorithm,
              "an event of the claims has no digest of " + std::string{claim_name(algorithm)});
}

Result<EventSummary> read_claim(const json::Value& value, HashAlgorithm algorithm) {
  const auto* event = TRY(value.as_object("event"));
  const auto* index = event->find("index");
  const auto number = index == nullptr ? std::nullopt : index->if_uint64();
  if (!number || *number > UINT32_MAX) return fail(EventLogError::bad_claims, "event.index is no register's number");
  const std::string type {
    TRY(json::string_member(*event, "type_name", "event"))
  };
  const auto* details = event->find("details");
  const auto* object = details == nullptr ? nullptr : details->if_object();
  return EventSummary {
    static_cast<std::uint32_t>(*number), type, TRY(claimed_digest(*event, algorithm))
    , describe(type, object == nullptr ? json::Object{} : *object)
  };
}

using Registers = std::map<std::uint32_t, std::vector<const EventSummary*>>;

Registers by_register(const std::vector<EventSummary>& events) {
  Registers out;
  for (const auto& event : events) out[event.index].push_back(&event);
  return out;
}

std::optional<EventSummary> at(const std::vector<const EventSummary*>& events, std::size_t position) {
  if (position >= events.size()) return std::nullopt;
  return *events[position];
}

std::optional<Difference> differs(std::uint32_t index, const std::vector<const EventSummary*>& expected,
                                  const std::vector<const EventSummary*>& actual) {
  const auto same = [](const EventSummary* a, const EventSummary* b) { return *a == *b; };
  const auto position = std::ranges::mismatch(expected, actual, same).in1 - expected.begin();
  const auto place = static_cast<std::size_t>(position);
  if (place == expected.size() && place == actual.size()) return std::nullopt;
  return Difference{index, place, at(expected, place), at(actual, place)};
}

std::string to_text(const std::optional<EventSummary>& event) {
  if (!event) return "no further event";
  return printable(event->description, 160) + " with digest " + printable(event->digest, 128);
}

}  // namespace

Result<std::vector<EventSummary>> summarize(const EventLog& log, HashAlgorithm algorithm) {
  std::vector<EventSummary> out;
  for (const auto& event : log.events()) {
    if (event.type == EventType::no_action) continue;
    const auto digest = event.digest(algorithm);
    if (!digest) return no_digest(event.index, type_name(event.type), algorithm);
    out.push_back({event.index, type_name(event.type), codec::hex_encode(*digest), describe(event)});
  }
  return out;
}

Result<std::vector<EventSummary>> summarize(const json::Value& claims, HashAlgorithm algorithm) {
  const auto* events = claims.if_array();
  if (events == nullptr) {
    return fail(EventLogError::bad_claims,
                "uefi_event_logs is expected to be an array, found " + std::string{claims.type_name()});
  }
  std::vector<EventSummary> out;
  for (const auto& each : *events) {
    const auto* type = each.find("type_name");
    if (type != nullptr && *type == json::Value{type_name(EventType::no_action)}) continue;
    auto summary = read_claim(each, algorithm);
    if (!summary && summary.error().code == EventLogError::unknown_algorithm) return fail(std::move(summary).error());
    if (!summary) return fail(EventLogError::bad_claims, "uefi_event_logs: " + summary.error().message);
    out.push_back(*std::move(summary));
  }
  return out;
}

std::optional<Difference> diff(const std::vector<EventSummary>& expected, const std::vector<EventSummary>& actual) {
  auto wanted = by_register(expected);
  auto found = by_register(actual);
  std::set<std::uint32_t> indexes;
  for (const auto& [index, events] : wanted) indexes.insert(index);
  for (const auto& [index, events] : found) indexes.insert(index);
  for (const auto index : indexes) {
    if (auto difference = differs(index, wanted[index], found[index])) return difference;
  }
  return std::nullopt;
}

std::string to_text(const Difference& difference, std::string_view register_name) {
  return fmt::format("{} {}, event {}: expected {}, found {}", register_name, difference.index, difference.position,
                     to_text(difference.expected), to_text(difference.actual));
}

}  // namespace coffer::evidence::eventlog
