#include "fleet/config/variables.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace coffer::fleet {
namespace {

using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class VariablesTest : public ::testing::Test {
 protected:
  Variables variables() const {
    return {"PROPLET_",
            [this](const std::string& name) -> std::optional<std::string> {
              const auto found = environment_.find(name);
              if (found == environment_.end()) return std::nullopt;
              return found->second;
            },
            flags_};
  }
  void set(const std::string& name, const std::string& value) { environment_["PROPLET_" + name] = value; }
  std::map<std::string, std::string> environment_, flags_;
};

template <class T>
void expect_refused(const Result<T>& value, std::string_view name) {
  ASSERT_FALSE(value);
  EXPECT_EQ(value.error().code, ConfigError::bad_value);
  EXPECT_THAT(value.error().message, HasSubstr(std::string{name}));
}

TEST_F(VariablesTest, an_empty_value_counts_as_not_set) {
  set("KBS_URI", "");
  EXPECT_EQ(variables().text("KBS_URI", "otherwise"), "otherwise");
  EXPECT_FALSE(variables().find("KBS_URI"));
}

TEST_F(VariablesTest, a_flag_wins_over_the_environment_and_is_named_in_errors) {
  set("MQTT_QOS", "1");
  flags_["MQTT_QOS"] = "x";
  expect_refused(variables().number("MQTT_QOS", 2), "--mqtt-qos");
  flags_["MQTT_QOS"] = "0";
  EXPECT_EQ(*variables().number("MQTT_QOS", 2), 0U);
}

TEST_F(VariablesTest, upstreams_words_for_yes_and_no_are_read_in_any_case) {
  for (const auto* yes : {"1", "true", "YES", "On"}) {
    set("HAL_ENABLED", yes);
    EXPECT_TRUE(*variables().flag("HAL_ENABLED", false)) << yes;
  }
  for (const auto* no : {"0", "False", "no", "OFF"}) {
    set("HAL_ENABLED", no);
    EXPECT_FALSE(*variables().flag("HAL_ENABLED", true)) << no;
  }
  set("HAL_ENABLED", "maybe");
  expect_refused(variables().flag("HAL_ENABLED", true), "PROPLET_HAL_ENABLED");
  EXPECT_FALSE(*variables().optional_flag("TEE_ENABLED"));
}

TEST_F(VariablesTest, numbers_are_whole_and_within_their_bounds) {
  set("METRICS_PORT", "9092");
  EXPECT_EQ(*variables().number("METRICS_PORT", 1, 0, 65535), 9092U);
  for (const auto* wrong : {"65536", "-1", "1.5", "9092x", " 1"}) {
    set("METRICS_PORT", wrong);
    expect_refused(variables().number("METRICS_PORT", 1, 0, 65535), "65535");
  }
}

TEST_F(VariablesTest, durations_are_seconds_or_as_upstreams_compose_file_writes_them) {
  const std::map<std::string, Duration> readable{{"10", seconds{10}},     {"10s", seconds{10}},
                                                 {"1m30s", seconds{90}},  {"500ms", Duration{500}},
                                                 {"1.5h", seconds{5400}}, {"0", Duration{0}}};
  for (const auto& [text, expected] : readable) {
    set("LIVELINESS_INTERVAL", text);
    EXPECT_EQ(*variables().duration("LIVELINESS_INTERVAL", Duration{1}), expected) << text;
  }
  for (const auto* wrong : {"10x", "s", "1m30", "-5s", "1e9h", "10 s", "99999999999999999999"}) {
    set("LIVELINESS_INTERVAL", wrong);
    expect_refused(variables().duration("LIVELINESS_INTERVAL", Duration{1}), "PROPLET_LIVELINESS_INTERVAL");
  }
}

TEST_F(VariablesTest, a_fraction_is_clamped_and_must_be_a_number) {
  set("TRACE_RATIO", "3");
  EXPECT_EQ(*variables().fraction("TRACE_RATIO", 0), 1.0);
  set("TRACE_RATIO", "all");
  expect_refused(variables().fraction("TRACE_RATIO", 0), "PROPLET_TRACE_RATIO");
}

TEST_F(VariablesTest, lists_are_trimmed_and_have_no_empty_entries) {
  set("TAGS", " gpu, eu ,,");
  EXPECT_THAT(variables().list("TAGS", ','), ElementsAre("gpu", "eu"));
  EXPECT_TRUE(variables().list("DIRS", ':').empty());
}

}  // namespace
}  // namespace coffer::fleet
