#include "evidence/eventlog/event_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/byte_reader.h"
#include "codec/base64.h"
#include "evidence/eventlog/agent_event_log.h"
#include "evidence/eventlog/writer.h"

namespace coffer::evidence::eventlog {
namespace {

using crypto::HashAlgorithm;
using testing::HasSubstr;

const Bytes separator{std::byte{0}, std::byte{0}, std::byte{0}, std::byte{0}};

LogWriter valid() {
  LogWriter log{{HashAlgorithm::sha256, HashAlgorithm::sha384}};
  log.add(0, EventType::s_crtm_version, as_bytes("v1"));
  log.add(4, EventType::efi_action, as_bytes("Calling EFI Application from Boot Option"));
  log.add(4, EventType::separator, separator);
  return log;
}

EventLog parsed(const Bytes& log) {
  auto out = EventLog::parse(log);
  EXPECT_TRUE(out) << to_string(out.error());
  return *std::move(out);
}

ErrorCode refusal(ByteView log) {
  const auto out = EventLog::parse(log);
  EXPECT_FALSE(out);
  return out ? ErrorCode{EventLogError::bad_wal} : out.error().code;
}

// The header's body begins behind 32 bytes; number of algorithms at 24 in it, then id and size of each.
constexpr std::size_t count_at = 32 + 24;
constexpr std::size_t first_algorithm_at = count_at + 4;
constexpr std::size_t body_size_at = 28;
constexpr std::size_t header_size = 32 + 24 + 4 + 8 + 1;

Bytes with_byte(Bytes log, std::size_t at, unsigned value) {
  log.at(at) = static_cast<std::byte>(value);
  return log;
}

TEST(EventLog, events_are_read_in_order) {
  const auto log = parsed(valid().log());
  ASSERT_EQ(log.events().size(), 3U);
  EXPECT_EQ(log.events()[1].index, 4U);
  EXPECT_EQ(log.events()[1].type, EventType::efi_action);
  EXPECT_EQ(to_text(log.events()[1].data), "Calling EFI Application from Boot Option");
  EXPECT_TRUE(log.events()[1].digest(HashAlgorithm::sha384));
  EXPECT_FALSE(log.events()[1].digest(HashAlgorithm::sha512));
  EXPECT_EQ(log.algorithms(), (std::vector{HashAlgorithm::sha256, HashAlgorithm::sha384}));
}

TEST(EventLog, events_outlive_the_bytes_they_came_from) {
  auto bytes = std::make_unique<Bytes>(valid().log());
  const auto log = parsed(*bytes);
  bytes.reset();
  const auto copy = log;
  EXPECT_EQ(to_text(copy.events()[0].data), "v1");
}

TEST(EventLog, replay_extends_each_digest_in_order) {
  const auto log = parsed(valid().log());
  const auto first = crypto::sha256(as_bytes("Calling EFI Application from Boot Option"));
  const auto once = crypto::sha256(concat({Bytes(32), first}));
  EXPECT_EQ(*log.replay(4, HashAlgorithm::sha256), crypto::sha256(concat({once, crypto::sha256(separator)})));
  EXPECT_EQ(*log.replay(5, HashAlgorithm::sha256), Bytes(32));
}

TEST(EventLog, replay_leaves_events_out_that_extend_nothing) {
  auto writer = valid();
  const auto before = *parsed(writer.log()).replay(4, HashAlgorithm::sha256);
  writer.add(4, EventType::no_action, as_bytes("a remark"));
  EXPECT_EQ(*parsed(writer.log()).replay(4, HashAlgorithm::sha256), before);
}

TEST(EventLog, register_0_begins_with_the_locality_that_the_log_tells) {
  LogWriter writer{{HashAlgorithm::sha256}};
  writer.add(0, EventType::no_action, as_bytes({"StartupLocality\0\x03", 17}));
  EXPECT_EQ(*parsed(writer.log()).replay(0, HashAlgorithm::sha256), with_byte(Bytes(32), 31, 3));
}

TEST(EventLog, dynamic_registers_are_ones_until_a_launch) {
  auto writer = valid();
  EXPECT_EQ(*parsed(writer.log()).replay(17, HashAlgorithm::sha256), Bytes(32, std::byte{0xff}));
  EXPECT_EQ(*parsed(writer.log()).replay(23, HashAlgorithm::sha256), Bytes(32));
  writer.add(17, EventType::action, as_bytes("launch"));
  EXPECT_EQ(*parsed(writer.log()).replay(17, HashAlgorithm::sha256),
            crypto::sha256(concat({Bytes(32), crypto::sha256(as_bytes("launch"))})));
}

TEST(EventLog, replay_of_an_algorithm_the_log_lacks_is_refused) {
  const auto log = parsed(valid().log());
  EXPECT_EQ(log.replay(4, HashAlgorithm::sha512).error().code, EventLogError::unknown_algorithm);
}

TEST(EventLog, replay_of_an_event_without_that_digest_is_refused) {
  auto writer = valid();
  const OwnedDigest only{HashAlgorithm::sha256, Bytes(32)};
  writer.add_digests(4, EventType::action, {}, {&only, 1});
  const auto log = parsed(writer.log());
  EXPECT_TRUE(log.replay(4, HashAlgorithm::sha256));
  EXPECT_EQ(log.replay(4, HashAlgorithm::sha384).error().code, EventLogError::unknown_algorithm);
  EXPECT_TRUE(log.replay(0, HashAlgorithm::sha384));
}

TEST(EventLog, a_stated_register_is_held_against_the_replay) {
  const auto log = parsed(valid().log());
  const auto value = *log.replay(4, HashAlgorithm::sha256);
  EXPECT_TRUE(check_replay(log, HashAlgorithm::sha256, std::array{StatedRegister{"PCR 4", 4, value}}));
  const auto wrong = check_replay(log, HashAlgorithm::sha256,
                                  std::array{StatedRegister{"PCR 4", 4, value}, StatedRegister{"PCR 0", 0, value}});
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().code, EventLogError::replay_mismatch);
  EXPECT_THAT(wrong.error().message, HasSubstr("PCR 0"));
  EXPECT_THAT(wrong.error().message, HasSubstr(codec::hex_encode(value)));
  EXPECT_THAT(wrong.error().message, HasSubstr(codec::hex_encode(*log.replay(0, HashAlgorithm::sha256))));
}

TEST(EventLog, a_mark_ends_the_log) {
  for (const auto mark : {std::byte{0xff}, std::byte{0}}) {
    auto bytes = valid().log();
    const auto size = bytes.size();
    bytes.insert(bytes.end(), 100, mark);
    const auto log = parsed(bytes);
    EXPECT_EQ(log.events().size(), 3U);
    EXPECT_EQ(log.size(), size);
  }
}

TEST(EventLog, a_log_cut_anywhere_is_truncated_or_ends_between_events) {
  const auto bytes = valid().log();
  std::size_t whole = 0;
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const auto log = EventLog::parse(ByteView{bytes}.first(size));
    if (log) {
      ++whole;
    } else {
      EXPECT_EQ(log.error().code, EventLogError::truncated) << size;
    }
  }
  EXPECT_EQ(whole, 3U);
}

