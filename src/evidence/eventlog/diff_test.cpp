#include "evidence/eventlog/diff.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "evidence/eventlog/writer.h"

namespace coffer::evidence::eventlog {
namespace {

namespace json = codec::json;
using crypto::HashAlgorithm;
using testing::HasSubstr;

std::vector<EventSummary> boot(std::string_view command_line, std::string_view initrd = "initrd",
                               std::string_view kernel = "kernel") {
  LogWriter log{{HashAlgorithm::sha256}};
  log.add(4, EventType::efi_action, as_bytes("Calling EFI Application from Boot Option"));
  log.add(9, EventType::event_tag, tagged_event(linux_load_options_id, as_bytes("LOADED_IMAGE::LoadOptions")),
          as_bytes(command_line));
  log.add(4, EventType::compact_hash, as_bytes("kernel"), as_bytes(kernel));
  log.add(9, EventType::no_action, as_bytes(command_line));
  log.add(9, EventType::event_tag, tagged_event(linux_initrd_id, as_bytes("Linux initrd")), as_bytes(initrd));
  return *summarize(*EventLog::parse(log.log()), HashAlgorithm::sha256);
}

TEST(Diff, equal_boots_do_not_differ) {
  EXPECT_FALSE(diff(boot("quiet"), boot("quiet")));
}

TEST(Diff, a_changed_kernel_argument_is_named_with_register_and_event) {
  const auto found = diff(boot("quiet"), boot("quiet debug"));
  ASSERT_TRUE(found);
  EXPECT_EQ(found->index, 9U);
  EXPECT_EQ(found->position, 0U);
  EXPECT_EQ(to_text(*found), "PCR 9, event 0: expected EV_EVENT_TAG LOADED_IMAGE::LoadOptions with digest " +
                                 found->expected->digest +
                                 ", found EV_EVENT_TAG LOADED_IMAGE::LoadOptions with digest " + found->actual->digest);
  EXPECT_NE(found->expected->digest, found->actual->digest);
}

TEST(Diff, a_changed_initrd_is_the_second_event_of_its_register) {
  const auto found = diff(boot("quiet"), boot("quiet", "initrE"));
  ASSERT_TRUE(found);
  EXPECT_EQ(found->position, 1U);
  EXPECT_THAT(to_text(*found, "RTMR"), HasSubstr("RTMR 9, event 1: expected EV_EVENT_TAG Linux initrd"));
}

TEST(Diff, the_lowest_register_comes_first) {
  const auto found = diff(boot("quiet"), boot("loud", "initrd", "kernal"));
  ASSERT_TRUE(found);
  EXPECT_EQ(found->index, 4U);
  EXPECT_EQ(found->position, 1U);
}

TEST(Diff, missing_and_further_events_are_named) {
  auto shorter = boot("quiet");
  shorter.pop_back();
  const auto missing = diff(boot("quiet"), shorter);
  ASSERT_TRUE(missing);
  EXPECT_FALSE(missing->actual);
  EXPECT_THAT(to_text(*missing), HasSubstr("found no further event"));
  const auto further = diff(shorter, boot("quiet"));
  ASSERT_TRUE(further);
  EXPECT_FALSE(further->expected);
  EXPECT_THAT(to_text(*further), HasSubstr("expected no further event, found EV_EVENT_TAG Linux initrd"));
}

TEST(Diff, claims_that_are_no_events_are_refused) {
  const auto refusal = [](const json::Value& claims) {
    const auto out = summarize(claims, HashAlgorithm::sha256);
    EXPECT_FALSE(out);
    return out ? ErrorCode{EventLogError::truncated} : out.error().code;
  };
  EXPECT_EQ(refusal("text"), EventLogError::bad_claims);
  EXPECT_EQ(refusal(json::Array{1}), EventLogError::bad_claims);
  const json::Object valid{{"index", 1},
                           {"type_name", "EV_IPL"},
                           {"digests", json::Array{json::Object{{"alg", "SHA-256"}, {"digest", "00"}}}}};
  EXPECT_TRUE(summarize(json::Array{valid}, HashAlgorithm::sha256));
  for (const auto key : {"index", "type_name", "digests"}) {
    auto broken = valid;
    broken.erase(key);
    EXPECT_EQ(refusal(json::Array{broken}), EventLogError::bad_claims) << key;
  }
  auto large = valid;
  large.set("index", std::uint64_t{1} << 32);
  EXPECT_EQ(refusal(json::Array{large}), EventLogError::bad_claims);
}

TEST(Diff, events_that_extend_nothing_need_no_digest) {
  const json::Object remark{{"index", 0}, {"type_name", "EV_NO_ACTION"}, {"digests", json::Array{}}};
  const auto out = summarize(json::Array{remark}, HashAlgorithm::sha256);
  ASSERT_TRUE(out) << to_string(out.error());
  EXPECT_TRUE(out->empty());
}

TEST(Diff, an_algorithm_the_events_lack_is_refused) {
  const json::Object claim{{"index", 1}, {"type_name", "EV_IPL"}, {"digests", json::Array{}}};
  EXPECT_EQ(summarize(json::Array{claim}, HashAlgorithm::sha256).error().code, EventLogError::unknown_algorithm);
  LogWriter log{{HashAlgorithm::sha256}};
  log.add(4, EventType::separator, {});
  EXPECT_EQ(summarize(*EventLog::parse(log.log()), HashAlgorithm::sha384).error().code,
            EventLogError::unknown_algorithm);
}

}  // namespace
}  // namespace coffer::evidence::eventlog
