// The manager's settings: upstream's variables (propeller.md section 1.2) with its defaults, and ours.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "fleet/config/identity.h"
#include "fleet/manager/manager.h"
#include "fleet/manager/plugins/plugins.h"
#include "fleet/manager/sealed_wire.h"
#include "fleet/tracing/tracing.h"
#include "fleet/trust/worker_trust.h"
#include "net/http_server.h"
#include "net/mqtt.h"

namespace coffer::fleet::manager {

enum class StorageKind { memory, sqlite, postgres };

struct Config {
  std::string log_level = "info";
  Identity identity;
  net::MqttOptions mqtt{};
  int qos = 2;
  Duration mqtt_timeout = std::chrono::seconds{30};

  std::string http_host = "localhost";
  std::uint16_t http_port = 7070;
  std::string certificate{}, certificate_key{};  // files; both or none
  std::string client_roots{};                    // file; empty: clients are not asked for certificates
  bool client_certificate_required = true;
  net::ServerOptions http{};  // timeouts and sizes
  std::string auth_file{};
  bool insecure_open = false;
  std::string url_file{};  // where the address is written, for port 0

  StorageKind storage = StorageKind::sqlite;
  std::string sqlite_path{};
  storage::PostgresOptions postgres{};

  std::string coordinator_url{}, coordinator_token_file{};
  TraceSettings tracing{};
  ManagerOptions manager{};
  std::optional<WorkerTrustOptions> trust{};
  Duration proof_lifetime = std::chrono::seconds{60};
  GroupKeyConfig group_key{};
  PluginOptions plugins{};  // no directory: none

  std::vector<std::string> notices{};  // what is not as upstream has it, for the log
};

// `flags`: by name without prefix ("HTTP_PORT"), winning over variables. fleet::ConfigError, ManagerError::bad_config.
Result<Config> read_config(const Lookup& environment, const std::map<std::string, std::string>& flags);

}  // namespace coffer::fleet::manager
