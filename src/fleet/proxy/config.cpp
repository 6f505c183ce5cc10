#include "fleet/proxy/config.h"

#include <fstream>
#include <iterator>

#include "fleet/config/broker_settings.h"
#include "fleet/presence.h"
#include "net/url.h"

namespace coffer::fleet::proxy {
namespace {

// What a message holds beside the data: names and numbers, and the digest.
constexpr std::size_t envelope = 8192;

Result<> read_registry(const Variables& variables, FetchConfig& fetch) {
  const std::string url = variables.text("REGISTRY_URL");
  if (url.empty())
    return fail(ConfigError::missing,
                variables.name_of("REGISTRY_URL") + " is not set: the registry whose credentials these are");
  fetch.registry_plain_http = url.starts_with("http://");
  const auto parsed = net::Url::parse(url.find("://") == std::string::npos ? "https://" + url : url);
  if (!parsed)
    return fail(ConfigError::bad_value,
                variables.name_of("REGISTRY_URL") + " is \"" + url + "\"; expected a host, or its http(s) URL");
  fetch.registry_host = parsed->authority();
  fetch.allowed_registries = variables.list("ALLOWED_REGISTRIES", ',');
  return {};
}

// Upstream asks for `authenticate` before it looks at any credential.
Result<> read_credentials(const Variables& variables, FetchConfig& fetch) {
  if (!TRY(variables.flag("AUTHENTICATE", false))) return {};
  const std::string token = variables.text("REGISTRY_TOKEN");
  const std::string user = variables.text("REGISTRY_USERNAME");
  if (token.empty() && user.empty())
    return fail(ConfigError::missing, variables.name_of("AUTHENTICATE") + " is set, and neither " +
                                          variables.name_of("REGISTRY_TOKEN") + " nor " +
                                          variables.name_of("REGISTRY_USERNAME") + " is");
  fetch.auth.add(fetch.registry_host, {.username = user,
                                       .password = SecretBytes::copy_of(variables.text("REGISTRY_PASSWORD")),
                                       .access_token = SecretBytes::copy_of(token)});
  return {};
}

Result<> read_sizes(const Variables& variables, FetchConfig& fetch) {
  fetch.chunk_size = TRY(variables.number("CHUNK_SIZE", fetch.chunk_size, 1, 64U << 20));
  fetch.max_message = TRY(variables.number("MAX_MESSAGE_SIZE", fetch.max_message, 16U << 10, 256U << 20));
  fetch.max_layer = TRY(variables.number("MAX_LAYER_SIZE", fetch.max_layer, 1));
  if ((fetch.chunk_size + 2) / 3 * 4 + envelope <= fetch.max_message) return {};
  return fail(ConfigError::bad_value,
              variables.name_of("CHUNK_SIZE") + " is " + std::to_string(fetch.chunk_size) +
                  ", which in base64 does not fit into one message of " + std::to_string(fetch.max_message) +
                  " bytes; where the broker takes more, say so by " + variables.name_of("MAX_MESSAGE_SIZE"));
}

Result<> read_roots(const Variables& variables, FetchConfig& fetch) {
  const auto path = variables.find("REGISTRY_CA_CERT");
  if (!path) return {};
  std::ifstream stream{*path, std::ios::binary};
  std::string text{std::istreambuf_iterator<char>{stream}, {}};
  if (!stream || text.find("-----BEGIN CERTIFICATE-----") == std::string::npos)
    return fail(ConfigError::bad_value,
                variables.name_of("REGISTRY_CA_CERT") + ": " + *path + " is no certificate in PEM that can be read");
  fetch.root_pems.push_back(std::move(text));
  return {};
}

Result<std::string> read_http_address(const Variables& variables) {
  if (!TRY(variables.flag("HTTP_ENABLED", true))) return std::string{};
  const auto port = TRY(variables.number("HTTP_PORT", 9191, 0, 65'535));
  return variables.text("HTTP_HOST", "127.0.0.1") + ":" + std::to_string(port);
}

// As upstream's Go programs leave it; a manager that does not read `status` takes it for a sign of life of a worker.
Result<> leave_will(const Variables& variables, Config& config) {
  if (!TRY(variables.flag("LAST_WILL", true))) return {};
  const std::string text =
      R"({"status":"offline","proplet_id":)" + codec::json::serialize(config.identity.entity) + "}";
  config.mqtt.last_will =
      net::MqttMessage{.topic = config.topics.of(Topic::alive), .payload = to_bytes(text), .qos = 0};
  return {};
}

}  // namespace

Result<Config> read_config(const Variables& variables) {
  const auto file = variables.find("CONFIG_FILE");
  auto identity = TRY(read_identity(variables, {.path = file.value_or("config.toml"),
                                                .section = variables.text("CONFIG_SECTION", "proxy"),
                                                .named = file.has_value(),
                                                .overwrites = true}));
  auto topics = TRY(Topics::create(identity.tenant, identity.channel));
  Config config{.identity = std::move(identity), .topics = std::move(topics)};
  config.mqtt = TRY(read_broker(variables, config.identity));
  config.mqtt.max_packet_size = std::min<std::size_t>(config.mqtt.max_packet_size, 64U << 10);  // requests are short
  config.fetch.qos = TRY(read_qos(variables));
  TRY(leave_will(variables, config));
  TRY(read_registry(variables, config.fetch));
  TRY(read_credentials(variables, config.fetch));
  TRY(read_sizes(variables, config.fetch));
  TRY(read_roots(variables, config.fetch));
  config.max_queue = TRY(variables.number("MAX_QUEUE", config.max_queue, 1, 100'000));
  config.concurrent_fetches =
      static_cast<unsigned>(TRY(variables.number("CONCURRENT_FETCHES", config.concurrent_fetches, 1, 256)));
  config.http_address = TRY(read_http_address(variables));
  config.log_level = variables.text("LOG_LEVEL", config.log_level);
  config.tracing = TRY(read_trace_settings(variables, config.notices));
  return config;
}

}  // namespace coffer::fleet::proxy
