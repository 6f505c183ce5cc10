#include "fleet/manager/config.h"

#include <algorithm>
#include <filesystem>

#include "fleet/config/broker_settings.h"

namespace coffer::fleet::manager {
namespace {

using namespace std::chrono_literals;

std::unexpected<Error> bad(const Variables& variables, std::string_view name, std::string_view expected) {
  return fail(ConfigError::bad_value, variables.name_of(name) + ": expected " + std::string{expected} + ", found \"" +
                                          variables.text(name) + "\"");
}

Result<> read_mqtt(const Variables& variables, Config& config) {
  IdentityFile file{.section = "manager", .overwrites = true};
  if (const auto path = variables.find("CONFIG_FILE")) {
    file.path = *path;
    file.named = true;
  }
  config.identity = TRY(read_identity(variables, file));
  config.mqtt = TRY(read_broker(variables, config.identity));
  config.mqtt.max_queue = 8192;
  config.mqtt.max_queue_bytes = 256U << 20;
  config.mqtt.durable_session = !TRY(variables.flag("MQTT_CLEAN_SESSION", false));
  config.mqtt.hold_acknowledgements = config.mqtt.durable_session;
  config.qos = TRY(read_qos(variables));
  config.mqtt_timeout = config.mqtt.connect_timeout;
  return {};
}

// Upstream's servers take none (its nginx does); the name is the one that its base, Magistrala, has for them.
Result<> read_client_certificates(const Variables& variables, Config& config) {
  config.client_roots = variables.text("HTTP_CLIENT_CA_CERTS");
  const auto mode = variables.text("HTTP_CLIENT_AUTH", "required");
  if (mode != "required" && mode != "optional") return bad(variables, "HTTP_CLIENT_AUTH", "required or optional");
  config.client_certificate_required = mode == "required";
  if (config.client_roots.empty() || !config.certificate.empty()) return {};
  return fail(ConfigError::missing, variables.name_of("HTTP_CLIENT_CA_CERTS") +
                                        " needs a server with TLS: MANAGER_HTTP_SERVER_CERT and _KEY");
}

Result<> read_http(const Variables& variables, Config& config) {
  auto& http = config.http;
  config.http_host = variables.text("HTTP_HOST", "localhost");
  config.http_port = static_cast<std::uint16_t>(TRY(variables.number("HTTP_PORT", 7070, 0, 65535)));
  config.certificate = variables.text("HTTP_SERVER_CERT");
  config.certificate_key = variables.text("HTTP_SERVER_KEY");
  http.head_timeout = TRY(variables.duration("HTTP_SERVER_READ_HEADER_TIMEOUT", 5s));
  const auto read = TRY(variables.duration("HTTP_SERVER_READ_TIMEOUT", 15s));
  const auto write = TRY(variables.duration("HTTP_SERVER_WRITE_TIMEOUT", 15s));
  http.body_timeout = std::max(read, write);  // of a transfer alone: a call that waits 30 s for a result is not cut
  http.idle_timeout = TRY(variables.duration("HTTP_SERVER_IDLE_TIMEOUT", 60s));
  http.max_head_size = TRY(variables.number("HTTP_SERVER_MAX_HEADER_BYTES", 1U << 20, 1024, 16U << 20));
  http.max_body_size = max_body_size;
  http.workers = static_cast<unsigned>(TRY(variables.number("HTTP_WORKERS", 32, 1, 1024)));
  config.auth_file = variables.text("AUTH_FILE");
  config.insecure_open = TRY(variables.flag("INSECURE_OPEN", false));
  config.url_file = variables.text("URL_FILE");
  TRY(read_client_certificates(variables, config));
  if (config.certificate.empty() != config.certificate_key.empty()) {
    return fail(ConfigError::missing, "MANAGER_HTTP_SERVER_CERT and MANAGER_HTTP_SERVER_KEY go together");
  }
  if (config.insecure_open && !config.auth_file.empty()) {
    return fail(ConfigError::bad_value, "expected MANAGER_AUTH_FILE or --insecure-open, found both");
  }
  if (!config.insecure_open && config.auth_file.empty()) {
    return fail(ConfigError::missing,
                "expected MANAGER_AUTH_FILE (--auth-file), which says who may use the API; --insecure-open serves "
                "everybody, as upstream's manager does");
  }
  return {};
}

Result<> read_postgres(const Variables& variables, Config& config) {
  auto& postgres = config.postgres;
  postgres.host = variables.text("POSTGRES_HOST", "localhost");
  postgres.port = static_cast<std::uint16_t>(TRY(variables.number("POSTGRES_PORT", 5432, 1, 65535)));
  postgres.user = variables.text("POSTGRES_USER", "propeller");
  postgres.password = variables.text("POSTGRES_PASS", "propeller");
  postgres.database = variables.text("POSTGRES_DB", "propeller");
  postgres.ssl_mode = variables.text("POSTGRES_SSLMODE", "disable");
  return {};
}

Result<> read_storage(const Variables& variables, Config& config) {
  const auto type = variables.text("STORAGE_TYPE", "sqlite");
  config.sqlite_path = variables.text("SQLITE_PATH", "./propeller.db");
  if (type == "memory") {
    config.storage = StorageKind::memory;
  } else if (type == "sqlite") {
    config.storage = StorageKind::sqlite;
  } else if (type == "postgres") {
    config.storage = StorageKind::postgres;
    TRY(read_postgres(variables, config));
  } else if (type == "badger") {
    const std::filesystem::path folder = variables.text("BADGER_PATH", "./data/badger");
    config.storage = StorageKind::sqlite;
    config.sqlite_path = folder / "manager.db";
    config.notices.push_back("STORAGE_TYPE badger: this manager keeps its state in SQLite, in " + config.sqlite_path +
                             "; what upstream's manager has there is not read");
  } else {
    return bad(variables, "STORAGE_TYPE", "sqlite, postgres, memory or badger");
  }
  return {};
}

Result<> read_trust(const Variables& variables, Config& config) {
  WorkerTrustOptions trust;
  trust.tokens.trusted_jwk_sets = variables.list("ATTESTATION_JWKS", ',');
  trust.tokens.trusted_certs_paths = variables.list("ATTESTATION_CERTS", ',');
  trust.allow_tees = variables.list("ALLOW_TEES", ',');
  config.proof_lifetime = TRY(variables.duration("PROOF_LIFETIME", 60s));
  config.manager.scheduler.unverified_encrypted = TRY(variables.flag("UNVERIFIED_ENCRYPTED", false));
  if (!trust.tokens.trusted_jwk_sets.empty() || !trust.tokens.trusted_certs_paths.empty()) {
    config.trust = std::move(trust);
  } else if (!config.manager.scheduler.unverified_encrypted) {
    config.notices.emplace_back(
        "no broker's attestation tokens are trusted, so encrypted tasks go to nobody: set MANAGER_ATTESTATION_JWKS or "
        "MANAGER_ATTESTATION_CERTS; MANAGER_UNVERIFIED_ENCRYPTED=true sends them to anybody, as upstream does");
  }
  return {};
}

Result<> read_group_key(const Variables& variables, Config& config) {
  auto& key = config.group_key;
  key.file = variables.text("GROUP_KEY_FILE");
  key.max_age = TRY(variables.duration("GROUP_KEY_MAX_AGE", key.max_age));
  if (key.max_age < 1s) return bad(variables, "GROUP_KEY_MAX_AGE", "a second or more");
  config.manager.clock_tolerance = key.max_age;
  const auto mode = variables.text("GROUP_KEY_MODE", "required");
  if (mode != "required" && mode != "accept-plain") return bad(variables, "GROUP_KEY_MODE", "required or accept-plain");
  key.accept_plain = mode == "accept-plain";
  if (!key.file.empty() || !variables.find("GROUP_KEY_MODE")) return {};
  return fail(ConfigError::missing, variables.name_of("GROUP_KEY_MODE") + " says how payloads are sealed, and " +
                                        variables.name_of("GROUP_KEY_FILE") + " does not say with which key");
}

Result<> read_manager(const Variables& variables, Config& config) {
  auto& manager = config.manager;
  if (const auto mode = variables.find_plain("JOB_EXECUTION_MODE")) manager.job_mode = TRY(parse_job_mode(*mode));
  manager.workers.alive_timeout = TRY(variables.duration("ALIVE_TIMEOUT", 25s));
  manager.lost_after = TRY(variables.duration("LOST_AFTER", 60s));
  manager.claim_lifetime = TRY(variables.duration("CLAIM_LIFETIME", 15s));
  manager.invoke_timeout = TRY(variables.duration("INVOKE_TIMEOUT", 30s));
  manager.metrics_retention = TRY(variables.duration("METRICS_RETENTION", 3600s));
  const auto unavailable = variables.text("ON_UNAVAILABLE", "fail");
  if (unavailable != "fail" && unavailable != "wait") return bad(variables, "ON_UNAVAILABLE", "fail or wait");
  manager.on_unavailable = unavailable == "wait" ? OnUnavailable::wait : OnUnavailable::fail;
  config.coordinator_token_file = variables.text("COORDINATOR_TOKEN_FILE");
  config.coordinator_url = variables.text("COORDINATOR_URL");
  while (config.coordinator_url.ends_with('/')) config.coordinator_url.pop_back();
  config.plugins.directory = variables.text("PLUGIN_DIR");
  config.plugins.budget = TRY(variables.duration("PLUGIN_TIMEOUT", 1s));
  if (config.plugins.budget < 1ms) return bad(variables, "PLUGIN_TIMEOUT", "a millisecond or more");
  config.tracing = TRY(read_trace_settings(variables, config.notices));
  return {};
}

}  // namespace

Result<Config> read_config(const Lookup& environment, const std::map<std::string, std::string>& flags) {
  const Variables variables{"MANAGER_", environment, flags};
  Config config;
  config.log_level = variables.text("LOG_LEVEL", "info");
  TRY(read_http(variables, config));
  TRY(read_mqtt(variables, config));
  TRY(read_storage(variables, config));
  TRY(read_trust(variables, config));
  TRY(read_manager(variables, config));
  TRY(read_group_key(variables, config));
  return config;
}

}  // namespace coffer::fleet::manager