TEST(EventLog, a_header_that_contradicts_itself_is_refused) {
  const auto bytes = valid().log();
  EXPECT_EQ(refusal(with_byte(bytes, count_at, 0)), EventLogError::bad_header);
  EXPECT_EQ(refusal(with_byte(bytes, count_at, 17)), EventLogError::bad_header);
  EXPECT_EQ(refusal(with_byte(bytes, first_algorithm_at + 2, 33)), EventLogError::bad_header);
  EXPECT_EQ(refusal(with_byte(bytes, first_algorithm_at, 0x0c)), EventLogError::bad_header);
  EXPECT_EQ(refusal(with_byte(with_byte(bytes, first_algorithm_at, 0x77), first_algorithm_at + 2, 65)),
            EventLogError::bad_header);
  EXPECT_EQ(refusal(with_byte(with_byte(bytes, first_algorithm_at, 0x77), first_algorithm_at + 2, 0)),
            EventLogError::bad_header);
  EXPECT_EQ(refusal(with_byte(bytes, header_size - 1, 200)), EventLogError::truncated);
  EXPECT_EQ(refusal(with_byte(bytes, body_size_at, 38)), EventLogError::bad_header);
}

TEST(EventLog, an_algorithm_listed_twice_is_refused) {
  LogWriter twice{{HashAlgorithm::sha256, HashAlgorithm::sha256}};
  EXPECT_EQ(refusal(twice.log()), EventLogError::bad_header);
}

