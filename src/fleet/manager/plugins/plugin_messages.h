// What manager and plugins say to each other: the JSON of Propeller's plugins (propeller.md section 4.6).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fleet/manager/task.h"
#include "fleet/manager/workers.h"

namespace coffer::fleet::manager {

enum class PluginAction { create, start, stop, invoke, delete_, update };
std::string_view action_name(PluginAction action);

// {"context":{"user_id","action"},"task":{...}}; without an action where none is asked about.
std::string plugin_request(std::string_view user, std::optional<PluginAction> action, const Task& task);
// The same with "proplet".
std::string plugin_dispatch_request(std::string_view user, const Task& task, const Worker& worker);
// {"task","success","error"}.
std::string plugin_event(const Task& task);

// What a plugin answers. Nothing at all, and members that are absent, are Go's zero values as with upstream's manager:
// no answer allows nothing.
struct PluginVerdict {
  bool allow = false;
  std::string reason{};
  std::vector<std::string> required_tags{};        // on_before_proplet_select
  std::uint64_t min_memory_bytes = 0;              // on_before_proplet_select
  std::map<std::string, std::string> extra_env{};  // on_before_dispatch
};
struct PluginEnrichment {
  std::map<std::string, std::string> env{};
  std::optional<int> priority{};
  std::vector<std::string> inputs{};
  std::string image_url{};
};
// FleetError::bad_payload, bad_member.
Result<PluginVerdict> parse_plugin_verdict(std::string_view answer);
Result<PluginEnrichment> parse_plugin_enrichment(std::string_view answer);

}  // namespace coffer::fleet::manager
