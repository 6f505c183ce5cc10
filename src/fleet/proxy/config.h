// What a proxy is told: PROXY_* variables as upstream's, flags that win over them, and the shared file config.toml.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "fleet/config/identity.h"
#include "fleet/config/variable_help.h"
#include "fleet/topics.h"
#include "fleet/tracing/tracing.h"
#include "image/registry.h"
#include "net/mqtt.h"

namespace coffer::fleet::proxy {

struct FetchConfig {
  std::size_t chunk_size = 512'000;    // bytes of a layer in one chunk, before base64
  std::size_t max_message = 1U << 20;  // bytes of one MQTT payload: upstream's broker takes no more
  std::size_t max_layer = 512U << 20;
  Duration chunk_timeout = std::chrono::seconds{60};  // for the broker to take one chunk
  int qos = 2;
  // Credentials are for this host alone. With the scheme http:// it is asked in the clear, as loopback hosts are.
  std::string registry_host{};
  bool registry_plain_http = false;
  image::AuthConfig auth{};
  std::vector<std::string> allowed_registries{};  // empty: all
  std::vector<std::string> root_pems{};           // beside the system's
};

struct Config {
  Identity identity;
  Topics topics;
  net::MqttOptions mqtt{};
  FetchConfig fetch{};
  std::size_t max_queue = 100;
  unsigned concurrent_fetches = 8;
  std::string http_address = "127.0.0.1:9191";  // empty: none
  TraceSettings tracing{};
  std::string log_level = "info";
  std::vector<std::string> notices{};
};

// ConfigError, FleetError::bad_identifier.
Result<Config> read_config(const Variables& variables);
std::span<const VariableHelp> variable_help();

}  // namespace coffer::fleet::proxy
