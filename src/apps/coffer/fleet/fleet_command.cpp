#include <CLI/CLI.hpp>
#include <iostream>

#include "apps/coffer/fleet/fleet_commands.h"
#include "apps/coffer/fleet/fleet_view.h"
#include "apps/coffer/output.h"

namespace coffer::cli {
namespace {

Result<int> show_health(const FleetContext& context) {
  auto manager = TRY(FleetClient::create(context));
  const auto health = TRY(manager.get("/health"));
  return show(context, health,
              shown(health, "description") + " " + shown(health, "version") + ": " + shown(health, "status"));
}

void add_options(CLI::App& fleet, FleetContext& context) {
  fleet.add_option("-m,--manager-url", context.manager_url, "the manager's URL")
      ->envname("COFFER_MANAGER_URL")
      ->capture_default_str();
  fleet.add_option("--ca-cert,--manager-ca", context.certificate, "PEM certificate authority of an https manager")
      ->envname("COFFER_MANAGER_CA");
  fleet.add_option("--cert", context.client_certificate, "PEM certificate to show a manager that asks for one")
      ->envname("COFFER_MANAGER_CERT");
  fleet.add_option("--key", context.client_key, "PEM file with its key")->envname("COFFER_MANAGER_KEY");
  fleet.add_option("-a,--atom-url", context.atom_url, "Atom's URL, for `provision --user`")
      ->envname("COFFER_ATOM_URL")
      ->capture_default_str();
  // Upstream's, whose default is not to verify. Here certificates are always verified.
  fleet.add_flag("-v,--tls-verification", context.verify,
                 "accepted for upstream's sake: certificates are always verified");
}

}  // namespace

Result<int> show(const FleetContext& context, const codec::json::Value& answer, const std::string& sentence) {
  if (context.global.json)
    print_json(answer);
  else
    std::cout << sentence << std::endl;
  return 0;
}

std::shared_ptr<PageOptions> add_page_options(CLI::App& command) {
  auto page = std::make_shared<PageOptions>();
  command.add_option("-o,--offset", page->offset, "how many to pass over")->capture_default_str();
  command.add_option("-l,--limit", page->limit, "how many to show, at most 100")->capture_default_str();
  return page;
}

void add_fleet_commands(CLI::App& app, Commands& commands) {
  auto* fleet = app.add_subcommand(
      "fleet",
      "tasks, workers, jobs and workflows of a fleet's manager (propeller-cli)\n"
      "  coffer fleet tasks list\n  COFFER_MANAGER_TOKEN=... coffer fleet -m https://manager:7070 proplets list");
  fleet->require_subcommand(1);
  const auto context = std::make_shared<FleetContext>(FleetContext{commands.context()});
  add_options(*fleet, *context);
  add_fleet_task_commands(*fleet, commands, context);
  add_fleet_worker_commands(*fleet, commands, context);
  add_fleet_job_commands(*fleet, commands, context);
  add_fleet_learning_commands(*fleet, commands, context);
  add_fleet_watch_command(*fleet, commands, context);
  add_fleet_provision_commands(*fleet, commands, context);
  add_fleet_group_key_commands(*fleet, commands, context);
  auto* health = fleet->add_subcommand("health", "whether the manager answers");
  commands.on(health, [context] { return show_health(*context); });
}

}  // namespace coffer::cli
