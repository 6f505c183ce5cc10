// Federated learning, which the manager forwards to its coordinator.
#include <CLI/CLI.hpp>

#include "apps/coffer/fleet/fleet_commands.h"
#include "apps/coffer/fleet/fleet_view.h"
#include "apps/coffer/output.h"
#include "net/url.h"

namespace coffer::cli {
namespace {

Result<int> send_file(const FleetContext& context, const std::string& path, const std::string& file,
                      const std::string& type) {
  auto body = TRY(read_file(file, 100U << 20));
  auto manager = TRY(FleetClient::create(context));
  print_json(TRY(manager.send("POST", path, std::move(body), type)));
  return 0;
}

Result<int> ask(const FleetContext& context, const std::string& path) {
  auto manager = TRY(FleetClient::create(context));
  print_json(TRY(manager.get(path)));
  return 0;
}

}  // namespace

void add_fleet_learning_commands(CLI::App& fleet, Commands& commands, const SharedFleet& context) {
  auto* learning = fleet.add_subcommand("fl", "federated learning");
  learning->require_subcommand(1);
  struct Upload {
    const char *name, *help, *path, *type;
  };
  constexpr Upload uploads[] = {
      {"configure", "begin an experiment, as JSON", "/fl/experiments", "application/json"},
      {"update", "send a model's update, as JSON", "/fl/update", "application/json"},
      {"update-cbor", "send a model's update, as CBOR", "/fl/update_cbor", "application/cbor"}};
  for (const auto& upload : uploads) {
    auto* command = learning->add_subcommand(upload.name, upload.help);
    const auto file = std::make_shared<std::string>();
    command->add_option("FILE", *file, "the document; - is standard input")->required();
    commands.on(command, [context, file, upload] { return send_file(*context, upload.path, *file, upload.type); });
  }
  auto* task = learning->add_subcommand("task", "what a worker is to train");
  const auto round = std::make_shared<std::string>();
  const auto worker = std::make_shared<std::string>();
  task->add_option("--round-id", *round, "the round")->required();
  task->add_option("--proplet-id", *worker, "the worker")->required();
  commands.on(task, [context, round, worker] {
    return ask(*context,
               "/fl/task?round_id=" + net::percent_encode(*round) + "&proplet_id=" + net::percent_encode(*worker));
  });
  auto* status = learning->add_subcommand("round-status", "whether a round is complete");
  const auto id = std::make_shared<std::string>();
  status->add_option("ROUND", *id, "the round")->required();
  commands.on(status, [context, id] { return ask(*context, "/fl/rounds/" + net::percent_encode(*id) + "/complete"); });
}

}  // namespace coffer::cli
