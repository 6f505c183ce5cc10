#include "fleet/worker/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "testing/temporary_directory.h"

namespace coffer::fleet::worker {
namespace {

using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class WorkerConfigTest : public ::testing::Test {
 protected:
  WorkerConfigTest() {
    for (const auto* name : {"TENANT_ID", "CHANNEL_ID", "ENTITY_ID", "API_KEY"}) set(name, "x");
  }
  void set(const std::string& name, const std::string& value) { values_["PROPLET_" + name] = value; }
  Result<Config> read() const {
    return read_config({"PROPLET_", [this](const std::string& name) -> std::optional<std::string> {
                          const auto found = values_.find(name);
                          if (found == values_.end()) return std::nullopt;
                          return found->second;
                        }});
  }
  Config config() const {
    auto config = read();
    EXPECT_TRUE(config) << to_string(config.error());
    return config ? std::move(*config) : Config{};
  }
  std::map<std::string, std::string> values_;
};

TEST_F(WorkerConfigTest, has_upstreams_defaults_but_a_heartbeat_that_its_manager_does_not_miss) {
  const auto defaults = config();
  EXPECT_EQ(defaults.mqtt.address, "tcp://localhost:1883");
  EXPECT_EQ(defaults.mqtt.keep_alive, seconds{30});
  EXPECT_EQ(defaults.mqtt.inflight, 10U);
  EXPECT_EQ(defaults.mqtt.max_packet_size, 10485760U);
  EXPECT_EQ(defaults.qos, 2);
  EXPECT_EQ(defaults.metrics_address, "127.0.0.1:9092");
  EXPECT_EQ(defaults.metrics_interval, seconds{10});
  EXPECT_LT(defaults.liveliness_interval, seconds{5});
  EXPECT_EQ(defaults.name_space, "default");
  EXPECT_FALSE(defaults.last_will);
  EXPECT_FALSE(defaults.tee.enabled);
  EXPECT_EQ(defaults.tasks.layer_store, "/tmp/proplet/layers");
  EXPECT_EQ(defaults.tasks.concurrent_pulls, 4U);
  EXPECT_THAT(defaults.notices, IsEmpty());
}

TEST_F(WorkerConfigTest, reads_what_upstreams_compose_file_says) {
  set("LIVELINESS_INTERVAL", "10s");
  set("MQTT_TIMEOUT", "30s");
  set("EXTERNAL_WASM_RUNTIME", "wasmtime");
  set("HAL_ENABLED", "false");
  set("MQTT_QOS", "7");  // anything but 0 and 1 means 2
  set("TAGS", "gpu,eu");
  set("DIRS", "/data:/models");
  set("PLAIN_HTTP_REGISTRIES", "10.0.2.2:5000, registry.lan");
  const auto read = config();
  EXPECT_EQ(read.liveliness_interval, seconds{10});
  EXPECT_EQ(read.qos, 2);
  EXPECT_THAT(read.tags, ElementsAre("gpu", "eu"));
  EXPECT_THAT(read.tasks.directories, ElementsAre("/data", "/models"));
  EXPECT_THAT(read.tasks.plain_http_registries, ElementsAre("10.0.2.2:5000", "registry.lan"));
}

TEST_F(WorkerConfigTest, the_tee_may_be_switched_off_or_demanded_and_only_a_test_one_named) {
  set("TEE_ENABLED", "false");
  EXPECT_EQ(config().tee.enabled, false);
  set("TEE_ENABLED", "on");
  set("TEE", "simulated:snp");
  set("KBS_URI", "http://kbs");
  set("KBS_ALLOWED_URIS", "http://a, http://b");
  set("KBS_RESOURCE_PATH", "default/key/k1");
  EXPECT_EQ(config().tee.enabled, true);
  EXPECT_EQ(config().tee.test_tee, "simulated:snp");
  EXPECT_THAT(config().tee.allowed_kbs_uris, ElementsAre("http://a", "http://b"));
  EXPECT_EQ(config().tee.default_key->path(), "default/key/k1");
}

TEST_F(WorkerConfigTest, what_upstream_reads_and_this_worker_does_without_is_named) {
  const std::vector<std::string> names{"USB_ENABLED", "HTTP_TLS_INSECURE_SKIP_VERIFY"};
  for (const auto& name : names) set(name, "1");
  values_["OCICRYPT_KEYPROVIDER_CONFIG"] = "/etc/ocicrypt.conf";
  const auto notices = config().notices;
  ASSERT_EQ(notices.size(), names.size() + 1);
  for (const auto& name : names) {
    EXPECT_THAT(notices, ::testing::Contains(HasSubstr("PROPLET_" + name + " has no effect")));
  }
  EXPECT_THAT(notices, ::testing::Contains(HasSubstr("OCICRYPT_KEYPROVIDER_CONFIG has no effect")));
}

TEST_F(WorkerConfigTest, guests_have_the_hal_closed_to_the_outside_until_it_is_opened) {
  const auto closed = config().hal;
  EXPECT_TRUE(closed.enabled);
  EXPECT_TRUE(closed.connect.empty() && closed.listen.empty() && closed.storage_roots.empty());
  EXPECT_FALSE(closed.communication);
  EXPECT_EQ(closed.storage_limit, 256U << 20);
  EXPECT_TRUE(config().plugins.directory.empty());
  set("HAL_ENABLED", "false");
  set("HAL_SOCKETS_CONNECT", "127.0.0.1:80, 10.0.0.0/8:*");
  set("HAL_SOCKETS_LISTEN", "127.0.0.1:8080");
  set("HAL_STORAGE_DIR", "/var/lib/coffer/hal");
  set("HAL_STORAGE_ROOTS", "/srv/a:/srv/b");
  set("HAL_STORAGE_LIMIT", "1024");
  set("HAL_COMMUNICATION", "true");
  set("PLUGIN_DIR", "/etc/coffer/plugins");
  set("PLUGIN_TIMEOUT", "500ms");
  const auto opened = config();
  EXPECT_FALSE(opened.hal.enabled);
  EXPECT_TRUE(opened.hal.connect.contains(*workload::hal::SocketAddress::parse("10.1.2.3", 5)));
  EXPECT_FALSE(opened.hal.listen.empty());
  EXPECT_EQ(opened.hal.storage_directory, "/var/lib/coffer/hal");
  EXPECT_THAT(opened.hal.storage_roots, ElementsAre("/srv/a", "/srv/b"));
  EXPECT_EQ(opened.hal.storage_limit, 1024U);
  EXPECT_TRUE(opened.hal.communication);
  EXPECT_EQ(opened.plugins.directory, "/etc/coffer/plugins");
  EXPECT_EQ(opened.plugins.call_time, Duration{500});
  EXPECT_THAT(opened.notices, IsEmpty());
}

TEST_F(WorkerConfigTest, traces_go_where_upstreams_variables_say) {
  EXPECT_EQ(config().tracing.url, "");
  set("OTEL_URL", "http://jaeger:4318/v1/traces");
  EXPECT_THAT(config().notices, ElementsAre(HasSubstr("PROPLET_TRACE_RATIO is 0")));
  set("TRACE_RATIO", "1.0");
  EXPECT_THAT(config().notices, IsEmpty());
  EXPECT_EQ(config().tracing.url, "http://jaeger:4318/v1/traces");
  EXPECT_EQ(config().tracing.ratio, 1);
}

TEST_F(WorkerConfigTest, what_is_switched_off_is_not_missed) {
  for (const auto* name : {"HAL_ENABLED", "USB_ENABLED", "HTTP_ENABLED"}) set(name, "false");
  EXPECT_THAT(config().notices, IsEmpty());
}

TEST_F(WorkerConfigTest, tasks_serve_http_where_they_may_and_on_this_machine_unless_told_otherwise) {
  EXPECT_FALSE(config().tasks.http.enabled);
  EXPECT_EQ(config().tasks.http.host, "127.0.0.1");
  EXPECT_EQ(config().tasks.http.first_port, 8222);
  set("HTTP_ENABLED", "true");
  set("HTTP_HOST", "::1");
  set("HTTP_PROXY_PORT", "9000");
  EXPECT_TRUE(config().tasks.http.enabled);
  EXPECT_EQ(config().tasks.http.host, "[::1]");
  EXPECT_EQ(config().tasks.http.first_port, 9000);
  set("EXTERNAL_WASM_RUNTIME", "wasmtime");
  EXPECT_THAT(config().notices, IsEmpty());
}

TEST_F(WorkerConfigTest, modules_need_no_signature_until_keys_are_named) {
  EXPECT_FALSE(config().tasks.image_keys);
  const TemporaryDirectory directory;
  const auto key = crypto::PrivateKey::generate(crypto::KeyKind::ec_p256).value();
  directory.write("cosign.pub", key.public_key().to_pem());
  set("IMAGE_KEYS", (directory.path() / "cosign.pub").string());
  EXPECT_EQ(config().tasks.image_keys->keys().size(), 1U);
  set("IMAGE_KEYS", (directory.path() / "none.pub").string());
  const auto refused = read();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ConfigError::bad_value);
  EXPECT_THAT(refused.error().message, HasSubstr("PROPLET_IMAGE_KEYS"));
}

TEST_F(WorkerConfigTest, opened_modules_are_kept_only_where_a_time_is_given) {
  EXPECT_EQ(config().tee.module_cache.age, Duration{0});
  set("MODULE_CACHE_TIME", "5m");
  set("MODULE_CACHE_BYTES", "1000");
  EXPECT_EQ(config().tee.module_cache.age, seconds{300});
  EXPECT_EQ(config().tee.module_cache.bytes, 1000U);
}

TEST_F(WorkerConfigTest, guests_send_requests_to_the_hosts_that_are_named) {
  EXPECT_THAT(config().tasks.http_allow, IsEmpty());
  set("HTTP_OUTGOING_ALLOW", "API.example:443, 127.0.0.1:8080");
  EXPECT_THAT(config().tasks.http_allow, ElementsAre("api.example:443", "127.0.0.1:8080"));
}

TEST_F(WorkerConfigTest, aggregators_are_believed_by_the_brokers_that_are_named) {
  EXPECT_FALSE(config().aggregators);
  const TemporaryDirectory directory;
  directory.write("broker.pem", "-----BEGIN CERTIFICATE-----\n");
  const auto certificate = (directory.path() / "broker.pem").string();
  set("AGGREGATOR_TRUST", certificate + ",https://kbs/jwks.json");
  set("AGGREGATOR_ALLOW_TEES", "simulated:snp");
  set("AGGREGATOR_CLAIMS", "/submods/cpu0/a=b=c, /iss=kbs");
  const auto trust = config().aggregators;
  ASSERT_TRUE(trust);
  EXPECT_THAT(trust->tokens.trusted_certs_paths, ElementsAre(certificate));
  EXPECT_THAT(trust->tokens.trusted_jwk_sets, ElementsAre("https://kbs/jwks.json"));
  EXPECT_THAT(trust->allow_tees, ElementsAre("simulated:snp"));
  EXPECT_THAT(trust->claims, ElementsAre(std::pair{"/submods/cpu0/a", "b=c"}, std::pair{"/iss", "kbs"}));
  set("AGGREGATOR_TRUST", "");
  EXPECT_EQ(read().error().code, ConfigError::missing);
}

using Setting = std::pair<std::string, std::string>;
const std::vector<Setting> meaningless{
    {"MQTT_QOS", "two"},
    {"MQTT_KEEP_ALIVE", "soon"},
    {"MQTT_INFLIGHT", "0"},
    {"MQTT_MAX_PACKET_SIZE", "1"},
    {"MQTT_TLS_INSECURE_SKIP_VERIFY", "perhaps"},
    {"LIVELINESS_INTERVAL", "50ms"},
    {"METRICS_INTERVAL", "x"},
    {"METRICS_PORT", "65536"},
    {"MAX_TASKS", "0"},
    {"TASK_MEMORY", "1"},
    {"IMAGE_ROUTE", "pigeon"},
    {"ENCRYPTED_IMAGE_ROUTE", "both"},
    {"HTTP_ENABLED", "perhaps"},
    {"HTTP_PROXY_PORT", "65536"},
    {"HAL_ENABLED", "perhaps"},
    {"HAL_SOCKETS_CONNECT", "localhost:80"},
    {"HAL_SOCKETS_LISTEN", "127.0.0.1"},
    {"HAL_STORAGE_DIR", "state"},
    {"HAL_STORAGE_ROOTS", "/srv:data"},
    {"HAL_STORAGE_LIMIT", "much"},
    {"HAL_COMMUNICATION", "perhaps"},
    {"PLUGIN_TIMEOUT", "0"},
    {"TEE", "tdx"},
    {"TEE_ENABLED", "2"},
    {"KBS_RESOURCE_PATH", "../x"},
    {"GROUP_KEY", "kbs:///../x"},
    {"GROUP_KEY_REFRESH", "often"},
    {"AGGREGATOR_CLAIMS", "init_data=ab"},
    {"GROUP_KEY_MAX_AGE", "0"},
    {"IMAGE_KEYS", "/no/such/file"},
    {"HTTP_OUTGOING_ALLOW", "*:80"},
    {"MODULE_CACHE_TIME", "long"},
    {"MODULE_CACHE_BYTES", "0"},
    {"HTTP_TLS_CA_CERT", "/no/such/file"},
};

TEST_F(WorkerConfigTest, each_value_that_means_nothing_is_refused_by_the_variables_name) {
  for (const auto& [name, value] : meaningless) {
    const auto kept = values_;
    set(name, value);
    const auto read = this->read();
    ASSERT_FALSE(read) << name;
    EXPECT_EQ(read.error().code, ConfigError::bad_value) << name;
    EXPECT_THAT(read.error().message, HasSubstr("PROPLET_" + name));
    values_ = kept;
  }
}

TEST_F(WorkerConfigTest, a_group_key_is_a_resource_of_the_key_broker) {
  EXPECT_FALSE(config().group_key.resource);
  set("GROUP_KEY", "kbs:///default/fleet/group-key");
  set("GROUP_KEY_REFRESH", "30s");
  set("GROUP_KEY_MAX_AGE", "2m");
  const auto read = config();
  EXPECT_EQ(read.group_key.resource->path(), "default/fleet/group-key");
  EXPECT_EQ(read.group_key.refresh, std::chrono::seconds{30});
  EXPECT_EQ(read.group_key.max_age, std::chrono::minutes{2});
  EXPECT_TRUE(read.notices.empty());
  set("LAST_WILL", "true");
  EXPECT_THAT(config().notices, testing::ElementsAre(HasSubstr("PROPLET_LAST_WILL tells orderly ends alone")));
}

TEST_F(WorkerConfigTest, every_variable_that_is_read_has_its_line_of_help) {
  std::vector<std::string> asked;
  const auto noting = [&](const std::string& name) -> std::optional<std::string> {
    if (name.starts_with("PROPLET_")) asked.push_back(name.substr(std::string_view{"PROPLET_"}.size()));
    const auto found = values_.find(name);
    if (found == values_.end()) return std::nullopt;
    return found->second;
  };
  ASSERT_TRUE(read_config({"PROPLET_", noting}));
  // Said once in the log where they are set, and older names of others.
  const std::vector<std::string> silent{"USB_ENABLED", "HTTP_TLS_INSECURE_SKIP_VERIFY"};
  for (const auto& name : asked) {
    if (std::ranges::find(silent, name) != silent.end()) continue;
    EXPECT_NE(std::ranges::find(variable_help(), name, &VariableHelp::name), variable_help().end()) << name;
  }
}

}  // namespace
}  // namespace coffer::fleet::worker
