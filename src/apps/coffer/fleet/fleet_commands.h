// The parts of `coffer fleet`, one a file.
#pragma once

#include <memory>

#include "apps/coffer/fleet/fleet_client.h"

namespace CLI {
class App;
}

namespace coffer::cli {

using SharedFleet = std::shared_ptr<FleetContext>;

void add_fleet_task_commands(CLI::App& fleet, Commands& commands, const SharedFleet& context);
void add_fleet_worker_commands(CLI::App& fleet, Commands& commands, const SharedFleet& context);
void add_fleet_job_commands(CLI::App& fleet, Commands& commands, const SharedFleet& context);
void add_fleet_learning_commands(CLI::App& fleet, Commands& commands, const SharedFleet& context);
void add_fleet_watch_command(CLI::App& fleet, Commands& commands, const SharedFleet& context);
void add_fleet_provision_commands(CLI::App& fleet, Commands& commands, const SharedFleet& context);
void add_fleet_group_key_commands(CLI::App& fleet, Commands& commands, const SharedFleet& context);

struct WatchOptions {
  std::vector<std::string> ids;  // none: the whole fleet
  double interval = 0.5, timeout = 0;
  bool once = false;
};
// Shows the whole fleet until it is interrupted, which is no failure.
Result<int> watch_fleet(const FleetContext& context, const WatchOptions& options);

// With --json the answer, otherwise `sentence`.
Result<int> show(const FleetContext& context, const codec::json::Value& answer, const std::string& sentence);

// --offset and --limit.
struct PageOptions {
  std::uint64_t offset = 0, limit = 10;
  std::string query() const { return "?offset=" + std::to_string(offset) + "&limit=" + std::to_string(limit); }
};
std::shared_ptr<PageOptions> add_page_options(CLI::App& command);

}  // namespace coffer::cli
