// coffer-worker: runs the fleet's tasks, plain and encrypted. Stands in for upstream's proplet.
#include <CLI/CLI.hpp>
#include <iostream>

#include "apps/version_text.h"
#include "base/log.h"
#include "base/process.h"
#include "fleet/worker/worker.h"
#include "net/http_server.h"

namespace coffer::worker {
namespace {

using fleet::worker::variable_help;

// A flag for every variable but those that are secret: they would show in the process list.
void add_flags(CLI::App& app, std::map<std::string, std::string>& values) {
  for (const auto& variable : variable_help()) {
    const auto text = std::string{variable.help} + " [PROPLET_" + std::string{variable.name} + "]";
    if (variable.secret) continue;
    app.add_option_function<std::string>(
        fleet::flag_name(variable.name),
        [&values, name = std::string{variable.name}](const std::string& value) { values[name] = value; }, text);
  }
}

Result<> run_until_stopped(const fleet::Variables& variables, bool check) {
  auto config = TRY(fleet::worker::read_config(variables));
  if (!config.log_level.empty()) log::set_filter(config.log_level);
  if (check) {
    std::cout << "the configuration is valid" << std::endl;
    return {};
  }
  const auto worker = TRY(fleet::worker::Worker::start(std::move(config)));
  log::info("worker.started", "waiting for tasks", {{"metrics", worker->metrics_address()}});
  const int signal = net::wait_for_termination();
  log::info("worker.stopping", "stopping what runs", {{"signal", std::to_string(signal)}});
  worker->stop();
  return {};
}

int run(int argc, char** argv) {
  CLI::App app{
      "The fleet's worker: runs WASM tasks that a manager sends by MQTT. Encrypted ones run in a TEE alone.\n\n"
      "  PROPLET_API_KEY=... coffer-worker --mqtt-address tcp://broker:1883 --tenant-id T --channel-id C --entity-id "
      "UUID\n"
      "  PROPLET_CONFIG_FILE=config.toml coffer-worker --kbs-uri https://kbs:8080\n\n"
      "Every setting is a variable, too; a flag wins. PROPLET_API_KEY has no flag.\n",
      "coffer-worker"};
  std::map<std::string, std::string> flags;
  bool check = false;
  add_flags(app, flags);
  app.add_flag("--check", check, "check the configuration, then end");
  app.set_version_flag("--version", [] { return apps::version_text("coffer-worker"); });
  CLI11_PARSE(app, argc, argv);
  const fleet::Variables variables("PROPLET_", fleet::process_environment(), std::move(flags));
  const auto done = run_until_stopped(variables, check);
  if (done) return 0;
  log::error("worker.failed", done.error().message, {{"code", std::string{done.error().code.name()}}});
  return 1;
}

}  // namespace
}  // namespace coffer::worker

int main(int argc, char** argv) {
  coffer::forbid_core_dumps();
  coffer::net::block_termination_signals();
  coffer::log::init("coffer-worker");
  return coffer::worker::run(argc, argv);
}
