#include <gtest/gtest.h>

#include "base/byte_reader.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/printable.h"
#include "base/secret_bytes.h"

namespace coffer {
namespace {

enum class SampleError { broken };
std::string_view code_name(SampleError) {
  return "sample.broken";
}

Result<int> half(int value) {
  if (value % 2 != 0) return fail(SampleError::broken, "odd");
  return value / 2;
}

Result<int> quarter(int value) {
  const int once = TRY(half(value));
  return TRY(half(once));
}

TEST(Error, text_for_people_is_one_line_whatever_strangers_put_into_it) {
  const Error error = Error{SampleError::broken, "they\nsaid"}.with("type", "\x1b[2J");
  EXPECT_EQ(to_string(error), "sample.broken: they said (type= [2J)");
}

TEST(printable, long_text_is_cut_between_characters) {
  EXPECT_EQ(printable("abc", 3), "abc");
  EXPECT_EQ(printable("abcd", 3), "abc...");
  EXPECT_EQ(printable("ab\xc3\xa4", 3), "ab...");
  EXPECT_EQ(printable("a\x7f\tb\r\n", 9), "a  b  ");
  EXPECT_EQ(printable("\xc2\x9bZ \xc2\xa7 \xc2"), " Z \xc2\xa7 \xc2");
}

TEST(Result, try_returns_the_value_or_the_error_of_the_inner_call) {
  EXPECT_EQ(quarter(8).value(), 2);
  ASSERT_FALSE(quarter(6));
  EXPECT_EQ(quarter(6).error().code, ErrorCode(SampleError::broken));
}

TEST(Error, text_names_code_message_and_context) {
  const Error error = Error{SampleError::broken, "it broke"}.with("file", "a.toml").with("line", "3");
  EXPECT_EQ(to_string(error), "sample.broken: it broke (file=a.toml, line=3)");
}

TEST(ByteReader, reads_both_byte_orders_and_refuses_to_pass_the_end) {
  const Bytes data = ByteWriter{}.u16_be(0x0102).u16_le(0x0102).u32_be(7).u64_le(9).u8(5).take();
  ByteReader reader(data);
  EXPECT_EQ(reader.u16_be("a").value(), 0x0102);
  EXPECT_EQ(reader.u16_le("b").value(), 0x0102);
  EXPECT_EQ(reader.u32_be("c").value(), 7U);
  EXPECT_EQ(reader.u64_le("d").value(), 9U);
  EXPECT_EQ(reader.expect_end("record").error().code, ErrorCode(ReadError::trailing_bytes));
  EXPECT_EQ(reader.u8("e").value(), 5);
  EXPECT_TRUE(reader.expect_end("record"));
  EXPECT_EQ(reader.u8("f").error().code, ErrorCode(ReadError::truncated));
  EXPECT_EQ(reader.bytes(static_cast<std::size_t>(-1), "g").error().code, ErrorCode(ReadError::truncated));
}

TEST(SecretBytes, small_and_large_secrets_move_clone_truncate_and_compare) {
  for (const std::size_t size : {0UL, 32UL, 200UL * 1024UL}) {
    SecretBytes secret(size);
    for (auto& byte : secret.mutable_expose()) byte = std::byte{0x5a};
    SecretBytes copy = secret.clone();
    EXPECT_TRUE(copy == secret);
    SecretBytes moved = std::move(secret);
    EXPECT_TRUE(copy == moved);
    EXPECT_EQ(moved.size(), size);
    if (size == 0) continue;
    moved.mutable_expose()[size - 1] = std::byte{0};
    EXPECT_FALSE(copy == moved);
    moved.truncate(size - 1);
    EXPECT_EQ(moved.size(), size - 1);
  }
}

TEST(Time, rfc3339_round_trips_and_accepts_offsets_and_fractions) {
  const auto time = parse_rfc3339("2026-01-02T03:04:05Z").value();
  EXPECT_EQ(format_rfc3339(time), "2026-01-02T03:04:05Z");
  EXPECT_EQ(to_unix_seconds(time), 1767323045);
  EXPECT_EQ(from_unix_seconds(1767323045), time);
  EXPECT_EQ(parse_rfc3339("2026-01-02T04:04:05+01:00").value(), time);
  EXPECT_EQ(parse_rfc3339("2026-01-02T03:04:05.250Z").value(), time + Duration{250});
  EXPECT_EQ(parse_rfc3339("2026-01-02T03:04:05.250999999Z").value(), time + Duration{250});
  EXPECT_EQ(format_http_date(time), "Fri, 02 Jan 2026 03:04:05 GMT");
  EXPECT_EQ(parse_http_date("Fri, 02 Jan 2026 03:04:05 GMT").value(), time);
}

TEST(Time, text_that_is_no_time_is_refused) {
  for (const char* text :
       {"", "now", "2026-01-02", "2026-01-02T03:04:05", "2026-13-02T03:04:05Z", "2026-01-02T03:04:05Zx"}) {
    EXPECT_EQ(parse_rfc3339(text).error().code, ErrorCode(TimeError::malformed)) << text;
  }
  for (const char* text : {"", "now", "2026-01-02T03:04:05Z", "Fri, 02 Jan 2026 03:04:05",
                           "Fri, 32 Jan 2026 03:04:05 GMT", "Fri, 02 Jan 2026 03:04:05 GMT+1"}) {
    EXPECT_EQ(parse_http_date(text).error().code, ErrorCode(TimeError::malformed)) << text;
  }
}

TEST(Log, filter_follows_rust_log) {
  log::set_filter("warn,net=debug,kbs_protocol::client=trace");
  EXPECT_FALSE(log::enabled(log::Level::info, "storage.opened"));
  EXPECT_TRUE(log::enabled(log::Level::debug, "net.connected"));
  EXPECT_TRUE(log::enabled(log::Level::trace, "kbs_protocol.sent"));
  log::init("test", log::Level::off);
}

}  // namespace
}  // namespace coffer
