#include <CLI/CLI.hpp>
#include <filesystem>
#include <iostream>

#include "apps/coffer/fleet/fleet_commands.h"
#include "apps/coffer/fleet/fleet_view.h"
#include "apps/coffer/output.h"
#include "codec/base64.h"

namespace coffer::cli {
namespace {

using codec::json::Array;
using codec::json::Object;
using codec::json::Value;

struct TaskOptions {
  std::string name, id, image_url, file, kbs_resource_path, kbs_uri, proplet_id, mode, kind, schedule, timezone,
      metadata, module_digest, module_signature, module_signature_key, on_unavailable;
  std::vector<std::string> cli_args, inputs, env, depends_on;
  bool daemon = false, latent = false, encrypted = false, broadcast = false, is_recurring = false, start = false;
  std::optional<std::uint64_t> priority, fuel, memory_bytes, retries;
  std::optional<double> timeout_seconds;
};

void append(Object& body, std::string_view key, const std::string& text) {
  if (!text.empty()) body.append(std::string{key}, text);
}

void append(Object& body, std::string_view key, const std::vector<std::string>& texts) {
  if (!texts.empty()) body.append(std::string{key}, Array(texts.begin(), texts.end()));
}

void append(Object& body, std::string_view key, bool flag) {
  if (flag) body.append(std::string{key}, true);
}

template <class T>
void append(Object& body, std::string_view key, const std::optional<T>& number) {
  if (number) body.append(std::string{key}, *number);
}

Result<Object> environment(const std::vector<std::string>& pairs) {
  Object env;
  for (const auto& pair : pairs) {
    const auto equals = pair.find('=');
    if (equals == std::string::npos || equals == 0)
      return fail(CliError::usage, "--env: expected NAME=VALUE, found \"" + pair + "\"");
    env.set(pair.substr(0, equals), pair.substr(equals + 1));
  }
  return env;
}

// A key is named by its file, or by where a key broker has it.
Result<Object> module_signature(const TaskOptions& options) {
  Object out;
  const auto& key = options.module_signature_key;
  if (key.starts_with("kbs://")) {
    out.append("public_key", key);
  } else if (!key.empty()) {
    out.append("public_key", to_text(TRY(read_file(key, 64U << 10))));
  }
  append(out, "signature", options.module_signature);
  return out;
}

Result<> append_documents(Object& body, const TaskOptions& options) {
  if (auto signature = TRY(module_signature(options)); !signature.empty()) {
    body.append("module_signature", std::move(signature));
  }
  if (!options.env.empty()) body.append("env", TRY(environment(options.env)));
  if (!options.metadata.empty()) {
    auto metadata = codec::json::parse(options.metadata);
    if (!metadata) return fail(CliError::usage, "--metadata: expected an object in JSON: " + metadata.error().message);
    body.append("metadata", std::move(*metadata));
  }
  if (!options.file.empty()) body.append("file", codec::base64_encode(TRY(read_file(options.file, 100U << 20))));
  return {};
}

Result<Object> task_body(const TaskOptions& options) {
  Object body;
  append(body, "name", options.name);
  append(body, "image_url", options.image_url);
  append(body, "cli_args", options.cli_args);
  append(body, "inputs", options.inputs);
  append(body, "daemon", options.daemon);
  append(body, "latent", options.latent);
  append(body, "encrypted", options.encrypted);
  append(body, "kbs_resource_path", options.kbs_resource_path);
  append(body, "kbs_uri", options.kbs_uri);
  append(body, "proplet_id", options.proplet_id);
  append(body, "broadcast", options.broadcast);
  append(body, "priority", options.priority);
  append(body, "mode", options.mode);
  append(body, "kind", options.kind);
  append(body, "schedule", options.schedule);
  append(body, "timezone", options.timezone);
  append(body, "is_recurring", options.is_recurring);
  append(body, "depends_on", options.depends_on);
  append(body, "module_digest", options.module_digest);
  append(body, "on_unavailable", options.on_unavailable);
  append(body, "fuel", options.fuel);
  append(body, "memory_bytes", options.memory_bytes);
  append(body, "timeout_seconds", options.timeout_seconds);
  append(body, "retries", options.retries);
  TRY(append_documents(body, options));
  return body;
}

void add_content_options(CLI::App& command, TaskOptions& options) {
  command.add_option("--inputs", options.inputs, "arguments, separated by commas")->delimiter(',');
  command.add_option("--file", options.file, "a WASM module to send along");
  command.add_option("--priority", options.priority, "0 to 100 (50)");
  command.add_option("--metadata", options.metadata, "an object in JSON");
  command.add_option("--schedule", options.schedule, "cron expression of five fields");
  command.add_option("--timezone", options.timezone, "of the schedule (UTC)");
  command.add_flag("--is-recurring", options.is_recurring, "run at every time of the schedule");
}

void add_create_options(CLI::App& command, TaskOptions& options) {
  command.add_option("--image-url", options.image_url, "image in a registry, or http(s) address of a module");
  command.add_option("--cli-args", options.cli_args, "arguments of the runtime, separated by commas")->delimiter(',');
  command.add_option("--env", options.env, "NAME=VALUE, separated by commas")->delimiter(',');
  command.add_flag("--daemon", options.daemon, "does not end by itself");
  command.add_flag("--latent", options.latent, "is compiled, and run by `invoke`");
  command.add_flag("--encrypted", options.encrypted, "runs in a TEE alone");
  command.add_option("--kbs-resource-path", options.kbs_resource_path,
                     "the key, instead of the one that the image names");
  command.add_option("--kbs-uri", options.kbs_uri, "one of the brokers that the worker allows");
  command.add_option("--proplet-id", options.proplet_id, "run on this worker");
  command.add_flag("--broadcast", options.broadcast, "run on every worker");
  command.add_option("--mode", options.mode, "infer or train");
  command.add_option("--kind", options.kind, "standard or federated");
  command.add_option("--depends-on", options.depends_on, "tasks before this one, separated by commas")->delimiter(',');
  command.add_option("--module-digest", options.module_digest, "sha256:... of the module that may run");
  command.add_option("--module-signature-key", options.module_signature_key,
                     "PEM file of the public key that must have signed the image or module, or kbs:///...");
  command.add_option("--module-signature", options.module_signature,
                     "the signature itself in base64, where the module is no image that cosign has signed");
  command.add_option("--on-unavailable", options.on_unavailable, "wait or fail, where nobody can run it");
  command.add_option("--fuel", options.fuel, "instructions at most");
  command.add_option("--memory-bytes", options.memory_bytes, "memory at most");
  command.add_option("--timeout-seconds", options.timeout_seconds, "wall time at most");
  command.add_option("--retries", options.retries, "times to try again");
  command.add_flag("--start", options.start, "start it at once");
}

Result<int> create_task(const FleetContext& context, const TaskOptions& options) {
  auto manager = TRY(FleetClient::create(context));
  auto task = TRY(manager.post("/tasks", TRY(task_body(options))));
  const std::string id = shown(task, "id");
  if (options.start) TRY(manager.post(item_path("tasks", id, "start"), Object{}));
  return show(context, task, "task " + id + (options.start ? " started" : " created"));
}

Result<int> list_tasks(const FleetContext& context, const PageOptions& page) {
  auto manager = TRY(FleetClient::create(context));
  const auto answer = TRY(manager.get("/tasks" + page.query()));
  if (context.global.json)
    print_json(answer);
  else
    print_tasks(answer);
  return 0;
}

Result<int> show_task(const FleetContext& context, const Value& task) {
  if (context.global.json)
    print_json(task);
  else
    print_task(task);
  return 0;
}

Result<int> show_results(const FleetContext& context, const std::string& id) {
  auto manager = TRY(FleetClient::create(context));
  const auto answer = TRY(manager.get(item_path("tasks", id, "results")));
  return show(context, answer, shown(answer, "results"));
}

Result<int> invoke_task(const FleetContext& context, const TaskOptions& options) {
  auto manager = TRY(FleetClient::create(context));
  Object body;
  append(body, "inputs", options.inputs);
  if (!options.env.empty()) body.append("env", TRY(environment(options.env)));
  const auto answer = TRY(manager.post(item_path("tasks", options.id, "invoke"), body));
  return show(context, answer, shown(answer, "results"));
}

Result<int> upload_module(const FleetContext& context, const TaskOptions& options) {
  const auto content = TRY(read_file(options.file, 100U << 20));
  auto manager = TRY(FleetClient::create(context));
  const auto answer = TRY(manager.upload(item_path("tasks", options.id, "upload"),
                                         std::filesystem::path{options.file}.filename(), content));
  return show(context, answer, "uploaded " + human_size(content.size()) + " into task " + options.id);
}

// A command with an id alone.
template <class Work>
void add_by_id(CLI::App& tasks, Commands& commands, const char* name, const char* help, const Work& work) {
  auto* command = tasks.add_subcommand(name, help);
  const auto id = std::make_shared<std::string>();
  command->add_option("ID", *id, "the task's id")->required();
  commands.on(command, [id, work] { return work(*id); });
}

void add_simple_commands(CLI::App& tasks, Commands& commands, const SharedFleet& context) {
  add_by_id(tasks, commands, "view", "one task with all that is known of it",
            [context](const std::string& id) -> Result<int> {
              auto manager = TRY(FleetClient::create(*context));
              return show_task(*context, TRY(manager.get(item_path("tasks", id))));
            });
  add_by_id(tasks, commands, "delete", "remove a task", [context](const std::string& id) -> Result<int> {
    auto manager = TRY(FleetClient::create(*context));
    TRY(manager.remove(item_path("tasks", id)));
    return show(*context, Object{{"deleted", id}}, "task " + id + " deleted");
  });
  for (const auto& [name, past] : {std::pair{"start", "started"}, std::pair{"stop", "stopped"}})
    add_by_id(tasks, commands, name, name == std::string_view{"start"} ? "start a task" : "stop a task",
              [context, action = std::string{name}, done = std::string{past}](const std::string& id) -> Result<int> {
                auto manager = TRY(FleetClient::create(*context));
                return show(*context, TRY(manager.post(item_path("tasks", id, action), Object{})),
                            "task " + id + " " + done);
              });
  add_by_id(tasks, commands, "results", "what a task gave",
            [context](const std::string& id) { return show_results(*context, id); });
}

void add_content_commands(CLI::App& tasks, Commands& commands, const SharedFleet& context) {
  auto* update = tasks.add_subcommand("update", "change a task\n  coffer fleet tasks update ID --inputs 1,2");
  auto changed = std::make_shared<TaskOptions>();
  update->add_option("ID", changed->id, "the task's id")->required();
  update->add_option("--name", changed->name, "its name, which is the function that is called");
  add_content_options(*update, *changed);
  commands.on(update, [context, changed]() -> Result<int> {
    auto manager = TRY(FleetClient::create(*context));
    return show_task(*context, TRY(manager.put(item_path("tasks", changed->id), TRY(task_body(*changed)))));
  });
  auto* invoke = tasks.add_subcommand("invoke", "run a latent task\n  coffer fleet tasks invoke ID --inputs 10,20");
  auto invoked = std::make_shared<TaskOptions>();
  invoke->add_option("ID", invoked->id, "the task's id")->required();
  invoke->add_option("--inputs", invoked->inputs, "arguments, separated by commas")->delimiter(',');
  invoke->add_option("--env", invoked->env, "NAME=VALUE, separated by commas")->delimiter(',');
  commands.on(invoke, [context, invoked] { return invoke_task(*context, *invoked); });
  auto* upload = tasks.add_subcommand("upload", "put a module into a task\n  coffer fleet tasks upload ID add.wasm");
  auto uploaded = std::make_shared<TaskOptions>();
  upload->add_option("ID", uploaded->id, "the task's id")->required();
  upload->add_option("FILE", uploaded->file, "a file that ends in .wasm")->required();
  commands.on(upload, [context, uploaded] { return upload_module(*context, *uploaded); });
}

}  // namespace

void add_fleet_task_commands(CLI::App& fleet, Commands& commands, const SharedFleet& context) {
  auto* tasks = fleet.add_subcommand("tasks", "what the fleet runs");
  tasks->require_subcommand(1);
  auto* create =
      tasks->add_subcommand("create",
                            "make a task; its name is the function that is called\n"
                            "  coffer fleet tasks create add --file add.wasm --inputs 10,20 --start\n"
                            "  coffer fleet tasks create run --image-url registry/app:1 --encrypted --start");
  auto options = std::make_shared<TaskOptions>();
  create->add_option("NAME", options->name, "the task's name")->required();
  add_content_options(*create, *options);
  add_create_options(*create, *options);
  commands.on(create, [context, options] { return create_task(*context, *options); });

  auto* list = tasks->add_subcommand("list", "the tasks");
  const auto page = add_page_options(*list);
  commands.on(list, [context, page] { return list_tasks(*context, *page); });

  auto* metrics = tasks->add_subcommand("metrics", "what a task used");
  const auto measured = std::make_shared<std::string>();
  metrics->add_option("ID", *measured, "the task's id")->required();
  const auto samples = add_page_options(*metrics);
  commands.on(metrics, [context, measured, samples]() -> Result<int> {
    auto manager = TRY(FleetClient::create(*context));
    print_json(TRY(manager.get(item_path("tasks", *measured, "metrics") + samples->query())));
    return 0;
  });
  add_simple_commands(*tasks, commands, context);
  add_content_commands(*tasks, commands, context);
}

}  // namespace coffer::cli
