#include "fleet/manager/config.h"

#include <gtest/gtest.h>

namespace coffer::fleet::manager {
namespace {

using Settings = std::map<std::string, std::string>;
using namespace std::chrono_literals;

const Settings least{{"MANAGER_TENANT_ID", "t"},
                     {"MANAGER_CHANNEL_ID", "c"},
                     {"MANAGER_ENTITY_ID", "m"},
                     {"MANAGER_API_KEY", "k"},
                     {"MANAGER_INSECURE_OPEN", "true"}};

Result<Config> read(Settings more = {}, const Settings& flags = {}) {
  for (const auto& [name, value] : least) more.emplace(name, value);
  return read_config(
      [settings = std::move(more)](const std::string& name) -> std::optional<std::string> {
        const auto found = settings.find(name);
        return found == settings.end() ? std::nullopt : std::optional{found->second};
      },
      flags);
}

void expect_fails(const Settings& settings, std::string_view names) {
  const auto config = read(settings);
  ASSERT_FALSE(config) << names;
  EXPECT_NE(config.error().message.find(names), std::string::npos) << config.error().message;
}

TEST(ManagerConfig, defaults_are_upstreams_but_for_the_store) {
  const auto config = read();
  ASSERT_TRUE(config) << to_string(config.error());
  EXPECT_EQ(config->mqtt.address, "tcp://localhost:1883");
  EXPECT_EQ(config->mqtt.client_id, "m");
  EXPECT_EQ(config->mqtt.username, "m");
  EXPECT_EQ(as_text(config->mqtt.password.expose()), "k");
  EXPECT_EQ(config->qos, 2);
  EXPECT_TRUE(config->mqtt.durable_session);
  EXPECT_EQ(config->http_host, "localhost");
  EXPECT_EQ(config->http_port, 7070);
  EXPECT_EQ(config->storage, StorageKind::sqlite);
  EXPECT_EQ(config->sqlite_path, "./propeller.db");
  EXPECT_FALSE(config->manager.job_mode);
  EXPECT_FALSE(config->trust);
  EXPECT_FALSE(config->manager.scheduler.unverified_encrypted);
}

TEST(ManagerConfig, the_composition_of_upstream_is_taken) {
  const auto config = read({{"JOB_EXECUTION_MODE", "configurable"},
                            {"MANAGER_MQTT_TIMEOUT", "30s"},
                            {"MANAGER_STORAGE_TYPE", "badger"},
                            {"MANAGER_BADGER_PATH", "/data/b"},
                            {"MANAGER_COORDINATOR_URL", "http://coordinator:8080/"},
                            {"MANAGER_COORDINATOR_TOKEN_FILE", "/run/token"},
                            {"MANAGER_OTEL_URL", "http://jaeger:4318/v1/traces"},
                            {"MANAGER_TRACE_RATIO", "1.0"}});
  ASSERT_TRUE(config) << to_string(config.error());
  EXPECT_EQ(config->manager.job_mode, JobMode::configurable);
  EXPECT_EQ(config->sqlite_path, "/data/b/manager.db");
  EXPECT_EQ(config->coordinator_url, "http://coordinator:8080");
  EXPECT_EQ(config->coordinator_token_file, "/run/token");
  EXPECT_EQ(config->tracing.url, "http://jaeger:4318/v1/traces");
  EXPECT_EQ(config->tracing.ratio, 1);
  EXPECT_GE(config->notices.size(), 2U);
}

TEST(ManagerConfig, client_certificates_need_tls_and_a_known_mode) {
  const std::map<std::string, std::string> tls{{"MANAGER_HTTP_SERVER_CERT", "c.pem"},
                                               {"MANAGER_HTTP_SERVER_KEY", "k.pem"},
                                               {"MANAGER_HTTP_CLIENT_CA_CERTS", "ca.pem"}};
  EXPECT_TRUE(read(tls)->client_certificate_required);
  auto optional = tls;
  optional["MANAGER_HTTP_CLIENT_AUTH"] = "optional";
  EXPECT_FALSE(read(optional)->client_certificate_required);
  optional["MANAGER_HTTP_CLIENT_AUTH"] = "perhaps";
  EXPECT_EQ(read(optional).error().code, ErrorCode{ConfigError::bad_value});
  EXPECT_EQ(read({{"MANAGER_HTTP_CLIENT_CA_CERTS", "ca.pem"}}).error().code, ErrorCode{ConfigError::missing});
}

TEST(ManagerConfig, postgres_is_reached_as_upstream_says) {
  const auto config = read({{"MANAGER_STORAGE_TYPE", "postgres"},
                            {"MANAGER_POSTGRES_HOST", "db"},
                            {"MANAGER_POSTGRES_PORT", "5433"},
                            {"MANAGER_POSTGRES_PASS", "secret"}});
  ASSERT_TRUE(config);
  EXPECT_EQ(config->postgres.host, "db");
  EXPECT_EQ(config->postgres.port, 5433);
  EXPECT_EQ(config->postgres.user, "propeller");
  EXPECT_EQ(config->postgres.password, "secret");
}

TEST(ManagerConfig, plugins_have_a_directory_and_a_time) {
  const auto config = read({{"MANAGER_PLUGIN_DIR", "/plugins"}, {"MANAGER_PLUGIN_TIMEOUT", "250ms"}});
  ASSERT_TRUE(config) << to_string(config.error());
  EXPECT_EQ(config->plugins.directory, "/plugins");
  EXPECT_EQ(config->plugins.budget, std::chrono::milliseconds{250});
  EXPECT_TRUE(read({})->plugins.directory.empty());
}

TEST(ManagerConfig, flags_win_over_variables) {
  const auto config = read({{"MANAGER_HTTP_PORT", "1"}}, {{"HTTP_PORT", "2"}, {"ALLOW_TEES", "sample, simulated:snp"}});
  ASSERT_TRUE(config);
  EXPECT_EQ(config->http_port, 2);
}

TEST(ManagerConfig, brokers_that_are_trusted_are_named) {
  const auto config = read({{"MANAGER_ATTESTATION_CERTS", "/a.pem,/b.pem"}, {"MANAGER_ALLOW_TEES", "sample"}});
  ASSERT_TRUE(config);
  EXPECT_EQ(config->trust->tokens.trusted_certs_paths.size(), 2U);
  EXPECT_EQ(config->trust->allow_tees, std::vector<std::string>{"sample"});
}

TEST(ManagerConfig, payloads_are_sealed_by_the_keys_of_a_file) {
  EXPECT_TRUE(read()->group_key.file.empty());
  const auto config = read({{"MANAGER_GROUP_KEY_FILE", "/keys.json"}, {"MANAGER_GROUP_KEY_MAX_AGE", "2m"}});
  ASSERT_TRUE(config);
  EXPECT_EQ(config->group_key.file, "/keys.json");
  EXPECT_FALSE(config->group_key.accept_plain);
  EXPECT_EQ(config->group_key.max_age, std::chrono::minutes{2});
  EXPECT_EQ(config->manager.clock_tolerance, std::chrono::minutes{2});
  EXPECT_TRUE(read({{"MANAGER_GROUP_KEY_FILE", "/keys.json"}, {"MANAGER_GROUP_KEY_MODE", "accept-plain"}})
                  ->group_key.accept_plain);
  expect_fails({{"MANAGER_GROUP_KEY_FILE", "/keys.json"}, {"MANAGER_GROUP_KEY_MODE", "open"}}, "GROUP_KEY_MODE");
  expect_fails({{"MANAGER_GROUP_KEY_MODE", "required"}}, "MANAGER_GROUP_KEY_FILE");
  expect_fails({{"MANAGER_GROUP_KEY_MAX_AGE", "0"}}, "MANAGER_GROUP_KEY_MAX_AGE");
}

TEST(ManagerConfig, what_does_not_parse_is_named) {
  expect_fails({{"MANAGER_HTTP_PORT", "many"}}, "MANAGER_HTTP_PORT");
  expect_fails({{"MANAGER_MQTT_TIMEOUT", "soon"}}, "MANAGER_MQTT_TIMEOUT");
  expect_fails({{"MANAGER_STORAGE_TYPE", "floppy"}}, "MANAGER_STORAGE_TYPE");
  expect_fails({{"MANAGER_ON_UNAVAILABLE", "cry"}}, "MANAGER_ON_UNAVAILABLE");
  expect_fails({{"JOB_EXECUTION_MODE", "odd"}}, "JOB_EXECUTION_MODE");
  expect_fails({{"MANAGER_HTTP_SERVER_CERT", "/c.pem"}}, "MANAGER_HTTP_SERVER_KEY");
  expect_fails({{"MANAGER_PLUGIN_TIMEOUT", "0s"}}, "MANAGER_PLUGIN_TIMEOUT");
  expect_fails({{"MANAGER_TENANT_ID", ""}}, "TENANT_ID");
}

TEST(ManagerConfig, nobody_is_served_unless_it_was_said_who) {
  expect_fails({{"MANAGER_INSECURE_OPEN", "false"}}, "MANAGER_AUTH_FILE");
  expect_fails({{"MANAGER_AUTH_FILE", "/users.toml"}}, "found both");
  EXPECT_TRUE(read({{"MANAGER_INSECURE_OPEN", "false"}, {"MANAGER_AUTH_FILE", "/users.toml"}}));
}

}  // namespace
}  // namespace coffer::fleet::manager
