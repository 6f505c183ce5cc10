#include <CLI/CLI.hpp>
#include <csignal>
#include <filesystem>
#include <iostream>

#include "apps/coffer/context.h"
#include "apps/version_text.h"
#include "base/log.h"
#include "base/process.h"

namespace coffer::cli {
namespace {

void add_global_options(CLI::App& app, Context& context) {
  app.add_option("--home", context.home_directory, "configuration, keys and store (COFFER_HOME, default ~/.coffer)");
  app.add_option("--kbs", context.kbs, "the broker's URL (default: the running broker of this home)")
      ->envname("COFFER_KBS");
  app.add_option("--admin-key", context.admin_key_file, "the administrator's private key in PEM (default: the home's)");
  app.add_option("--kbs-cert", context.kbs_certificate_file, "PEM certificate authority of an https broker");
  app.add_flag("--json", context.json, "results and errors as JSON on standard output");
}

void add_commands(CLI::App& app, Commands& commands) {
  add_init_commands(app, commands);
  add_resource_commands(app, commands);
  add_policy_commands(app, commands);
  add_reference_commands(app, commands);
  add_image_commands(app, commands);
  add_run_commands(app, commands);
  add_attest_commands(app, commands);
  add_explain_commands(app, commands);
  add_doctor_commands(app, commands);
  add_evidence_commands(app, commands);
  add_simulate_commands(app, commands);
  add_collateral_commands(app, commands);
  add_measure_commands(app, commands);
  add_vm_commands(app, commands);
  add_fleet_commands(app, commands);
}

// Global options are understood before and behind the command.
void let_options_fall_through(CLI::App& app) {
  for (auto* subcommand : app.get_subcommands({})) {
    subcommand->fallthrough();
    let_options_fall_through(*subcommand);
  }
}

// CLI11 calls an unknown command a missing one.
int explain_missing(const CLI::App& app, const CLI::RequiredError& error) {
  const auto* where = &app;
  while (!where->get_subcommands().empty()) where = where->get_subcommands().front();
  const auto unknown = app.remaining(true);
  if (unknown.empty() || unknown.front().starts_with('-')) {
    std::cerr << where->help() << "\n" << error.what() << "\n";
  } else {
    std::cerr << where->get_name() << ": there is no command \"" << unknown.front() << "\"; see `--help`\n";
  }
  return 2;
}

// Under the name of upstream's command line, `coffer fleet` is all there is.
std::vector<char*> arguments_of(int argc, char** argv) {
  static char fleet[] = "fleet";
  std::vector<char*> arguments(argv, argv + argc);
  const bool as_upstream = argc > 0 && std::filesystem::path{argv[0]}.filename() == "propeller-cli";
  if (as_upstream) arguments.insert(arguments.begin() + 1, fleet);
  return arguments;
}

int run(std::vector<char*> arguments) {
  CLI::App app{"Coffer runs encrypted workloads only where they are proven safe.", "coffer"};
  app.set_version_flag("--version", apps::version_text("coffer"));
  app.require_subcommand(1);
  Context context;
  Commands commands(context);
  add_global_options(app, context);
  add_commands(app, commands);
  let_options_fall_through(app);
  try {
    app.parse(static_cast<int>(arguments.size()), arguments.data());
  } catch (const CLI::RequiredError& error) {
    return explain_missing(app, error);
  } catch (const CLI::ParseError& error) {
    const int status = app.exit(error);
    return status == 0 ? 0 : 2;
  }
  return commands.run();
}

}  // namespace
}  // namespace coffer::cli

int main(int argc, char** argv) {
  coffer::forbid_core_dumps();
  std::signal(SIGPIPE, SIG_IGN);
  coffer::log::init("coffer", coffer::log::Level::warn);
  return coffer::cli::run(coffer::cli::arguments_of(argc, argv));
}
