#include "appraisal/reference_values.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/log.h"
#include "codec/base64.h"

namespace coffer::appraisal {
namespace {

namespace json = codec::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class ReferenceValues : public ::testing::Test {
 protected:
  static json::Object valid_message() {
    return {{"version", "0.1.0"},
            {"type", "sample"},
            {"payload", codec::base64_encode(as_bytes(R"({"svn":["1"],"major_version":1})"))}};
  }
  Error refusal(const json::Object& message) { return refusal(json::serialize(json::Value{message})); }
  Error refusal(const std::string& message) {
    const auto names = values_.register_message(message);
    EXPECT_FALSE(names);
    return names ? Error{AppraisalError::unavailable, "accepted"} : names.error();
  }
  static json::Object with_payload(std::string_view payload) {
    auto message = valid_message();
    message.set("payload", codec::base64_encode(as_bytes(payload)));
    return message;
  }

  FixedClock clock_{from_unix_seconds(1'709'210'096)};  // 2024-02-29T12:34:56Z
  std::shared_ptr<storage::KeyValueStore> store_ = storage::make_memory_store();
  ReferenceValueStore values_{store_, clock_};
};

TEST_F(ReferenceValues, are_registered_queried_listed_and_erased) {
  const auto names = values_.register_message(json::serialize(json::Value{valid_message()}));
  ASSERT_TRUE(names) << to_string(names.error());
  EXPECT_THAT(*names, ElementsAre("svn", "major_version"));
  EXPECT_EQ(values_.query("svn")->value(), (json::Value{json::Array{"1"}}));
  EXPECT_EQ(values_.query("major_version")->value(), json::Value{1});
  EXPECT_EQ(values_.list()->size(), 2U);
  EXPECT_TRUE(*values_.erase("svn"));
  EXPECT_FALSE(*values_.erase("svn"));
  EXPECT_FALSE(values_.query("svn")->has_value());
}

TEST_F(ReferenceValues, are_stored_in_upstreams_shape_and_expire_after_twelve_months) {
  ASSERT_TRUE(values_.set("svn", json::Array{"1"}));
  const auto stored = store_->get("reference_value", "svn");
  ASSERT_TRUE(stored && *stored);
  EXPECT_EQ(as_text(**stored), R"({"version":"0.1.0","name":"svn","expiration":"2025-02-28T12:34:56Z","value":["1"]})");
}

TEST_F(ReferenceValues, are_set_only_where_they_are_what_was_expected) {
  const auto set = [&](std::string_view payload, std::string_view expected) {
    auto message = with_payload(payload);
    message.set("expected", json::parse(expected).value());
    return values_.register_message(json::serialize(json::Value{message}));
  };
  EXPECT_TRUE(set(R"({"svn":["1"]})", R"({"svn":null})"));
  EXPECT_TRUE(set(R"({"svn":["1","2"],"new":1})", R"({"svn":["1"],"new":null})"));
  for (const auto* expected : {R"({"svn":null})", R"({"svn":["1"]})", R"({"svn":["2","1"]})"}) {
    const auto refused = set(R"({"new":7,"svn":["3"]})", expected);
    ASSERT_FALSE(refused) << expected;
    EXPECT_EQ(refused.error().code, ErrorCode{AppraisalError::reference_conflict});
    EXPECT_THAT(refused.error().message, HasSubstr("svn"));
  }
  EXPECT_EQ(json::serialize(*values_.query("svn").value()), R"(["1","2"])");
  EXPECT_EQ(*values_.query("new").value(), json::Value{1});  // checked before anything is written
  EXPECT_FALSE(set(R"({"svn":["3"]})", "[]"));
}

// A store in which somebody else writes between the look and the write.
class RacedStore final : public storage::KeyValueStore {
 public:
  explicit RacedStore(std::shared_ptr<storage::KeyValueStore> store) : store_(std::move(store)) {}
  Result<std::optional<Bytes>> get(std::string_view space, std::string_view key) override {
    return store_->get(space, key);
  }
  Result<> put(std::string_view space, std::string_view key, ByteView value) override {
    return store_->put(space, key, value);
  }
  Result<> put_if(std::string_view space, std::string_view key, std::optional<ByteView> expected,
                  ByteView value) override {
    TRY(store_->put(space, key, as_bytes("another's")));
    return store_->put_if(space, key, expected, value);
  }
  Result<bool> erase(std::string_view space, std::string_view key) override { return store_->erase(space, key); }
  Result<std::vector<std::string>> list(std::string_view space, std::string_view prefix, std::string_view after,
                                        std::size_t limit) override {
    return store_->list(space, prefix, after, limit);
  }

 private:
  std::shared_ptr<storage::KeyValueStore> store_;
};

TEST_F(ReferenceValues, that_another_sets_at_the_same_moment_are_not_overwritten) {
  ReferenceValueStore raced{std::make_shared<RacedStore>(store_), clock_};
  auto message = valid_message();
  message.set("expected", json::Object{{"svn", nullptr}});
  const auto refused = raced.register_message(json::serialize(json::Value{message}));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode{AppraisalError::reference_conflict});
  EXPECT_EQ(as_text(**store_->get("reference_value", "svn")), "another's");
}

TEST_F(ReferenceValues, the_version_may_be_left_out_of_a_message) {
  auto message = valid_message();
  message.erase("version");
  EXPECT_TRUE(values_.register_message(json::serialize(json::Value{message})));
}

TEST_F(ReferenceValues, what_the_owners_tool_sends_is_registered) {
  ASSERT_TRUE(values_.register_message(sample_reference_message("debug", false)));
  EXPECT_EQ(values_.query("debug")->value(), json::Value{false});
}

TEST_F(ReferenceValues, an_expired_value_still_counts_is_marked_and_warned_of) {
  ASSERT_TRUE(values_.set("svn", json::Array{"1"}));
  EXPECT_FALSE(values_.find("svn")->value().expired);
  clock_.advance(std::chrono::days{366});
  EXPECT_TRUE(values_.find("svn")->value().expired);
  log::set_filter("appraisal=warn");
  ::testing::internal::CaptureStderr();
  const auto value = values_.query("svn");
  const auto written = ::testing::internal::GetCapturedStderr();
  log::init("test", log::Level::off);
  EXPECT_TRUE(value && *value);
  EXPECT_THAT(written, HasSubstr("appraisal.reference_value_expired"));
}

TEST_F(ReferenceValues, other_types_of_message_are_unsupported_by_name) {
  for (const auto type : {"swid", "corim", "whatever"}) {
    auto message = valid_message();
    message.set("type", type);
    const auto error = refusal(message);
    EXPECT_EQ(error.code, AppraisalError::unsupported_reference);
    EXPECT_THAT(error.message, HasSubstr(type));
  }
}

TEST_F(ReferenceValues, malformed_messages_are_refused) {
  EXPECT_EQ(refusal("{").code, AppraisalError::bad_reference_message);
  EXPECT_EQ(refusal("[]").code, AppraisalError::bad_reference_message);
  for (const auto name : {"type", "payload"}) {
    auto message = valid_message();
    message.erase(name);
    EXPECT_EQ(refusal(message).code, AppraisalError::bad_reference_message) << name;
  }
  auto message = valid_message();
  message.set("version", "9.9.9");
  EXPECT_EQ(refusal(message).code, AppraisalError::bad_reference_message);
  message = valid_message();
  message.set("payload", "***");
  EXPECT_EQ(refusal(message).code, AppraisalError::bad_reference_message);
  EXPECT_EQ(refusal(with_payload("{")).code, AppraisalError::bad_reference_message);
  EXPECT_EQ(refusal(with_payload("[1]")).code, AppraisalError::bad_reference_message);
}

TEST_F(ReferenceValues, one_bad_name_registers_nothing) {
  const auto error = refusal(with_payload(R"({"good":1,"rvps:///a:b":2})"));
  EXPECT_EQ(error.code, AppraisalError::bad_reference_name);
  EXPECT_THAT(error.message, HasSubstr("rvps:///a:b"));
  EXPECT_TRUE(values_.list()->empty());
}

TEST_F(ReferenceValues, a_stored_value_that_is_none_is_corrupt) {
  for (const auto text :
       {"", "{}", R"({"value":1})", R"({"value":1,"expiration":"soon"})", R"({"expiration":"2025-02-28T12:34:56Z"})"}) {
    ASSERT_TRUE(store_->put("reference_value", "svn", as_bytes(text)));
    const auto value = values_.query("svn");
    ASSERT_FALSE(value) << text;
    EXPECT_EQ(value.error().code, storage::StorageError::corrupt);
  }
}

TEST_F(ReferenceValues, lists_are_complete_beyond_one_page) {
  for (int i = 0; i < 1500; ++i) ASSERT_TRUE(values_.set("v" + std::to_string(i), i));
  EXPECT_EQ(values_.list()->size(), 1500U);
}

}  // namespace
}  // namespace coffer::appraisal
