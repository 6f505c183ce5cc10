#include "evidence/measure/tpm_log.h"

#include <gtest/gtest.h>

#include "codec/base64.h"
#include "evidence/eventlog/writer.h"

namespace coffer::evidence::measure {
namespace {

using crypto::HashAlgorithm;
using eventlog::EventType;

TEST(TpmLog, gives_each_register_and_each_event) {
  eventlog::LogWriter writer{{HashAlgorithm::sha1, HashAlgorithm::sha256}};
  writer.add(4, EventType::separator, Bytes(4)).add(9, EventType::event_tag, as_bytes("x"), as_bytes("measured"));
  const auto log = eventlog::EventLog::parse(writer.log());
  ASSERT_TRUE(log);
  const auto values = reference_values(*log);
  ASSERT_TRUE(values) << to_string(values.error());
  const auto expected = crypto::sha256(concat({Bytes(32), crypto::sha256(as_bytes("measured"))}));
  EXPECT_EQ(*values->find("tpm_pcr09"), codec::json::Value(codec::json::Array{codec::hex_encode(expected)}));
  EXPECT_TRUE(values->contains("tpm_pcr04"));
  EXPECT_EQ(values->find("tpm_events")->if_array()->size(), 2U);
}

TEST(TpmLog, a_log_without_sha256_is_refused) {
  eventlog::LogWriter writer{{HashAlgorithm::sha1}};
  writer.add(4, EventType::separator, Bytes(4));
  const auto log = eventlog::EventLog::parse(writer.log());
  ASSERT_TRUE(log);
  const auto values = reference_values(*log);
  ASSERT_FALSE(values);
  EXPECT_EQ(values.error().code, ErrorCode{eventlog::EventLogError::unknown_algorithm});
}

}  // namespace
}  // namespace coffer::evidence::measure
