// What every command of `coffer` shares: the global options and how results and errors are shown.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "apps/coffer/home.h"
#include "base/result.h"
#include "codec/json.h"

namespace CLI {
class App;
}

namespace coffer::cli {

enum class CliError {
  usage,            // arguments that do not fit together
  no_home,          // `coffer init` was not run here
  home_exists,      // `coffer init` would overwrite something
  file,             // a file that cannot be read or written
  broker_refused,   // the broker answered with an error
  manager_refused,  // the fleet's manager answered with an error
  atom_refused,     // Atom, upstream's service for identities, answered with an error
  not_a_terminal,   // a secret would be printed to a terminal
  key_exists,       // a new key would take the place of one that images may depend on
};
std::string_view code_name(CliError code);

struct Context {
  std::string home_directory{};        // --home, COFFER_HOME, ~/.coffer
  std::string kbs{};                   // --kbs, COFFER_KBS, or what the home says
  std::string admin_key_file{};        // --admin-key, or what the home says
  std::string kbs_certificate_file{};  // --kbs-cert: PEM roots for an https broker
  bool json = false;

  Home home() const { return Home(home_directory); }
  // What the running broker of this home or its configuration says, where --kbs is not given.
  Result<std::string> kbs_url() const;
  std::string admin_key() const;
};

// A command's result: exit status 0, or the Error that report() shows with status 1 (2 for CliError::usage).
using Command = std::function<Result<int>()>;

// Registers a command's work on its subcommand; main() runs the one that was parsed.
class Commands {
 public:
  explicit Commands(Context& context) : context_(context) {}
  Context& context() { return context_; }
  void on(CLI::App* subcommand, Command command);
  // Runs the parsed subcommand. The exit status.
  int run();

 private:
  Context& context_;
  std::vector<std::pair<CLI::App*, Command>> commands_;
};

// "coffer: <sentence>", then the code and a hint where one is known; with --json an object on standard output.
int report(const Context& context, const Error& error);

void add_init_commands(CLI::App& app, Commands& commands);
void add_resource_commands(CLI::App& app, Commands& commands);
void add_policy_commands(CLI::App& app, Commands& commands);
void add_reference_commands(CLI::App& app, Commands& commands);
void add_image_commands(CLI::App& app, Commands& commands);
void add_run_commands(CLI::App& app, Commands& commands);
void add_attest_commands(CLI::App& app, Commands& commands);
void add_explain_commands(CLI::App& app, Commands& commands);
void add_doctor_commands(CLI::App& app, Commands& commands);
void add_evidence_commands(CLI::App& app, Commands& commands);
void add_simulate_commands(CLI::App& app, Commands& commands);
void add_collateral_commands(CLI::App& app, Commands& commands);
void add_measure_commands(CLI::App& app, Commands& commands);
void add_vm_commands(CLI::App& app, Commands& commands);
void add_fleet_commands(CLI::App& app, Commands& commands);

}  // namespace coffer::cli
