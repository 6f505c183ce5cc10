// coffer-aggregator: federated averaging inside a TEE. Stands in for the coordinator, the aggregator and the model
// registry of upstream's federated learning example.
#include <CLI/CLI.hpp>
#include <array>
#include <iostream>

#include "apps/version_text.h"
#include "base/log.h"
#include "base/process.h"
#include "fleet/aggregator/serve.h"

namespace coffer::fleet::aggregator {
namespace {

struct Switch {
  const char* variable;  // without AGGREGATOR_
  const char* help;
};

constexpr std::array switches{
    Switch{"INSECURE_OPEN",
           "DANGEROUS: everybody who reaches the API may configure rounds, as with upstream's coordinator"},
    Switch{"OPEN", "DANGEROUS: run outside of a TEE; this host then sees every update"},
    Switch{"ACCEPT_PLAIN_UPDATES", "take updates that are not sealed, too: those of upstream's workers"},
    Switch{"UNATTESTED_WORKERS", "DANGEROUS: count sealed updates of workers that prove nothing"},
};

void add_flags(CLI::App& app, std::map<std::string, std::string>& values) {
  for (const auto& variable : variable_help()) {
    const auto text = std::string{variable.help} + " [AGGREGATOR_" + std::string{variable.name} + "]";
    app.add_option_function<std::string>(
        flag_name(variable.name),
        [&values, name = std::string{variable.name}](const std::string& value) { values[name] = value; }, text);
  }
  for (const auto& each : switches) {
    const auto text = std::string{each.help} + " [AGGREGATOR_" + each.variable + "=true]";
    app.add_flag_function(
        flag_name(each.variable), [&values, &each](std::int64_t) { values[each.variable] = "true"; }, text);
  }
}

Result<> run_until_stopped(const Variables& variables, bool check) {
  auto config = TRY(read_config(variables));
  log::set_filter(config.log_level);
  if (check) {
    std::cout << "the configuration is valid" << std::endl;
    return {};
  }
  const auto running = TRY(serve(std::move(config)));
  const int signal = net::wait_for_termination();
  log::info("aggregator.stopping", "rounds and models end with this process", {{"signal", std::to_string(signal)}});
  running->stop();
  return {};
}

int run(int argc, char** argv) {
  CLI::App app{
      "Federated averaging inside a TEE: workers seal their updates to its attested key, and nobody on the way sees "
      "them.\n\n"
      "  coffer-aggregator --kbs-uri https://kbs:8080 --attestation-certs broker.pem --token-file operator.token\n\n"
      "Every setting is a variable, too; a flag wins. See docs/federated.md.\n",
      "coffer-aggregator"};
  std::map<std::string, std::string> flags;
  bool check = false;
  add_flags(app, flags);
  app.add_flag("--check", check, "check the configuration, then end");
  app.set_version_flag("--version", [] { return apps::version_text("coffer-aggregator"); });
  CLI11_PARSE(app, argc, argv);
  const auto done = run_until_stopped(Variables{"AGGREGATOR_", process_environment(), std::move(flags)}, check);
  if (done) return 0;
  log::error("aggregator.failed", done.error().message, {{"code", std::string{done.error().code.name()}}});
  return 1;
}

}  // namespace
}  // namespace coffer::fleet::aggregator

int main(int argc, char** argv) {
  coffer::forbid_core_dumps();
  coffer::net::block_termination_signals();
  coffer::log::init("coffer-aggregator");
  return coffer::fleet::aggregator::run(argc, argv);
}
