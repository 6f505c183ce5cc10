#include <array>

#include "fleet/worker/config.h"

namespace coffer::fleet::worker {
namespace {

constexpr auto table = std::to_array<VariableHelp>({
    {"TENANT_ID", "tenant (also PROPLET_DOMAIN_ID); this and the next three may stand in config.toml"},
    {"CHANNEL_ID", "channel that manager, proxy and workers share"},
    {"ENTITY_ID", "this worker's id, a UUID; MQTT client id and user name (also PROPLET_CLIENT_ID)"},
    {"API_KEY", "MQTT password (also PROPLET_CLIENT_KEY)", true},
    {"CONFIG_FILE", "shared credential file (config.toml)"},
    {"CONFIG_SECTION", "its section (proplet)"},
    {"LOG_LEVEL", "error, warn, info, debug (info)"},
    {"MQTT_ADDRESS", "tcp://host:1883 or ssl://host:8883 (tcp://localhost:1883)"},
    {"MQTT_TIMEOUT", "for a connection (30s)"},
    {"MQTT_QOS", "0, 1 or 2 (2)"},
    {"MQTT_KEEP_ALIVE", "(30s)"},
    {"MQTT_MAX_PACKET_SIZE", "bytes of a message that is taken in (10485760)"},
    {"MQTT_INFLIGHT", "messages on their way at once (10)"},
    {"MQTT_REQUEST_CHANNEL_CAPACITY", "messages that wait to be sent (1024)"},
    {"MQTT_TLS_CA_CERT", "PEM file of the broker's root"},
    {"MQTT_TLS_CLIENT_CERT", "PEM file"},
    {"MQTT_TLS_CLIENT_KEY", "PEM file"},
    {"MQTT_TLS_INSECURE_SKIP_VERIFY", "DANGEROUS: believe any broker (false)"},
    {"LAST_WILL", "tell the manager of a lost connection; only beside coffer-manager (false)"},
    {"LIVELINESS_INTERVAL", "between heartbeats; upstream's manager gives up after 10 s (4s)"},
    {"METRICS_INTERVAL", "between metrics by MQTT; 0: none (10s)"},
    {"METRICS_ENABLED", "serve /metrics and /health (true)"},
    {"METRICS_HOST", "address of those (127.0.0.1)"},
    {"METRICS_PORT", "port of those (9092)"},
    {"OTEL_URL", "collector of traces, OTLP by HTTP: http://HOST:4318 (none)"},
    {"TRACE_RATIO", "of traces that are sent, 0 to 1 (0)"},
    {"ENABLE_MONITORING", "sample tasks as their profile asks (true)"},
    {"COMPAT_RESULT_DELAY", "least time from start to result, for upstream's manager (0)"},
    {"MANAGER_K8S_NAMESPACE", "namespace that discovery tells (default)"},
    {"DESCRIPTION", "for the manager's list"},
    {"LOCATION", "for the manager's list"},
    {"TAGS", "for the manager's selection, separated by commas"},
    {"COLLECT_SYSTEM_INFO", "tell host name, processor and memory (true)"},
    {"DIRS", "folders that every task may write to, separated by colons"},
    {"EXTERNAL_WASM_RUNTIME", "run plain tasks by this program instead of in process (wasmtime)"},
    {"HTTP_ENABLED", "run modules that handle HTTP requests, by listening for them (false)"},
    {"HTTP_HOST", "address on which they listen (127.0.0.1)"},
    {"HTTP_PROXY_PORT", "port of the first of them; the next 100 are tried, too; 0: any (8222)"},
    {"MAX_TASKS", "tasks at once (8)"},
    {"MAX_QUEUE", "tasks that wait (4096)"},
    {"TASK_MEMORY", "most bytes of a task's linear memory (1073741824)"},
    {"TASK_FUEL", "most instructions of a task; 0: no limit (0)"},
    {"TASK_TIMEOUT", "longest run of a task; 0: no limit (0)"},
    {"MAX_OUTPUT", "bytes of each output stream that a result carries (262144)"},
    {"IMAGE_ROUTE", "proxy or registry: the way of plain images (proxy)"},
    {"ENCRYPTED_IMAGE_ROUTE", "proxy or registry: the way of encrypted images (registry)"},
    {"FETCH_TIMEOUT", "for a module by proxy or http(s) (60s)"},
    {"LAYER_STORE_PATH", "layers as the registry has them, encrypted ones encrypted (/tmp/proplet/layers)"},
    {"PULL_CONCURRENT_LIMIT", "images pulled at once (4)"},
    {"REGISTRY_USERNAME", "beside docker's credential file"},
    {"REGISTRY_PASSWORD_FILE", "its password"},
    {"PLAIN_HTTP_REGISTRIES", "registries asked by http beside those of this machine: HOST:PORT, separated by commas"},
    {"HTTP_TLS_CA_CERT", "PEM file of a further root for module addresses, registries and key brokers"},
    {"IMAGE_KEYS", "PEM file, or folder of *.pem and *.pub: every module must be signed by one of these keys"},
    {"HTTP_OUTGOING_ALLOW", "HOST:PORT that guests may send HTTP requests to, separated by commas (none)"},
    {"TEE_ENABLED", "false: no encrypted work; true: no start without a TEE (detect)"},
    {"TEE", "a TEE that proves nothing: sample, or simulated:NAME"},
    {"TEE_SIMULATOR", "folder of the simulator's keys"},
    {"KBS_URI", "key broker"},
    {"KBS_ALLOWED_URIS", "further brokers that a task may name, separated by commas"},
    {"KBS_RESOURCE_PATH", "key of encrypted images that name none (default/key/encryption-key)"},
    {"MODULE_CACHE_TIME", "how long an opened encrypted module may be started again without its key; 0: never (0)"},
    {"MODULE_CACHE_BYTES", "most bytes of such modules, in locked memory (67108864)"},
    {"GROUP_KEY",
     "resource of the key that seals the fleet's payloads, kbs:///default/fleet/group-key (payloads are plain)"},
    {"GROUP_KEY_REFRESH", "how often the broker is asked for a newer one (5m)"},
    {"GROUP_KEY_MAX_AGE", "how far the time of a sealed payload may be from this machine's (60s)"},
    {"AA_CONFIG_PATH", "the attestation agent's configuration"},
});

}  // namespace

std::span<const VariableHelp> variable_help() {
  return table;
}

}  // namespace coffer::fleet::worker
