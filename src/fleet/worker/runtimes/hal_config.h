// What the worker's operator says of the HAL and of plugins.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "base/clock.h"
#include "fleet/config/variables.h"
#include "workload/hal/address_list.h"

namespace coffer::fleet::worker {

struct HalConfig {
  bool enabled = true;  // as upstream has it; what reaches beyond the task is closed until it is named
  workload::hal::AddressList connect{}, listen{};
  std::filesystem::path storage_directory{};           // of tasks that name no folder; empty: this user's state folder
  std::vector<std::filesystem::path> storage_roots{};  // below these a start's hal_storage_path may lie
  std::uint64_t storage_limit = std::uint64_t{256} << 20;  // bytes, of one task
  bool communication = false;                              // tasks may send each other messages
};
Result<HalConfig> read_hal(const Variables& variables);

struct PluginConfig {
  std::filesystem::path directory{};  // empty: no plugins
  Duration call_time = std::chrono::seconds{2};
};
Result<PluginConfig> read_plugins(const Variables& variables);

}  // namespace coffer::fleet::worker
