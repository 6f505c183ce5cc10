#include "evidence/eventlog/event_log.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/byte_reader.h"

namespace coffer::evidence::eventlog {

namespace {

using crypto::HashAlgorithm;

constexpr std::size_t mark_size = 8;
constexpr std::size_t signature_size = 16;
constexpr std::size_t max_algorithms = 16;  // the registry names fewer
constexpr std::size_t max_digest_size = 64;
constexpr std::string_view spec_id_03{"Spec ID Event03\0", signature_size};
constexpr std::string_view startup_locality{"StartupLocality\0", signature_size};

struct Algorithm {
  std::uint16_t id;
  std::uint16_t size;
};
using Algorithms = std::vector<Algorithm>;

template <typename T>
Result<T> complete(Result<T> read) {
  if (!read) return fail(EventLogError::truncated, "event log: " + read.error().message);
  return read;
}

bool all_are(ByteView bytes, std::byte value) {
  return std::ranges::all_of(bytes, [value](std::byte each) { return each == value; });
}

// CCEL is padded with 0xff, and upstream's agents end their logs with a mark of it; zeros stand where nothing was
// written. As an entry either would be event type 0 or 0xffffffff of a register that does not exist.
bool at_end_mark(ByteView rest) {
  const auto mark = rest.first(std::min(rest.size(), mark_size));
  return all_are(mark, std::byte{0xff}) || (mark.size() == mark_size && all_are(mark, std::byte{0}));
}

// TCG_PCR_EVENT (section 10.2.1): the form of the header, and of every entry in the older logs.
Result<Event> read_old_event(ByteReader& reader) {
  Event event{};
  event.index = TRY(complete(reader.u32_le("PCR index")));
  event.type = EventType {
    TRY(complete(reader.u32_le("event type")))
  };
  const auto digest = TRY(complete(reader.bytes(crypto::digest_size(HashAlgorithm::sha1), "SHA-1 digest")));
  event.digests.push_back({HashAlgorithm::sha1, digest});
  const auto size = TRY(complete(reader.u32_le("event size")));
  event.data = TRY(complete(reader.bytes(size, "event data")));
  return event;
}

std::unexpected<Error> inconsistent(std::string text) {
  return fail(EventLogError::bad_header, "event log's header " + std::move(text));
}

Result<Algorithm> read_algorithm(ByteReader& body) {
  const Algorithm out {
    TRY(complete(body.u16_le("algorithm id")))
    , TRY(complete(body.u16_le("digest size")))
  };
  const auto known = algorithm_of_id(out.id);
  if (known && crypto::digest_size(*known) != out.size) {
    return inconsistent(fmt::format("gives {} a size of {} bytes, expected {}", claim_name(*known), out.size,
                                    crypto::digest_size(*known)));
  }
  if (out.size == 0 || out.size > max_digest_size) {
    return inconsistent(
        fmt::format("gives algorithm {:#06x} a size of {} bytes, expected 1 to {}", out.id, out.size, max_digest_size));
  }
  return out;
}

// TCG_EfiSpecIdEvent (section 10.4.5.1), after its signature.
Result<Algorithms> read_spec_id(ByteView data) {
  ByteReader body{data};
  TRY(complete(body.skip(signature_size + 4 + 4, "platform class and version")));
  const auto count = TRY(complete(body.u32_le("number of algorithms")));
  if (count == 0 || count > max_algorithms) {
    return inconsistent(fmt::format("lists {} algorithms, expected 1 to {}", count, max_algorithms));
  }
  Algorithms out;
  for (std::uint32_t i = 0; i < count; ++i) {
    const auto algorithm = TRY(read_algorithm(body));
    if (std::ranges::find(out, algorithm.id, &Algorithm::id) != out.end()) {
      return inconsistent(fmt::format("lists algorithm {:#06x} twice", algorithm.id));
    }
    out.push_back(algorithm);
  }
  const auto vendor_size = TRY(complete(body.u8("vendor information size")));
  TRY(complete(body.skip(vendor_size, "vendor information")));
  if (!body.at_end()) return inconsistent(fmt::format("has {} bytes after its vendor information", body.remaining()));
  return out;
}

// The agents' stand-in for a missing CCEL has zeros for a signature (guest-components.md 2.6).
bool is_spec_id(const Event& event) {
  if (event.type != EventType::no_action || event.data.size() < signature_size) return false;
  const auto signature = event.data.first(signature_size);
  return as_text(signature) == spec_id_03 || all_are(signature, std::byte{0});
}

std::unexpected<Error> bad_event(std::size_t offset, std::string text) {
  return fail(EventLogError::bad_event, fmt::format("event at offset {} ", offset) + std::move(text));
}

Result<void> read_digest(ByteReader& reader, const Algorithms& algorithms, Event& event, std::size_t offset) {
  const auto id = TRY(complete(reader.u16_le("algorithm id")));
  const auto listed = std::ranges::find(algorithms, id, &Algorithm::id);
  if (listed == algorithms.end()) {
    return bad_event(offset, fmt::format("has a digest of algorithm {:#06x}, which the header does not list", id));
  }
  const auto digest = TRY(complete(reader.bytes(listed->size, "digest")));
  const auto algorithm = algorithm_of_id(id);
  if (!algorithm) return {};
  if (event.digest(*algorithm)) return bad_event(offset, "has two digests of one algorithm");
  event.digests.push_back({*algorithm, digest});
  return {};
}

// TCG_PCR_EVENT2 (section 10.2.2).
Result<Event> read_event(ByteReader& reader, const Algorithms& algorithms) {
  const auto offset = reader.offset();
  Event event{};
  event.index = TRY(complete(reader.u32_le("register index")));
  event.type = EventType {
    TRY(complete(reader.u32_le("event type")))
  };
  const auto count = TRY(complete(reader.u32_le("digest count")));
  if (count > algorithms.size()) {
    return bad_event(offset, fmt::format("has {} digests, expected at most the header's {}", count, algorithms.size()));
  }
  event.digests.reserve(count);
  for (std::uint32_t i = 0; i < count; ++i) TRY(read_digest(reader, algorithms, event, offset));
  const auto size = TRY(complete(reader.u32_le("event size")));
  event.data = TRY(complete(reader.bytes(size, "event data")));
  return event;
}

template <typename Read>
Result<std::vector<Event>> read_events(ByteReader& reader, ByteView log, Read read) {
  std::vector<Event> out;
  while (!reader.at_end() && !at_end_mark(log.subspan(reader.offset()))) {
    if (out.size() == max_events) {
      return fail(EventLogError::too_large, fmt::format("event log has more than {} events", max_events));
    }
    out.push_back(TRY(read(reader)));
  }
  return out;
}

// Section 10.4.5.3: PCR 0 began with the locality from which the TPM was started.
std::uint8_t locality_of(const std::vector<Event>& events) {
  for (const auto& event : events) {
    const bool told = event.index == 0 && event.type == EventType::no_action &&
                      event.data.size() == signature_size + 1 && as_text(event.data).starts_with(startup_locality);
    if (told) return std::to_integer<std::uint8_t>(event.data.back());
  }
  return 0;
}

// Events view the bytes that were given; afterwards they view a copy of what was read.
std::shared_ptr<const Bytes> adopt(ByteView log, std::size_t size, std::vector<Event>& events) {
  auto copy = std::make_shared<const Bytes>(to_bytes(log.first(size)));
  const auto moved = [&](ByteView view) { return ByteView{*copy}.subspan(view.data() - log.data(), view.size()); };
  for (auto& event : events) {
    event.data = moved(event.data);
    for (auto& digest : event.digests) digest.digest = moved(digest.digest);
  }
  return copy;
}

}  // namespace

std::optional<ByteView> Event::digest(HashAlgorithm algorithm) const {
  const auto found = std::ranges::find(digests, algorithm, &EventDigest::algorithm);
  if (found == digests.end()) return std::nullopt;
  return found->digest;
}

bool Event::digest_matches_data() const {
  return !digests.empty() && std::ranges::all_of(digests, [this](const EventDigest& each) {
    return equal(crypto::hash(each.algorithm, data), each.digest);
  });
}

Result<EventLog> EventLog::parse(ByteView log) {
  if (log.size() > max_log_size) {
    return fail(EventLogError::too_large,
                fmt::format("event log of {} bytes, expected at most {}", log.size(), max_log_size));
  }
  ByteReader reader{log};
  const auto header = TRY(read_old_event(reader));
  EventLog out;
  if (is_spec_id(header)) {
    const auto algorithms = TRY(read_spec_id(header.data));
    for (const auto& each : algorithms) {
      if (const auto known = algorithm_of_id(each.id)) out.algorithms_.push_back(*known);
    }
    out.events_ = TRY(read_events(reader, log, [&](ByteReader& from) { return read_event(from, algorithms); }));
  } else {
    out.algorithms_ = {HashAlgorithm::sha1};
    reader = ByteReader{log};
    out.events_ = TRY(read_events(reader, log, read_old_event));
  }
  out.size_ = reader.offset();
  out.startup_locality_ = locality_of(out.events_);
  out.bytes_ = adopt(log, out.size_, out.events_);
  return out;
}

bool EventLog::has_algorithm(HashAlgorithm algorithm) const {
  return std::ranges::find(algorithms_, algorithm) != algorithms_.end();
}

}  // namespace coffer::evidence::eventlog
