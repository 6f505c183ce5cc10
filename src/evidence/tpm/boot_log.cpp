#include "evidence/tpm/boot_log.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/byte_reader.h"
#include "codec/base64.h"
#include "evidence/eventlog/details.h"
#include "evidence/eventlog/event_log.h"
#include "evidence/eventlog/writer.h"

namespace coffer::evidence::tpm {

namespace json = codec::json;
using crypto::HashAlgorithm;
using eventlog::Event;
using eventlog::EventLog;
using eventlog::EventType;

namespace {

constexpr unsigned last_boot_pcr = 9;

bool is_agents(const Event& event) {
  return event.type == EventType::event_tag &&
         ByteReader{event.data}.u32_le("tag").value_or(0) == eventlog::agent_event_id;
}

std::set<unsigned> pcrs_with_events(const EventLog& log) {
  std::set<unsigned> out;
  for (const auto& event : log.events()) {
    if (event.type != EventType::no_action) out.insert(event.index);
  }
  return out;
}

bool must_match(const EventLog& log, unsigned pcr) {
  if (pcr <= last_boot_pcr) return true;
  return std::ranges::any_of(log.events(), [pcr](const Event& each) { return each.index == pcr && is_agents(each); });
}

std::string last_event(const EventLog& log, unsigned pcr) {
  std::string out = "no event";
  for (const auto& event : log.events()) {
    if (event.index == pcr && event.type != EventType::no_action) out = eventlog::describe(event);
  }
  return out;
}

std::unexpected<Error> mismatch(const EventLog& log, unsigned pcr, ByteView replayed, ByteView quoted) {
  return fail(TpmError::event_log_mismatch,
              fmt::format("the event log leads PCR {} to {}, but the quote states {}; the log's last event of it is {}",
                          pcr, codec::hex_encode(replayed), codec::hex_encode(quoted), last_event(log, pcr)));
}

json::Array claims_without(const EventLog& log, const std::vector<unsigned>& left_out) {
  auto claims = log.claims();
  std::erase_if(claims, [&left_out](const json::Value& each) {
    const auto* index = each.find("index");
    return std::ranges::any_of(left_out, [index](unsigned pcr) { return index->if_uint64() == pcr; });
  });
  return claims;
}

}  // namespace

Result<BootLog> check_boot_log(ByteView bytes, const PcrValues& pcrs) {
  const auto log = EventLog::parse(bytes);
  if (!log) return fail(TpmError::bad_event_log, log.error().message);
  const auto with_events = pcrs_with_events(*log);
  BootLog out;
  for (const auto& [pcr, quoted] : pcrs) {
    const bool required = must_match(*log, pcr);
    if (!required && !with_events.contains(pcr)) continue;
    const auto replayed = log->replay(pcr, HashAlgorithm::sha256);
    if (!replayed) return fail(TpmError::bad_event_log, replayed.error().message);
    if (equal(*replayed, quoted)) continue;
    // Init-data is extended without an entry of its own, and was compared before.
    const bool init_data = pcr == init_data_pcr && !with_events.contains(pcr);
    if (init_data) continue;
    if (required) return mismatch(*log, pcr, *replayed, quoted);
    out.unexplained.push_back(pcr);
  }
  for (const auto pcr : with_events) {
    if (!pcrs.contains(pcr)) out.unexplained.push_back(pcr);
  }
  out.events = claims_without(*log, out.unexplained);
  return out;
}

}  // namespace coffer::evidence::tpm
