#include "fleet/worker/config.h"

#include <fstream>
#include <iterator>

#include "fleet/config/broker_settings.h"
#include "workload/http_allow.h"

namespace coffer::fleet::worker {
namespace {

constexpr std::uint64_t one_tebibyte = std::uint64_t{1} << 40;

// Upstream's defaults; its channel is our queue.
Result<net::MqttOptions> read_mqtt(const Variables& variables, const Identity& identity) {
  auto mqtt = TRY(read_broker(variables, identity, {.inflight = 10, .max_packet_size = 10U << 20}));
  mqtt.max_queue = TRY(variables.number("MQTT_REQUEST_CHANNEL_CAPACITY", 1024, 1, 1U << 20));
  return mqtt;
}

Result<std::string> read_pem(const std::string& path, const std::string& variable) {
  std::ifstream stream(path, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>{stream}, {}};
  if (stream && text.find("-----BEGIN CERTIFICATE-----") != std::string::npos) return text;
  return fail(ConfigError::bad_value, variable + ": " + path + " is no certificate in PEM that can be read");
}

Result<> check_test_tee(const Variables& variables, const std::string& name) {
  if (name.empty() || name == "sample" || name.starts_with("simulated:")) return {};
  return fail(ConfigError::bad_value, variables.name_of("TEE") + " is \"" + name +
                                          "\"; expected sample or simulated:NAME: a real TEE is detected, not named");
}

Result<TeeConfig> read_tee(const Variables& variables) {
  TeeConfig tee {
    .enabled = TRY(variables.optional_flag("TEE_ENABLED"))
    , .test_tee = variables.text("TEE"), .simulator_directory = variables.text("TEE_SIMULATOR"),
        .kbs_uri = variables.text("KBS_URI"), .allowed_kbs_uris = variables.list("KBS_ALLOWED_URIS", ',')
  };
  TRY(check_test_tee(variables, tee.test_tee));
  if (const auto file = variables.find("AA_CONFIG_PATH")) tee.aa_config = *file;
  if (const auto file = variables.find("INIT_DATA")) tee.init_data = *file;
  tee.module_cache.age = TRY(variables.duration("MODULE_CACHE_TIME", tee.module_cache.age));
  tee.module_cache.bytes = TRY(variables.number("MODULE_CACHE_BYTES", tee.module_cache.bytes, 1, one_tebibyte));
  const auto key = variables.find("KBS_RESOURCE_PATH");
  if (!key) return tee;
  auto uri = codec::ResourceUri::parse_any(*key);
  if (!uri) return fail(ConfigError::bad_value, variables.name_of("KBS_RESOURCE_PATH") + ": " + uri.error().message);
  tee.default_key = std::move(*uri);
  return tee;
}

Result<GroupKeyConfig> read_group_key(const Variables& variables) {
  GroupKeyConfig key;
  key.refresh = TRY(variables.duration("GROUP_KEY_REFRESH", key.refresh));
  key.max_age = TRY(variables.duration("GROUP_KEY_MAX_AGE", key.max_age));
  if (key.max_age < std::chrono::seconds{1}) {
    return fail(ConfigError::bad_value, variables.name_of("GROUP_KEY_MAX_AGE") + " is under a second");
  }
  const auto name = variables.find("GROUP_KEY");
  if (!name) return key;
  auto uri = codec::ResourceUri::parse_any(*name);
  if (!uri) return fail(ConfigError::bad_value, variables.name_of("GROUP_KEY") + ": " + uri.error().message);
  key.resource = std::move(*uri);
  return key;
}

Result<ImageRoute> read_route(const Variables& variables, std::string_view name, ImageRoute fallback) {
  const auto route = variables.find(name);
  if (!route) return fallback;
  if (*route == "proxy") return ImageRoute::proxy;
  if (*route == "registry") return ImageRoute::registry;
  return fail(ConfigError::bad_value, variables.name_of(name) + " is \"" + *route + "\"; expected proxy or registry");
}

Result<HttpConfig> read_http(const Variables& variables) {
  HttpConfig http;
  http.enabled = TRY(variables.flag("HTTP_ENABLED", false));
  http.host = variables.text("HTTP_HOST", http.host);
  if (http.host.find(':') != std::string::npos && !http.host.starts_with('[')) http.host = "[" + http.host + "]";
  http.first_port = static_cast<std::uint16_t>(TRY(variables.number("HTTP_PROXY_PORT", http.first_port, 0, 65535)));
  return http;
}

Result<std::optional<image::signature::TrustedKeys>> read_image_keys(const Variables& variables) {
  const auto path = variables.find("IMAGE_KEYS");
  if (!path) return std::nullopt;
  auto keys = image::signature::TrustedKeys::load(*path);
  if (keys) return *std::move(keys);
  return fail(ConfigError::bad_value, variables.name_of("IMAGE_KEYS") + ": " + keys.error().message);
}

// "host:port", as requests are compared with it.
Result<std::vector<std::string>> read_http_allow(const Variables& variables) {
  std::vector<std::string> hosts;
  for (const auto& entry : variables.list("HTTP_OUTGOING_ALLOW", ',')) {
    auto host = workload::parse_http_allow(entry);
    if (!host)
      return fail(ConfigError::bad_value, variables.name_of("HTTP_OUTGOING_ALLOW") + ": " + host.error().message);
    hosts.push_back(*std::move(host));
  }
  return hosts;
}

Result<TaskConfig> read_tasks(const Variables& variables) {
  TaskConfig tasks;
  tasks.max_tasks = static_cast<unsigned>(TRY(variables.number("MAX_TASKS", tasks.max_tasks, 1, 1024)));
  tasks.max_queue = TRY(variables.number("MAX_QUEUE", tasks.max_queue, 1, 1U << 20));
  tasks.memory = TRY(variables.number("TASK_MEMORY", tasks.memory, 65536, one_tebibyte));
  tasks.fuel = TRY(variables.number("TASK_FUEL", 0));
  tasks.wall_time = TRY(variables.duration("TASK_TIMEOUT", Duration{0}));
  tasks.max_output = TRY(variables.number("MAX_OUTPUT", tasks.max_output, 0, 64U << 20));
  tasks.fetch_timeout = TRY(variables.duration("FETCH_TIMEOUT", tasks.fetch_timeout));
  for (auto& directory : variables.list("DIRS", ':')) tasks.directories.emplace_back(std::move(directory));
  tasks.external_runtime = variables.text("EXTERNAL_WASM_RUNTIME");
  tasks.http = TRY(read_http(variables));
  tasks.image_route = TRY(read_route(variables, "IMAGE_ROUTE", tasks.image_route));
  tasks.encrypted_image_route = TRY(read_route(variables, "ENCRYPTED_IMAGE_ROUTE", tasks.encrypted_image_route));
  tasks.layer_store = variables.text("LAYER_STORE_PATH", tasks.layer_store.string());
  tasks.concurrent_pulls = static_cast<unsigned>(TRY(variables.number("PULL_CONCURRENT_LIMIT", 4, 1, 256)));
  tasks.registry_user = variables.text("REGISTRY_USERNAME");
  tasks.registry_password_file = variables.text("REGISTRY_PASSWORD_FILE");
  tasks.image_keys = TRY(read_image_keys(variables));
  tasks.http_allow = TRY(read_http_allow(variables));
  tasks.plain_http_registries = variables.list("PLAIN_HTTP_REGISTRIES", ',');
  return tasks;
}

// Certificates and key sets alike: what a file is shows in it.
Result<std::optional<TokenTrustOptions>> read_aggregators(const Variables& variables) {
  TokenTrustOptions trust;
  for (auto& anchor : variables.list("AGGREGATOR_TRUST", ',')) {
    const bool certificate = !anchor.contains("://") && read_pem(anchor, "").has_value();
    (certificate ? trust.tokens.trusted_certs_paths : trust.tokens.trusted_jwk_sets).push_back(std::move(anchor));
  }
  trust.allow_tees = variables.list("AGGREGATOR_ALLOW_TEES", ',');
  for (const auto& claim : variables.list("AGGREGATOR_CLAIMS", ',')) {
    const auto middle = claim.find('=');
    if (middle == std::string::npos || !claim.starts_with('/')) {
      return fail(ConfigError::bad_value, variables.name_of("AGGREGATOR_CLAIMS") + " has \"" + claim +
                                              "\"; expected /json/pointer=text, separated by commas");
    }
    trust.claims.emplace_back(claim.substr(0, middle), claim.substr(middle + 1));
  }
  const bool named = !trust.tokens.trusted_certs_paths.empty() || !trust.tokens.trusted_jwk_sets.empty();
  if (named) return trust;
  if (trust.allow_tees.empty() && trust.claims.empty()) return std::nullopt;
  return fail(ConfigError::missing, variables.name_of("AGGREGATOR_TRUST") +
                                        " is expected beside AGGREGATOR_ALLOW_TEES and AGGREGATOR_CLAIMS");
}

// What upstream reads and this worker does without: said once, by name.
Result<std::vector<std::string>> read_notices(const Variables& variables) {
  std::vector<std::string> notices;
  const auto note = [&](std::string_view name, std::string_view why) {
    notices.push_back(variables.name_of(name) + " has no effect: " + std::string{why});
  };
  if (TRY(variables.flag("USB_ENABLED", false))) note("USB_ENABLED", "guests here get no USB devices");
  if (TRY(variables.flag("HTTP_TLS_INSECURE_SKIP_VERIFY", false))) {
    note("HTTP_TLS_INSECURE_SKIP_VERIFY", "certificates are always verified; name a root by HTTP_TLS_CA_CERT");
  }
  if (variables.find_plain("OCICRYPT_KEYPROVIDER_CONFIG")) {
    notices.emplace_back("OCICRYPT_KEYPROVIDER_CONFIG has no effect: keys come from the broker of PROPLET_KBS_URI");
  }
  return notices;
}

Result<std::string> read_metrics_address(const Variables& variables) {
  if (!TRY(variables.flag("METRICS_ENABLED", true))) return std::string{};
  const auto port = TRY(variables.number("METRICS_PORT", 9092, 0, 65535));
  return variables.text("METRICS_HOST", "127.0.0.1") + ":" + std::to_string(port);
}

Result<> read_presence(const Variables& variables, Config& config) {
  config.last_will = TRY(variables.flag("LAST_WILL", false));
  config.name_space = variables.text("MANAGER_K8S_NAMESPACE", "default");
  config.liveliness_interval = TRY(variables.duration("LIVELINESS_INTERVAL", config.liveliness_interval));
  if (config.liveliness_interval < std::chrono::milliseconds{100}) {
    return fail(ConfigError::bad_value,
                variables.name_of("LIVELINESS_INTERVAL") + " is under 100 ms; upstream's default is 10 seconds");
  }
  config.metrics_interval = TRY(variables.duration("METRICS_INTERVAL", config.metrics_interval));
  config.compat_result_delay = TRY(variables.duration("COMPAT_RESULT_DELAY", Duration{0}));
  config.monitoring = TRY(variables.flag("ENABLE_MONITORING", true));
  config.metrics_address = TRY(read_metrics_address(variables));
  config.description = variables.text("DESCRIPTION");
  config.location = variables.text("LOCATION");
  config.tags = variables.list("TAGS", ',');
  config.collect_system_info = TRY(variables.flag("COLLECT_SYSTEM_INFO", true));
  config.log_level = variables.text("LOG_LEVEL");
  return {};
}

}  // namespace

Result<Config> read_config(const Variables& variables) {
  Config config;
  const auto file = variables.find("CONFIG_FILE");
  config.identity = TRY(read_identity(variables, {.path = file.value_or("config.toml"),
                                                  .section = variables.text("CONFIG_SECTION", "proplet"),
                                                  .named = file.has_value()}));
  config.mqtt = TRY(read_mqtt(variables, config.identity));
  // Anything but 0 and 1 means 2, as upstream has it.
  config.qos = TRY(read_qos(variables));
  TRY(read_presence(variables, config));
  if (const auto root = variables.find("HTTP_TLS_CA_CERT")) {
    config.http_root_pems.push_back(TRY(read_pem(*root, variables.name_of("HTTP_TLS_CA_CERT"))));
  }
  config.tee = TRY(read_tee(variables));
  config.tasks = TRY(read_tasks(variables));
  config.hal = TRY(read_hal(variables));
  config.plugins = TRY(read_plugins(variables));
  config.group_key = TRY(read_group_key(variables));
  config.aggregators = TRY(read_aggregators(variables));
  config.notices = TRY(read_notices(variables));
  if (config.group_key.resource && config.last_will) {
    config.notices.push_back(variables.name_of("LAST_WILL") + " tells orderly ends alone beside " +
                             variables.name_of("GROUP_KEY") +
                             ": a will is the MQTT broker's word, which counts for nothing there");
  }
  config.tracing = TRY(read_trace_settings(variables, config.notices));
  return config;
}

}  // namespace coffer::fleet::worker
