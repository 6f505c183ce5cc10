#include <CLI/CLI.hpp>
#include <iostream>

#include "apps/coffer/fleet/fleet_commands.h"
#include "apps/coffer/fleet/fleet_view.h"
#include "apps/coffer/output.h"
#include "net/url.h"

namespace coffer::cli {
namespace {

using codec::json::Object;
using codec::json::Value;

struct JobOptions {
  std::string name, mode, tasks, tasks_file;
};

// The tasks as an array in JSON, from the command line or a file.
Result<Value> tasks_of(const JobOptions& options) {
  if (options.tasks.empty() == options.tasks_file.empty())
    return fail(CliError::usage, "expected --tasks JSON or --tasks-file FILE");
  const std::string text =
      options.tasks.empty() ? to_text(TRY(read_file(options.tasks_file, 100U << 20))) : options.tasks;
  auto value = codec::json::parse(text, {.max_size = 160U << 20});
  if (!value) return fail(CliError::usage, "the tasks are no JSON: " + value.error().message);
  // A file may hold the whole body as the API takes it.
  if (const Value* inner = value->find("tasks")) return *inner;
  if (value->if_array() == nullptr)
    return fail(CliError::usage, "expected an array of tasks, found " + std::string{value->type_name()});
  return value;
}

void add_task_options(CLI::App& command, JobOptions& options) {
  command.add_option("--tasks", options.tasks, "tasks as an array in JSON");
  command.add_option("--tasks-file", options.tasks_file, "the same from a file; - is standard input");
}

Result<int> create_job(const FleetContext& context, const JobOptions& options) {
  Object body{{"name", options.name}, {"tasks", TRY(tasks_of(options))}};
  if (!options.mode.empty()) body.append("execution_mode", options.mode);
  auto manager = TRY(FleetClient::create(context));
  const auto job = TRY(manager.post("/jobs", body));
  return show(context, job, "job " + shown(job, "job_id") + " created");
}

Result<int> list_jobs(const FleetContext& context, const PageOptions& page, const std::string& status) {
  auto manager = TRY(FleetClient::create(context));
  std::string path = "/jobs" + page.query();
  if (!status.empty()) path += "&status=" + net::percent_encode(status);
  const auto answer = TRY(manager.get(path));
  if (context.global.json)
    print_json(answer);
  else
    print_jobs(answer);
  return 0;
}

Result<int> view_job(const FleetContext& context, const std::string& id) {
  auto manager = TRY(FleetClient::create(context));
  const auto job = TRY(manager.get(item_path("jobs", id)));
  if (context.global.json) {
    print_json(job);
    return 0;
  }
  std::cout << "job " << shown(job, "job_id") << " " << shown(job, "name") << ": " << task_state_name(job) << "\n";
  print_tasks(job);
  return 0;
}

void add_workflow_command(CLI::App& fleet, Commands& commands, const SharedFleet& context) {
  auto* workflows = fleet.add_subcommand("workflows", "tasks that start each other");
  workflows->require_subcommand(1);
  auto* create = workflows->add_subcommand("create", "make the tasks of a workflow; start one of its roots to begin");
  auto options = std::make_shared<JobOptions>();
  add_task_options(*create, *options);
  commands.on(create, [context, options]() -> Result<int> {
    auto tasks = TRY(tasks_of(*options));
    auto manager = TRY(FleetClient::create(*context));
    const auto answer = TRY(manager.post("/workflows", Object{{"tasks", std::move(tasks)}}));
    if (context->global.json)
      print_json(answer);
    else
      print_tasks(answer);
    return 0;
  });
}

}  // namespace

void add_fleet_job_commands(CLI::App& fleet, Commands& commands, const SharedFleet& context) {
  auto* jobs = fleet.add_subcommand("jobs", "tasks that are started and stopped together");
  jobs->require_subcommand(1);
  auto* create =
      jobs->add_subcommand("create", "make a job\n  coffer fleet jobs create --name nightly --tasks-file tasks.json");
  auto options = std::make_shared<JobOptions>();
  create->add_option("--name", options->name, "its name")->required();
  create->add_option("--execution-mode", options->mode, "parallel, sequential or configurable");
  add_task_options(*create, *options);
  commands.on(create, [context, options] { return create_job(*context, *options); });

  auto* list = jobs->add_subcommand("list", "the jobs");
  const auto page = add_page_options(*list);
  const auto status = std::make_shared<std::string>();
  list->add_option("--status", *status, "pending, running, completed or failed");
  commands.on(list, [context, page, status] { return list_jobs(*context, *page, *status); });

  for (const auto* name : {"view", "start", "stop"}) {
    auto* command = jobs->add_subcommand(name, std::string{name} + " a job");
    const auto id = std::make_shared<std::string>();
    command->add_option("ID", *id, "the job's id")->required();
    commands.on(command, [context, id, action = std::string{name}]() -> Result<int> {
      if (action == "view") return view_job(*context, *id);
      auto manager = TRY(FleetClient::create(*context));
      const auto answer = TRY(manager.post(item_path("jobs", *id, action), Object{}));
      return show(*context, answer, shown(answer, "message"));
    });
  }
  add_workflow_command(fleet, commands, context);
}

}  // namespace coffer::cli
