// coffer-proxy: brings images from registries to workers that have MQTT alone. Stands in for upstream's proxy.
#include <CLI/CLI.hpp>
#include <iostream>

#include "apps/version_text.h"
#include "base/log.h"
#include "base/process.h"
#include "fleet/proxy/proxy.h"
#include "net/http_server.h"

namespace coffer::proxy {
namespace {

void add_flags(CLI::App& app, std::map<std::string, std::string>& values) {
  for (const auto& variable : fleet::proxy::variable_help()) {
    if (variable.secret) continue;
    const auto text = std::string{variable.help} + " [PROXY_" + std::string{variable.name} + "]";
    app.add_option_function<std::string>(
        fleet::flag_name(variable.name),
        [&values, name = std::string{variable.name}](const std::string& value) { values[name] = value; }, text);
  }
}

Result<> run_until_stopped(const fleet::Variables& variables, bool check) {
  auto config = TRY(fleet::proxy::read_config(variables));
  log::set_filter(config.log_level);
  for (const auto& notice : config.notices) log::warn("proxy.notice", notice);
  if (check) {
    std::cout << "the configuration is valid" << std::endl;
    return {};
  }
  const auto proxy = TRY(fleet::proxy::Proxy::start(std::move(config)));
  log::info("proxy.started", "waiting for requests");
  const int signal = net::wait_for_termination();
  log::info("proxy.stopping", "breaking off what runs", {{"signal", std::to_string(signal)}});
  proxy->stop();
  return {};
}

int run(int argc, char** argv) {
  CLI::App app{
      "The fleet's proxy: fetches the images that workers ask for by MQTT and sends them piece by piece.\n\n"
      "  PROXY_API_KEY=... coffer-proxy --mqtt-address tcp://broker:1883 --tenant-id T --channel-id C --entity-id ID "
      "\\\n"
      "    --registry-url https://registry.example\n"
      "  PROXY_CONFIG_FILE=config.toml coffer-proxy --registry-url http://localhost:5000\n\n"
      "Every setting is a variable, too; a flag wins. Secrets are variables alone: PROXY_API_KEY,\n"
      "PROXY_REGISTRY_TOKEN, PROXY_REGISTRY_PASSWORD.\n",
      "coffer-proxy"};
  std::map<std::string, std::string> flags;
  bool check = false;
  add_flags(app, flags);
  app.add_flag("--check", check, "check the configuration, then end");
  app.set_version_flag("--version", [] { return apps::version_text("coffer-proxy"); });
  CLI11_PARSE(app, argc, argv);
  const fleet::Variables variables{"PROXY_", fleet::process_environment(), std::move(flags)};
  const auto done = run_until_stopped(variables, check);
  if (done) return 0;
  log::error("proxy.failed", done.error().message, {{"code", std::string{done.error().code.name()}}});
  return 1;
}

}  // namespace
}  // namespace coffer::proxy

int main(int argc, char** argv) {
  coffer::forbid_core_dumps();
  coffer::net::block_termination_signals();
  coffer::log::init("coffer-proxy");
  return coffer::proxy::run(argc, argv);
}
