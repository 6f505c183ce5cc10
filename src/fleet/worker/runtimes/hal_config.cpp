#include "fleet/worker/runtimes/hal_config.h"

namespace coffer::fleet::worker {
namespace {

using workload::hal::AddressList;

Result<AddressList> read_addresses(const Variables& variables, std::string_view name) {
  const auto entries = variables.list(name, ',');
  auto list = AddressList::parse(entries);
  if (!list) return fail(ConfigError::bad_value, variables.name_of(name) + ": " + list.error().message);
  return list;
}

Result<std::filesystem::path> absolute(const Variables& variables, std::string_view name, std::filesystem::path path) {
  if (path.empty() || path.is_absolute()) return path;
  return fail(ConfigError::bad_value, variables.name_of(name) + ": " + path.string() + " is not an absolute path");
}

}  // namespace

Result<HalConfig> read_hal(const Variables& variables) {
  HalConfig hal;
  hal.enabled = TRY(variables.flag("HAL_ENABLED", hal.enabled));
  hal.connect = TRY(read_addresses(variables, "HAL_SOCKETS_CONNECT"));
  hal.listen = TRY(read_addresses(variables, "HAL_SOCKETS_LISTEN"));
  hal.storage_directory = TRY(absolute(variables, "HAL_STORAGE_DIR", variables.text("HAL_STORAGE_DIR")));
  for (auto& root : variables.list("HAL_STORAGE_ROOTS", ':')) {
    hal.storage_roots.push_back(TRY(absolute(variables, "HAL_STORAGE_ROOTS", std::move(root))));
  }
  hal.storage_limit = TRY(variables.number("HAL_STORAGE_LIMIT", hal.storage_limit));
  hal.communication = TRY(variables.flag("HAL_COMMUNICATION", hal.communication));
  return hal;
}

Result<PluginConfig> read_plugins(const Variables& variables) {
  PluginConfig plugins{.directory = variables.text("PLUGIN_DIR")};
  plugins.call_time = TRY(variables.duration("PLUGIN_TIMEOUT", plugins.call_time));
  if (plugins.call_time > Duration{0}) return plugins;
  return fail(ConfigError::bad_value, variables.name_of("PLUGIN_TIMEOUT") + " is 0; a plugin needs some time");
}

}  // namespace coffer::fleet::worker
