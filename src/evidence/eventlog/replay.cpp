#include <fmt/format.h>

#include <algorithm>

#include "codec/base64.h"
#include "evidence/eventlog/details.h"
#include "evidence/eventlog/event_log.h"

namespace coffer::evidence::eventlog {

namespace json = codec::json;
using crypto::HashAlgorithm;

namespace {

constexpr std::uint32_t first_dynamic_pcr = 17;
constexpr std::uint32_t last_dynamic_pcr = 22;

bool extends(const Event& event, std::uint32_t index) {
  return event.index == index && event.type != EventType::no_action;
}

json::Value claim_of(const Event& event) {
  json::Array digests;
  for (const auto& each : event.digests) {
    digests.push_back(json::Object{{"alg", claim_name(each.algorithm)}, {"digest", codec::hex_encode(each.digest)}});
  }
  return json::Object{{"details", details(event)},           {"digest_matches_event", event.digest_matches_data()},
                      {"digests", std::move(digests)},       {"event", codec::base64_encode(event.data)},
                      {"index", std::uint64_t{event.index}}, {"type_name", type_name(event.type)}};
}

}  // namespace

Result<Bytes> EventLog::replay(std::uint32_t index, HashAlgorithm algorithm) const {
  if (!has_algorithm(algorithm)) {
    return fail(EventLogError::unknown_algorithm, "event log has no digests of " + std::string{claim_name(algorithm)});
  }
  Bytes value(crypto::digest_size(algorithm));
  if (index == 0) value.back() = std::byte{startup_locality_};
  // TPM 2.0 part 1, section 17.3: ones until a dynamic launch, which resets them to zeros before its first event.
  const bool touched = std::ranges::any_of(events_, [index](const Event& event) { return extends(event, index); });
  if (index >= first_dynamic_pcr && index <= last_dynamic_pcr && !touched) std::ranges::fill(value, std::byte{0xff});
  crypto::Hasher hasher{algorithm};
  for (const auto& event : events_) {
    if (!extends(event, index)) continue;
    const auto digest = event.digest(algorithm);
    if (!digest) {
      return fail(EventLogError::unknown_algorithm,
                  fmt::format("event of register {} has no digest of {}", index, claim_name(algorithm)));
    }
    hasher.update(value);
    hasher.update(*digest);
    hasher.finish(value);
  }
  return value;
}

json::Array EventLog::claims() const {
  json::Array out;
  out.reserve(events_.size());
  for (const auto& event : events_) out.push_back(claim_of(event));
  return out;
}

Result<> check_replay(const EventLog& log, HashAlgorithm algorithm, std::span<const StatedRegister> stated) {
  for (const auto& each : stated) {
    const auto replayed = TRY(log.replay(each.index, algorithm));
    if (equal(replayed, each.value)) continue;
    return fail(EventLogError::replay_mismatch,
                fmt::format("event log leads {} to {}, but hardware states {}", each.name, codec::hex_encode(replayed),
                            codec::hex_encode(each.value)));
  }
  return {};
}

}  // namespace coffer::evidence::eventlog
