#include "fleet/proxy/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fleet/error.h"
#include "testing/temporary_directory.h"

namespace coffer::fleet::proxy {
namespace {

using ::testing::HasSubstr;
using Values = std::map<std::string, std::string>;

Values valid() {
  return {{"PROXY_TENANT_ID", "t"},
          {"PROXY_CHANNEL_ID", "c"},
          {"PROXY_ENTITY_ID", "e\"1"},
          {"PROXY_API_KEY", "k"},
          {"PROXY_REGISTRY_URL", "registry.example:5000"}};
}

Result<Config> read(const Values& values, Values flags = {}) {
  return read_config(Variables{"PROXY_",
                               [values](const std::string& name) {
                                 const auto found = values.find(name);
                                 return found == values.end() ? std::nullopt : std::optional{found->second};
                               },
                               std::move(flags)});
}

void expect_refused(const std::string& name, const std::string& value, ErrorCode code) {
  auto values = valid();
  values["PROXY_" + name] = value;
  const auto config = read(values);
  ASSERT_FALSE(config) << name;
  EXPECT_EQ(config.error().code, code) << config.error().message;
  EXPECT_THAT(config.error().message, HasSubstr(name)) << name;
}

TEST(ProxyConfig, has_upstreams_defaults) {
  const auto config = read(valid());
  ASSERT_TRUE(config) << to_string(config.error());
  EXPECT_EQ(config->topics.base(), "m/t/c/c");
  EXPECT_EQ(config->mqtt.address, "tcp://localhost:1883");
  EXPECT_EQ(config->mqtt.client_id, "e\"1");
  EXPECT_EQ(config->mqtt.username, "e\"1");
  EXPECT_EQ(as_text(config->mqtt.password.expose()), "k");
  EXPECT_EQ(config->fetch.qos, 2);
  EXPECT_EQ(config->fetch.chunk_size, 512'000U);
  EXPECT_EQ(config->max_queue, 100U);
  EXPECT_EQ(config->http_address, "127.0.0.1:9191");
  EXPECT_EQ(config->fetch.registry_host, "registry.example:5000");
  EXPECT_FALSE(config->fetch.registry_plain_http);
}

TEST(ProxyConfig, leaves_the_last_will_of_upstreams_go_programs) {
  const auto config = read(valid());
  ASSERT_TRUE(config->mqtt.last_will);
  EXPECT_EQ(config->mqtt.last_will->topic, "m/t/c/c/control/proplet/alive");
  EXPECT_EQ(as_text(config->mqtt.last_will->payload), R"({"status":"offline","proplet_id":"e\"1"})");
  EXPECT_EQ(config->mqtt.last_will->qos, 0);
  EXPECT_FALSE(config->mqtt.last_will->retain);
  auto without = valid();
  without["PROXY_LAST_WILL"] = "false";
  EXPECT_FALSE(read(without)->mqtt.last_will);
}

TEST(ProxyConfig, reads_the_older_generation_and_lets_flags_win) {
  Values old{{"PROXY_DOMAIN_ID", "t"},
             {"PROXY_CHANNEL_ID", "c"},
             {"PROXY_CLIENT_ID", "e"},
             {"PROXY_CLIENT_KEY", "k"},
             {"PROXY_REGISTRY_URL", "http://localhost:5000"},
             {"PROXY_MQTT_ADDRESS", "tcp://a:1"}};
  const auto config = read(old, {{"MQTT_ADDRESS", "tcp://b:2"}});
  ASSERT_TRUE(config) << to_string(config.error());
  EXPECT_EQ(config->mqtt.address, "tcp://b:2");
  EXPECT_TRUE(config->fetch.registry_plain_http);
  EXPECT_EQ(config->fetch.registry_host, "localhost:5000");
}

TEST(ProxyConfig, reads_the_shared_file) {
  const TemporaryDirectory files;
  files.write("config.toml",
              "[manager]\ntenant_id='x'\n[proxy]\ndomain_id='t'\nclient_id='e'\nclient_key='k'\nchannel_id='c'\n");
  const auto config = read({{"PROXY_CONFIG_FILE", files.path() / "config.toml"}, {"PROXY_REGISTRY_URL", "r"}});
  ASSERT_TRUE(config) << to_string(config.error());
  EXPECT_EQ(config->identity.entity, "e");
}

TEST(ProxyConfig, shows_credentials_only_when_told_to_authenticate) {
  auto values = valid();
  values["PROXY_REGISTRY_USERNAME"] = "u";
  values["PROXY_REGISTRY_PASSWORD"] = "p";
  const auto reference = image::ImageReference::parse("registry.example:5000/a:1").value();
  EXPECT_FALSE(read(values)->fetch.auth.find(reference));
  values["PROXY_AUTHENTICATE"] = "true";
  EXPECT_EQ(read(values)->fetch.auth.find(reference)->username, "u");
}

TEST(ProxyConfig, refuses_what_does_not_mean_anything) {
  expect_refused("REGISTRY_URL", "", ConfigError::missing);
  expect_refused("REGISTRY_URL", "ftp://x", ConfigError::bad_value);
  expect_refused("AUTHENTICATE", "true", ConfigError::missing);
  expect_refused("AUTHENTICATE", "maybe", ConfigError::bad_value);
  expect_refused("CHUNK_SIZE", "0", ConfigError::bad_value);
  expect_refused("CHUNK_SIZE", "1000000", ConfigError::bad_value);
  expect_refused("MAX_MESSAGE_SIZE", "100", ConfigError::bad_value);
  expect_refused("MAX_LAYER_SIZE", "0", ConfigError::bad_value);
  expect_refused("REGISTRY_CA_CERT", "/nonexistent", ConfigError::bad_value);
  expect_refused("HTTP_PORT", "70000", ConfigError::bad_value);
  expect_refused("MAX_QUEUE", "0", ConfigError::bad_value);
  expect_refused("CONCURRENT_FETCHES", "0", ConfigError::bad_value);
  expect_refused("MQTT_TIMEOUT", "soon", ConfigError::bad_value);
  auto values = valid();
  values["PROXY_TENANT_ID"] = "a/b";
  EXPECT_EQ(read(values).error().code, FleetError::bad_identifier);
}

TEST(ProxyConfig, takes_larger_chunks_where_the_broker_does) {
  auto values = valid();
  values["PROXY_CHUNK_SIZE"] = "1000000";
  values["PROXY_MAX_MESSAGE_SIZE"] = "2000000";
  EXPECT_TRUE(read(values));
}

TEST(ProxyConfig, says_what_has_no_effect_and_explains_each_variable) {
  auto values = valid();
  values["PROXY_OTEL_URL"] = "http://x";
  EXPECT_EQ(read(values)->notices.size(), 1U);  // upstream's default ratio sends nothing
  values["PROXY_TRACE_RATIO"] = "0.25";
  EXPECT_EQ(read(values)->notices.size(), 0U);
  EXPECT_EQ(read(values)->tracing.ratio, 0.25);
  for (const auto& [name, help, secret] : variable_help()) EXPECT_FALSE(help.empty()) << name;
}

}  // namespace
}  // namespace coffer::fleet::proxy
