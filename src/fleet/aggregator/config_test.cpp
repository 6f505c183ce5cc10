#include "fleet/aggregator/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fleet/aggregator/serve.h"
#include "testing/temporary_directory.h"

namespace coffer::fleet::aggregator {
namespace {

using ::testing::HasSubstr;

using Values = std::map<std::string, std::string>;

Result<Config> read(const Values& values) {
  return read_config(Variables{"AGGREGATOR_", [&](const std::string& name) -> std::optional<std::string> {
                                 const auto found = values.find(name.substr(std::string_view{"AGGREGATOR_"}.size()));
                                 if (found == values.end()) return std::nullopt;
                                 return found->second;
                               }});
}

Values least() {
  return {{"KBS_URI", "http://kbs:8080"}, {"ATTESTATION_CERTS", "broker.pem"}, {"TOKEN_FILE", "operator.token"}};
}

Values with(Values values, const std::string& name, const std::string& value) {
  values[name] = value;
  return values;
}

void expect_refused(const Values& values, ConfigError code, std::string_view says) {
  const auto config = read(values);
  ASSERT_FALSE(config);
  EXPECT_EQ(config.error().code, ErrorCode{code}) << to_string(config.error());
  EXPECT_THAT(config.error().message, HasSubstr(std::string{says}));
}

TEST(AggregatorConfig, has_defaults_for_all_but_trust) {
  const auto config = read(least());
  ASSERT_TRUE(config) << to_string(config.error());
  EXPECT_EQ(config->http_port, 8086);
  EXPECT_EQ(config->aggregator.rounds.min_participants, 2U);
  EXPECT_FALSE(config->accept_plain);
  EXPECT_TRUE(config->workers);
  EXPECT_TRUE(config->notices.empty());
}

TEST(AggregatorConfig, takes_what_it_is_told) {
  auto values = least();
  for (const auto& [name, value] : Values{{"TEE", "simulated:snp"},
                                          {"ALLOW_TEES", "sample, simulated:snp"},
                                          {"CLIP_NORM", "2.5"},
                                          {"MIN_PARTICIPANTS", "1"},
                                          {"ROUND_TIMEOUT", "5m"},
                                          {"ACCEPT_PLAIN_UPDATES", "yes"},
                                          {"MAX_SAMPLES", "10"}}) {
    values[name] = value;
  }
  const auto config = read(values);
  ASSERT_TRUE(config) << to_string(config.error());
  EXPECT_EQ(config->workers->allow_tees.size(), 2U);
  EXPECT_EQ(config->aggregator.updates.clip_norm, 2.5);
  EXPECT_EQ(config->aggregator.updates.max_samples, 10U);
  EXPECT_EQ(config->aggregator.rounds.timeout, std::chrono::minutes{5});
  EXPECT_EQ(config->notices.size(), 2U);
}

TEST(AggregatorConfig, is_open_by_name_alone) {
  auto values = least();
  values.erase("KBS_URI");
  expect_refused(values, ConfigError::missing, "AGGREGATOR_KBS_URI");
  values["OPEN"] = "true";
  expect_refused(values, ConfigError::missing, "--accept-plain-updates");
  values["ACCEPT_PLAIN_UPDATES"] = "true";
  EXPECT_TRUE(read(values));
  expect_refused(with(values, "TEE", "sample"), ConfigError::bad_value, "found both");
  expect_refused(with(least(), "INSECURE_OPEN", "true"), ConfigError::bad_value, "TOKEN_FILE");
  values = least();
  values.erase("TOKEN_FILE");
  expect_refused(values, ConfigError::missing, "--insecure-open");
  EXPECT_EQ(read(with(values, "INSECURE_OPEN", "true"))->notices.size(), 1U);
  values = least();
  values.erase("ATTESTATION_CERTS");
  expect_refused(values, ConfigError::missing, "--unattested-workers");
  EXPECT_EQ(read(with(values, "UNATTESTED_WORKERS", "true"))->notices.size(), 1U);
  expect_refused(with(least(), "UNATTESTED_WORKERS", "true"), ConfigError::bad_value, "--unattested-workers");
}

TEST(AggregatorConfig, names_what_does_not_parse) {
  expect_refused(with(least(), "TEE", "snp"), ConfigError::bad_value, "detected, not named");
  expect_refused(with(least(), "CLIP_NORM", "-1"), ConfigError::bad_value, "AGGREGATOR_CLIP_NORM");
  expect_refused(with(least(), "CLIP_NORM", "long"), ConfigError::bad_value, "AGGREGATOR_CLIP_NORM");
  expect_refused(with(least(), "HTTP_PORT", "many"), ConfigError::bad_value, "AGGREGATOR_HTTP_PORT");
  expect_refused(with(least(), "HTTP_SERVER_CERT", "c.pem"), ConfigError::missing, "HTTP_SERVER_KEY");
  expect_refused(with(least(), "HTTP_TLS_CA_CERT", "/nowhere"), ConfigError::bad_value, "HTTP_TLS_CA_CERT");
  expect_refused(with(with(least(), "MIN_PARTICIPANTS", "5"), "MAX_PARTICIPANTS", "4"), ConfigError::bad_value,
                 "MIN_PARTICIPANTS");
}

TEST(AggregatorConfig, does_not_start_without_what_it_names) {
  TemporaryDirectory directory;
  const auto started = [&](const std::function<void(Config&)>& change) {
    Config config;
    config.tee.outside = config.accept_plain = config.insecure_open = true;
    config.http_port = 0;
    change(config);
    return serve(std::move(config));
  };
  const auto unreadable = ErrorCode{ConfigError::unreadable};
  EXPECT_EQ(started([&](Config& c) { c.model_file = (directory.path() / "none").string(); }).error().code, unreadable);
  EXPECT_EQ(started([](Config& c) { c.token_file = "/dev/null"; }).error().code, unreadable);
  EXPECT_EQ(started([](Config& c) { c.url_file = "/dev/null/url"; }).error().code, unreadable);
  const auto running = started([](Config&) {});
  ASSERT_TRUE(running) << to_string(running.error());
  EXPECT_THAT((*running)->url(), HasSubstr("http://127.0.0.1:"));
}

}  // namespace
}  // namespace coffer::fleet::aggregator
