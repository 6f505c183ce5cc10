#include "evidence/collateral.h"
#include "keybroker/detail/config_sections.h"
#include "keybroker/resource_policies.h"

namespace coffer::keybroker::detail {
namespace {

constexpr std::string_view default_repository = "/opt/confidential-containers/kbs/repository";

Result<std::filesystem::path> backend_path(std::optional<ConfigTable>& backends, std::string_view backend,
                                           std::string_view key, ConfigTable& storage) {
  auto table = backends   ? TRY(backends->table(backend)) : std::nullopt;
  const auto path = table ? TRY(table->text(key)) : std::nullopt;
  if (path && !path->empty()) return std::filesystem::path{*path};
  return storage.error(BrokerError::config_value, "storage_type",
                       "expected [storage_backend.backends." + std::string{backend} + "] with " + std::string{key});
}

Result<StorageConfig> storage_of(ConfigTable& place, std::string_view key, const std::string& type,
                                 std::optional<ConfigTable>& backends) {
  if (type == "Memory") return StorageConfig{};
  if (type == "LocalFs") {
    return StorageConfig {
      StorageKind::local_fs, TRY(backend_path(backends, "local_fs", "dir_path", place))
    };
  }
  if (type == "Sqlite") {
    return StorageConfig {
      StorageKind::sqlite, TRY(backend_path(backends, "sqlite", "path", place))
    };
  }
  if (type == "LocalJson" || type == "Postgres" || type == "Redis") {
    return place.error(BrokerError::config_unsupported, key,
                       "storage type " + type + " is not in this build; choose Memory, LocalFs or Sqlite");
  }
  return place.error(BrokerError::config_value, key,
                     "expected Memory, LocalFs, LocalJson, Postgres, Redis or Sqlite, found " + type);
}

// v0.21 says storage_backend_type, v0.19 type = "kvstorage", older ones type = "LocalFs" with a directory.
Result<> read_resource_plugin(ConfigTable& plugin, ResourceConfig& into) {
  const auto current = TRY(plugin.text("storage_backend_type"));
  const auto older = TRY(plugin.text("type"));
  const auto type = current ? *current : older.value_or("kvstorage");
  if (type == "LocalFs") {
    plugin.notice(
        "plugin resource with type = \"LocalFs\" and dir_path is the form of Trustee before v0.19; the current "
        "one is storage_backend_type = \"kvstorage\" with [storage_backend]");
    into.repository = TRY(plugin.text("dir_path"))
    .value_or(std::string{default_repository});
  } else if (type == "Aliyun" || type == "Aws" || type == "Gcp" || type == "Vault") {
    return plugin.error(BrokerError::config_unsupported, current ? "storage_backend_type" : "type",
                        "the resource back end " + type + " is not in this build");
  } else if (type != "kvstorage") {
    return plugin.error(BrokerError::config_value, current ? "storage_backend_type" : "type",
                        "expected kvstorage or LocalFs, found " + type);
  }
  plugin.finish();
  return {};
}

Result<> read_plugins(ConfigTable& root, ResourceConfig& into) {
  if (!root.has("plugins")) return {};
  into.enabled = false;
  for (auto& plugin : TRY(root.tables("plugins"))) {
    const auto name = TRY(plugin.text("name"))
    .value_or("");
    if (name == "resource") {
      into.enabled = true;
      TRY(read_resource_plugin(plugin, into));
    } else {
      root.notice("plugin " + name + " is not in this build; its endpoint answers 404");
    }
  }
  if (!into.enabled) root.notice("[[plugins]] names no plugin \"resource\": no resources are served");
  return {};
}

Result<> read_repository(ConfigTable& root, ResourceConfig& into) {
  auto table = TRY(root.table("repository_config"));
  if (!table) return {};
  if (root.has("plugins"))
    return root.error(BrokerError::config_conflict, "repository_config", "[[plugins]] is given too");
  root.notice(
      "[repository_config] is the form of Trustee up to v0.10; the current one is [[plugins]] name = \"resource\"");
  const auto type = TRY(table->text("type"))
  .value_or("LocalFs");
  if (type != "LocalFs") {
    return table->error(BrokerError::config_unsupported, "type",
                        "the resource back end " + type + " is not in this build");
  }
  into.repository = TRY(table->text("dir_path"))
  .value_or(std::string{default_repository});
  table->finish();
  return {};
}

Result<> read_policy_path(ConfigTable& root, std::string_view section, std::optional<std::filesystem::path>& into) {
  auto table = TRY(root.table(section));
  if (!table) return {};
  if (const auto path = TRY(table->text("policy_path"))) into = *path;
  root.notice("[" + std::string{section} +
              "] policy_path is the form of Trustee before v0.19: the policy is read from that "
              "file where the store has none, and written there when it is set");
  table->finish();
  return {};
}

Result<> read_audit(ConfigTable& coffer, AuditConfig& audit) {
  auto table = TRY(coffer.table("audit"));
  if (!table) return {};
  if (const auto count = TRY(table->number("max_records", 1, 100'000'000))) {
    audit.max_records = static_cast<std::size_t>(*count);
  }
  if (const auto days = TRY(table->number("max_age_days", 1, 36'500))) audit.max_age = std::chrono::hours{24 * *days};
  return table->finish_strictly();
}

}  // namespace

Result<> read_storage(ConfigTable& root, Config& config) {
  auto storage = TRY(root.table("storage_backend"));
  const auto session_type = TRY(root.text("session_storage_type"));
  std::optional<ConfigTable> backends;
  if (storage) {
    backends = TRY(storage->table("backends"));
    config.storage =
        TRY(storage_of(*storage, "storage_type", TRY(storage->text("storage_type")).value_or("Memory"), backends));
    storage->finish();
  }
  if (!session_type) return {};
  auto sessions = TRY(storage_of(root, "session_storage_type", *session_type, backends));
  // One database is opened once.
  if (sessions.kind != config.storage.kind || sessions.path != config.storage.path) config.session_storage = sessions;
  return {};
}

Result<> read_resources(ConfigTable& root, Config& config) {
  TRY(read_plugins(root, config.resources));
  TRY(read_repository(root, config.resources));
  TRY(read_policy_path(root, "policy_engine", config.policy_path));
  return read_policy_path(root, "policy_engine_config", config.policy_path);
}

Result<> read_collateral(ConfigTable& coffer, CollateralConfig& collateral) {
  auto table = TRY(coffer.table("collateral"));
  if (!table) return {};
  TRY(table->read("offline", collateral.offline));
  constexpr std::int64_t longest_timeout = 300;
  if (const auto seconds = TRY(table->number("timeout_seconds", 1, longest_timeout))) {
    collateral.timeout = std::chrono::seconds{*seconds};
  }
  for (const auto& service : evidence::collateral_services()) {
    if (auto url = TRY(table->text(service.name))) collateral.services.emplace(service.name, *std::move(url));
  }
  return table->finish_strictly();
}

Result<> read_coffer(ConfigTable& root, CofferConfig& coffer) {
  auto table = TRY(root.table("coffer"));
  if (!table) return {};
  coffer.allow_tees = TRY(table->texts("allow_tees"))
  .value_or(std::vector<std::string>{});
  TRY(table->read("unattested_reads", coffer.unattested_reads));
  if (const auto status = TRY(table->number("missing_resource_status", 401, 404))) {
    coffer.missing_resource_status = static_cast<int>(*status);
  }
  if (const auto name = TRY(table->text("default_policy"))) {
    const auto policy = parse_default_policy(*name);
    if (!policy) return table->error(BrokerError::config_value, "default_policy", policy.error().message);
    coffer.default_policy = *policy;
  }
  for (auto& file : TRY(table->texts("simulator_roots")).value_or(std::vector<std::string>{})) {
    coffer.simulator_roots.emplace_back(std::move(file));
  }
  TRY(read_collateral(*table, coffer.collateral));
  TRY(read_audit(*table, coffer.audit));
  return table->finish_strictly();
}

}  // namespace coffer::keybroker::detail
