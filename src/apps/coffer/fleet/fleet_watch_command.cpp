#include <CLI/CLI.hpp>
#include <iostream>
#include <map>
#include <thread>

#include "apps/coffer/fleet/fleet_commands.h"
#include "apps/coffer/fleet/fleet_view.h"
#include "apps/coffer/output.h"
#include "net/error.h"

namespace coffer::cli {
namespace {

using codec::json::Object;
using codec::json::Value;

// What there is to say about a task, as one line; the same text means that nothing changed.
std::string line_of(const Value& task) {
  std::string line = shown(task, "id") + "  " + task_state_name(task);
  for (const auto* key : {"proplet_id", "reason", "error", "results"})
    if (const auto text = shown(task, key); !text.empty()) line += std::string{"  "} + key + "=" + text;
  return line;
}

void say(const FleetContext& context, const Value& task) {
  if (context.global.json) {
    std::cout << codec::json::serialize(
                     Object{{"id", shown(task, "id")},
                            {"state", task_state_name(task)},
                            {"proplet_id", shown(task, "proplet_id")},
                            {"reason", shown(task, "reason")},
                            {"error", shown(task, "error")},
                            {"results", task.find("results") == nullptr ? Value{} : *task.find("results")}})
              << std::endl;
  } else {
    std::cout << line_of(task) << std::endl;
  }
}

class Watch {
 public:
  Watch(const FleetContext& context, const WatchOptions& options, FleetClient manager)
      : context_(context), options_(options), manager_(std::move(manager)) {}

  // Until all tasks have ended: 0 where all completed, 1 otherwise.
  Result<int> run() {
    const auto begin = std::chrono::steady_clock::now();
    while (true) {
      bool open = false, good = true;
      for (const auto& id : options_.ids) {
        const auto task = TRY(manager_.get(item_path("tasks", id)));
        note(id, task);
        open = open || !is_terminal(task);
        good = good && is_completed(task);
      }
      if (!open) return good ? 0 : 1;
      const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - begin;
      if (options_.timeout > 0 && passed.count() >= options_.timeout)
        return fail(net::NetError::timeout,
                    "the tasks did not end within " + std::to_string(options_.timeout) + " seconds");
      std::this_thread::sleep_for(std::chrono::duration<double>{options_.interval});
    }
  }

 private:
  void note(const std::string& id, const Value& task) {
    auto line = line_of(task);
    if (said_[id] == line) return;
    said_[id] = std::move(line);
    say(context_, task);
  }

  const FleetContext& context_;
  const WatchOptions& options_;
  FleetClient manager_;
  std::map<std::string, std::string> said_;
};

}  // namespace

void add_fleet_watch_command(CLI::App& fleet, Commands& commands, const SharedFleet& context) {
  auto* watch =
      fleet.add_subcommand("watch",
                           "follow the fleet, or tasks to their end: then exit status 1 where one did not complete\n"
                           "  coffer fleet watch\n  coffer fleet watch ID ID");
  auto options = std::make_shared<WatchOptions>();
  watch->add_option("ID", options->ids, "tasks; without any the whole fleet is shown");
  watch->add_flag("--once", options->once, "one look at the fleet");
  watch->add_option("--interval", options->interval, "seconds between looks")
      ->check(CLI::Range(0.01, 3600.0))
      ->capture_default_str();
  watch->add_option("--timeout", options->timeout, "seconds after which to give up (never)")
      ->check(CLI::Range(0.0, 1e9));
  commands.on(watch, [context, options]() -> Result<int> {
    if (options->ids.empty()) return watch_fleet(*context, *options);
    Watch work {
      *context, *options, TRY(FleetClient::create(*context))
    };
    return work.run();
  });
}

}  // namespace coffer::cli
