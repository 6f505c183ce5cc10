// coffer-manager: the fleet's REST API, queue and store. Stands in for Propeller's manager.
#include <CLI/CLI.hpp>
#include <array>
#include <map>

#include "apps/version_text.h"
#include "base/log.h"
#include "base/process.h"
#include "fleet/manager/serve.h"

namespace coffer::fleet::manager {
namespace {

struct Option {
  const char* variable;  // without MANAGER_
  const char* help;
};

constexpr std::array options{
    Option{"CONFIG_FILE", "credentials, section [manager] (config.toml)"},
    Option{"MQTT_ADDRESS", "tcp://host:1883 or ssl://host:8883 (tcp://localhost:1883)"},
    Option{"MQTT_QOS", "0, 1 or 2 (2)"},
    Option{"TENANT_ID", "tenant of the MQTT topics"},
    Option{"CHANNEL_ID", "channel of the MQTT topics"},
    Option{"ENTITY_ID", "MQTT client id and user name"},
    Option{"HTTP_HOST", "where to listen (localhost)"},
    Option{"HTTP_PORT", "0 takes a free one (7070)"},
    Option{"HTTP_SERVER_CERT", "TLS certificate chain, PEM"},
    Option{"HTTP_SERVER_KEY", "TLS key, PEM"},
    Option{"HTTP_CLIENT_CA_CERTS", "PEM: clients show a certificate that these issued (mutual TLS)"},
    Option{"HTTP_CLIENT_AUTH", "required, or optional: a client may also show none (required)"},
    Option{"URL_FILE", "the address is written there"},
    Option{"AUTH_FILE", "who may use the API: [[token]], [[key]] and [[certificate]] with their roles"},
    Option{"STORAGE_TYPE", "sqlite, postgres or memory (sqlite)"},
    Option{"SQLITE_PATH", "(./propeller.db)"},
    Option{"POSTGRES_HOST", "(localhost)"},
    Option{"POSTGRES_PORT", "(5432)"},
    Option{"POSTGRES_USER", "(propeller)"},
    Option{"POSTGRES_DB", "(propeller)"},
    Option{"ATTESTATION_JWKS", "key sets of the brokers whose attestation tokens count, comma separated"},
    Option{"ATTESTATION_CERTS", "the same as certificates, PEM files"},
    Option{"ALLOW_TEES", "TEEs that prove nothing and count all the same: sample, simulated:snp"},
    Option{"GROUP_KEY_FILE", "keys that seal the fleet's payloads (payloads are plain)"},
    Option{"GROUP_KEY_MODE", "required, or accept-plain while workers are given the key (required)"},
    Option{"GROUP_KEY_MAX_AGE", "how far the time of a sealed payload may be from this machine's (60s)"},
    Option{"ON_UNAVAILABLE", "fail or wait, where nobody can run a task that is started (fail)"},
    Option{"ALIVE_TIMEOUT", "silence after which a worker is not alive (25s)"},
    Option{"OTEL_URL", "collector of traces, OTLP by HTTP: http://HOST:4318 (none)"},
    Option{"TRACE_RATIO", "of traces that are sent, 0 to 1 (0)"},
    Option{"PLUGIN_DIR", "WASM modules that decide about tasks (docs/manager-plugins.md)"},
    Option{"PLUGIN_TIMEOUT", "of one call of a plugin (1s)"},
    Option{"COORDINATOR_URL", "of federated learning"},
    Option{"COORDINATOR_TOKEN_FILE", "token that the coordinator asks of who configures rounds"},
    Option{"LOG_LEVEL", "(info)"},
};

void add_options(CLI::App& app, std::map<std::string, std::string>& flags) {
  for (const auto& option : options) {
    app.add_option_function<std::string>(
        flag_name(option.variable), [&flags, &option](const std::string& text) { flags[option.variable] = text; },
        std::string{option.help});
  }
  app.add_flag_function(
      "--insecure-open", [&flags](std::int64_t) { flags["INSECURE_OPEN"] = "true"; },
      "DANGEROUS: everybody who reaches the API may do everything, as with upstream's manager");
}

Result<> serve_until_stopped(const std::map<std::string, std::string>& flags) {
  auto config = TRY(read_config(process_environment(), flags));
  log::set_filter(config.log_level);
  const auto running = TRY(serve(std::move(config)));
  const int signal = net::wait_for_termination();
  log::info("fleet.stopping", "tasks run on", {{"signal", std::to_string(signal)}});
  running->stop();
  return {};
}

int run(int argc, char** argv) {
  CLI::App app{
      "The fleet's manager: tasks by REST, workers by MQTT.\n\n"
      "  MANAGER_TENANT_ID=t MANAGER_CHANNEL_ID=c MANAGER_ENTITY_ID=m MANAGER_API_KEY=secret \\\n"
      "    coffer-manager --mqtt-address tcp://localhost:1883 --auth-file users.toml\n\n"
      "Each option is also a variable with the prefix MANAGER_ (docs/manager.md); the MQTT password is only that, or "
      "in\n"
      "the configuration file.",
      "coffer-manager"};
  std::map<std::string, std::string> flags;
  add_options(app, flags);
  app.set_version_flag("--version", [] { return apps::version_text("coffer-manager"); });
  CLI11_PARSE(app, argc, argv);
  const auto done = serve_until_stopped(flags);
  if (done) return 0;
  log::error("fleet.failed", done.error().message, {{"code", std::string{done.error().code.name()}}});
  return 1;
}

}  // namespace
}  // namespace coffer::fleet::manager

int main(int argc, char** argv) {
  coffer::forbid_core_dumps();
  coffer::net::block_termination_signals();
  coffer::log::init("coffer-manager");
  return coffer::fleet::manager::run(argc, argv);
}
