#include "evidence/tpm/boot_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "codec/base64.h"
#include "evidence/eventlog/agent_event_log.h"
#include "evidence/eventlog/event_log.h"
#include "evidence/eventlog/writer.h"
#include "evidence/tpm/simulate.h"

namespace coffer::evidence::tpm {
namespace {

using crypto::HashAlgorithm;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

PcrValues values_of(ByteView log) {
  const auto parsed = eventlog::EventLog::parse(log);
  PcrValues out;
  for (unsigned pcr = 0; pcr < pcr_count; ++pcr) out[pcr] = *parsed->replay(pcr, HashAlgorithm::sha256);
  return out;
}

Bytes with_event(Bytes log, unsigned pcr, std::string_view text) {
  const auto data = as_bytes(text);
  const eventlog::OwnedDigest digest{HashAlgorithm::sha256, crypto::sha256(data)};
  return concat({log, eventlog::encode_event(pcr, eventlog::EventType::ipl, {&digest, 1}, data)});
}

Bytes with_agents_event(Bytes log, unsigned pcr) {
  return concat({log, eventlog::agent_event_entry({pcr, HashAlgorithm::sha256}, "a b c")});
}

Error refusal(ByteView log, const PcrValues& pcrs) {
  const auto out = check_boot_log(log, pcrs);
  EXPECT_FALSE(out);
  return out ? Error{TpmError::untrusted_ak, "accepted"} : out.error();
}

TEST(BootLog, that_explains_the_pcrs_becomes_claims) {
  const auto log = boot_log({});
  const auto out = check_boot_log(log, values_of(log));
  ASSERT_TRUE(out) << to_string(out.error());
  EXPECT_EQ(out->events.size(), eventlog::EventLog::parse(log)->events().size());
  EXPECT_TRUE(out->unexplained.empty());
}

TEST(BootLog, of_another_command_line_is_refused_with_pcr_values_and_event) {
  const auto quoted = values_of(boot_log({.command_line = "console=ttyS0 debug"}));
  const auto error = refusal(boot_log({}), quoted);
  EXPECT_EQ(error.code, TpmError::event_log_mismatch);
  EXPECT_THAT(error.message, HasSubstr("PCR 9"));
  EXPECT_THAT(error.message, HasSubstr(codec::hex_encode(quoted.at(9))));
  EXPECT_THAT(error.message, HasSubstr(codec::hex_encode(values_of(boot_log({})).at(9))));
  EXPECT_THAT(error.message, HasSubstr("Linux initrd"));
}

TEST(BootLog, without_events_of_a_firmware_pcr_that_holds_something_is_refused) {
  const auto log = boot_log({});
  auto pcrs = values_of(log);
  pcrs[8][0] = std::byte{1};
  EXPECT_TRUE(check_boot_log(log, pcrs)) << "PCR 8 is init-data's";
  const eventlog::LogWriter none{{HashAlgorithm::sha256}};
  const auto error = refusal(none.log(), values_of(log));
  EXPECT_EQ(error.code, TpmError::event_log_mismatch);
  EXPECT_THAT(error.message, HasSubstr("no event"));
}

TEST(BootLog, leaves_events_out_of_pcrs_that_the_system_extends_further) {
  const auto log = with_event(boot_log({}), 11, "a boot loader's");
  auto pcrs = values_of(log);
  ASSERT_TRUE(check_boot_log(log, pcrs)->unexplained.empty());
  pcrs[11] = Bytes(32, std::byte{1});
  const auto out = check_boot_log(log, pcrs);
  ASSERT_TRUE(out) << to_string(out.error());
  EXPECT_THAT(out->unexplained, ElementsAre(11U));
  EXPECT_EQ(out->events.size() + 1, eventlog::EventLog::parse(log)->events().size());
}

TEST(BootLog, leaves_events_out_of_pcrs_that_were_not_quoted) {
  const auto log = boot_log({});
  auto pcrs = values_of(log);
  pcrs.erase(9);
  const auto out = check_boot_log(log, pcrs);
  ASSERT_TRUE(out);
  EXPECT_THAT(out->unexplained, ElementsAre(9U));
  EXPECT_THAT(codec::json::serialize(codec::json::Value{out->events}), Not(HasSubstr("Linux initrd")));
}

TEST(BootLog, must_explain_every_pcr_of_the_agents_entries) {
  const auto log = with_agents_event(boot_log({}), 15);
  auto pcrs = values_of(log);
  EXPECT_TRUE(check_boot_log(log, pcrs));
  pcrs[15][0] ^= std::byte{1};
  EXPECT_EQ(refusal(log, pcrs).code, TpmError::event_log_mismatch);
}

TEST(BootLog, that_does_not_parse_or_lacks_the_bank_is_refused) {
  const auto pcrs = values_of(boot_log({}));
  EXPECT_EQ(refusal(Bytes(5), pcrs).code, TpmError::bad_event_log);
  const eventlog::LogWriter other{{HashAlgorithm::sha384}};
  EXPECT_EQ(refusal(other.log(), pcrs).code, TpmError::bad_event_log);
}

}  // namespace
}  // namespace coffer::evidence::tpm
