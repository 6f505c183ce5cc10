#include <array>

#include "fleet/proxy/config.h"

namespace coffer::fleet::proxy {
namespace {

constexpr auto table = std::to_array<VariableHelp>({
    {"TENANT_ID", "tenant (also PROXY_DOMAIN_ID); this and the next three may stand in config.toml"},
    {"CHANNEL_ID", "channel that manager, proxy and workers share"},
    {"ENTITY_ID", "who this is to the broker: MQTT client id and user name (also PROXY_CLIENT_ID)"},
    {"API_KEY", "MQTT password (also PROXY_CLIENT_KEY)", true},
    {"CONFIG_FILE", "shared credential file (config.toml)"},
    {"CONFIG_SECTION", "its section (proxy)"},
    {"LOG_LEVEL", "error, warn, info, debug (info)"},
    {"MQTT_ADDRESS", "tcp://host:1883 or ssl://host:8883 (tcp://localhost:1883)"},
    {"MQTT_TIMEOUT", "for a connection (30s)"},
    {"MQTT_QOS", "0, 1 or 2 (2)"},
    {"MQTT_KEEP_ALIVE", "(30s)"},
    {"MQTT_INFLIGHT", "messages on their way at once (20)"},
    {"MQTT_TLS_CA_CERT", "PEM file of the broker's root (the system's)"},
    {"MQTT_TLS_CLIENT_CERT", "PEM file"},
    {"MQTT_TLS_CLIENT_KEY", "PEM file"},
    {"MQTT_TLS_INSECURE_SKIP_VERIFY", "DANGEROUS: believe any broker (false)"},
    {"LAST_WILL", "say \"offline\" on the alive topic when the connection is lost, as upstream's (true)"},
    {"REGISTRY_URL", "required: the registry that the credentials are for; http:// asks it in the clear"},
    {"AUTHENTICATE", "show that registry the token, or the user name and password (false)"},
    {"REGISTRY_TOKEN", "access token", true},
    {"REGISTRY_USERNAME", "user name"},
    {"REGISTRY_PASSWORD", "password", true},
    {"REGISTRY_CA_CERT", "PEM file with a root beside the system's"},
    {"ALLOWED_REGISTRIES", "hosts separated by commas (every one that a task names)"},
    {"CHUNK_SIZE", "bytes of a layer in a chunk (512000)"},
    {"MAX_MESSAGE_SIZE", "bytes that the broker takes as one message (1048576)"},
    {"MAX_LAYER_SIZE", "bytes of a layer (536870912)"},
    {"MAX_QUEUE", "images that wait; more are answered with an error (100)"},
    {"CONCURRENT_FETCHES", "images on their way at once (8)"},
    {"OTEL_URL", "collector of traces, OTLP by HTTP: http://HOST:4318 (none)"},
    {"TRACE_RATIO", "of traces that are sent, 0 to 1 (0)"},
    {"HTTP_ENABLED", "serve /health and /metrics (true)"},
    {"HTTP_HOST", "address of those (127.0.0.1)"},
    {"HTTP_PORT", "port of those; 0 takes a free one (9191)"},
});

}  // namespace

std::span<const VariableHelp> variable_help() {
  return table;
}

}  // namespace coffer::fleet::proxy
