#include <CLI/CLI.hpp>
#include <iostream>

#include "apps/coffer/fleet/fleet_commands.h"
#include "apps/coffer/fleet/fleet_view.h"
#include "apps/coffer/output.h"
#include "net/url.h"

namespace coffer::cli {
namespace {

using codec::json::Object;

Result<int> list_workers(const FleetContext& context, const PageOptions& page, const std::string& status) {
  auto manager = TRY(FleetClient::create(context));
  std::string path = "/proplets" + page.query();
  if (!status.empty()) path += "&status=" + net::percent_encode(status);
  const auto answer = TRY(manager.get(path));
  if (context.global.json)
    print_json(answer);
  else
    print_workers(answer);
  return 0;
}

Result<int> show_document(const FleetContext& context, const std::string& path) {
  auto manager = TRY(FleetClient::create(context));
  print_json(TRY(manager.get(path)));
  return 0;
}

Result<int> view_worker(const FleetContext& context, const std::string& id) {
  auto manager = TRY(FleetClient::create(context));
  const auto worker = TRY(manager.get(item_path("proplets", id)));
  if (context.global.json)
    print_json(worker);
  else
    print_task(worker);
  return 0;
}

}  // namespace

void add_fleet_worker_commands(CLI::App& fleet, Commands& commands, const SharedFleet& context) {
  auto* workers = fleet.add_subcommand("proplets", "the workers (also: workers)")->alias("workers");
  workers->require_subcommand(1);
  auto* list = workers->add_subcommand("list", "the workers, and what they proved");
  const auto page = add_page_options(*list);
  const auto status = std::make_shared<std::string>();
  list->add_option("--status", *status, "active or inactive");
  commands.on(list, [context, page, status] { return list_workers(*context, *page, *status); });

  const auto by_id = [&](const char* name, const char* help, const auto& work) {
    auto* command = workers->add_subcommand(name, help);
    const auto id = std::make_shared<std::string>();
    command->add_option("ID", *id, "the worker's id")->required();
    commands.on(command, [id, work] { return work(*id); });
  };
  by_id("view", "one worker", [context](const std::string& id) { return view_worker(*context, id); });
  by_id("sdf", "its description in the Semantic Definition Format",
        [context](const std::string& id) { return show_document(*context, item_path("proplets", id, "sdf")); });
  by_id("delete", "forget a worker", [context](const std::string& id) -> Result<int> {
    auto manager = TRY(FleetClient::create(*context));
    TRY(manager.remove(item_path("proplets", id)));
    return show(*context, Object{{"deleted", id}}, "worker " + id + " deleted");
  });
  for (const auto* name : {"metrics", "alive-history"}) {
    auto* command =
        workers->add_subcommand(name, name == std::string_view{"metrics"} ? "what it used" : "when it was heard of");
    const auto id = std::make_shared<std::string>();
    command->add_option("ID", *id, "the worker's id")->required();
    const auto extent = add_page_options(*command);
    commands.on(command, [context, id, extent, rest = std::string{name}] {
      return show_document(*context, item_path("proplets", *id, rest) + extent->query());
    });
  }
}

}  // namespace coffer::cli