TEST(EventLog, digests_that_the_header_does_not_announce_are_refused) {
  auto writer = valid();
  const OwnedDigest sha512{HashAlgorithm::sha512, Bytes(64)};
  writer.add_digests(0, EventType::action, {}, {&sha512, 1});
  EXPECT_EQ(refusal(writer.log()), EventLogError::bad_event);
}

TEST(EventLog, more_digests_than_algorithms_and_doubled_ones_are_refused) {
  const OwnedDigest one{HashAlgorithm::sha256, Bytes(32)};
  auto three = valid();
  three.add_digests(0, EventType::action, {}, std::array{one, one, one});
  EXPECT_EQ(refusal(three.log()), EventLogError::bad_event);
  auto two = valid();
  two.add_digests(0, EventType::action, {}, std::array{one, one});
  EXPECT_EQ(refusal(two.log()), EventLogError::bad_event);
}

TEST(EventLog, digests_of_unknown_algorithms_are_passed_over) {
  auto bytes = with_byte(valid().log(), first_algorithm_at, 0x27);
  // Each event's first digest has the same id, 12 bytes behind the event's beginning.
  std::size_t at = header_size;
  for (int i = 0; i < 3; ++i) {
    bytes = with_byte(std::move(bytes), at + 12, 0x27);
    const auto event_size = ByteReader{ByteView{bytes}.subspan(at + 12 + 2 + 32 + 2 + 48)}.u32_le("size");
    at += 12 + 2 + 32 + 2 + 48 + 4 + *event_size;
  }
  const auto log = parsed(bytes);
  EXPECT_EQ(log.algorithms(), std::vector{HashAlgorithm::sha384});
  EXPECT_TRUE(log.replay(4, HashAlgorithm::sha384));
}

TEST(EventLog, the_older_form_with_sha1_is_read) {
  ByteWriter old;
  for (const std::string_view text : {"first", "second"}) {
    const auto digest = crypto::hash(HashAlgorithm::sha1, as_bytes(text));
    old.u32_le(2).u32_le(5).bytes(digest).u32_le(static_cast<std::uint32_t>(text.size())).bytes(as_bytes(text));
  }
  const auto log = parsed(old.take());
  ASSERT_EQ(log.events().size(), 2U);
  EXPECT_EQ(log.algorithms(), std::vector{HashAlgorithm::sha1});
  EXPECT_TRUE(log.events()[1].digest_matches_data());
  EXPECT_EQ(log.replay(2, HashAlgorithm::sha1)->size(), 20U);
}

TEST(EventLog, what_no_firmware_writes_is_too_large) {
  EXPECT_EQ(refusal(Bytes(max_log_size + 1)), EventLogError::too_large);
  LogWriter writer{{HashAlgorithm::sha256}};
  for (std::size_t i = 0; i <= max_events; ++i) writer.add_digests(1, EventType::action, {}, {});
  EXPECT_EQ(refusal(writer.log()), EventLogError::too_large);
}

TEST(EventLog, upstreams_header_for_a_missing_ccel_is_read) {
  EXPECT_EQ(agent_log_header().size(), 69U);
  const auto log = EventLog::parse(agent_log_header());
  ASSERT_TRUE(log) << to_string(log.error());
  EXPECT_EQ(log->algorithms(), (std::vector{HashAlgorithm::sha384, HashAlgorithm::sm3}));
}

TEST(EventType, names_are_read_back) {
  for (const auto type : {EventType::ipl, EventType::s_crtm_contents, EventType::efi_platform_firmware_blob2}) {
    EXPECT_EQ(parse_event_type(type_name(type)), type);
  }
  EXPECT_EQ(type_name(EventType{0xabcd}), "EV_UNKNOWN_0x0000abcd");
  EXPECT_FALSE(parse_event_type("EV_NOTHING"));
}

}  // namespace
}  // namespace coffer::evidence::eventlog
