#include <CLI/CLI.hpp>
#include <iostream>

#include "apps/coffer/context.h"
#include "apps/coffer/output.h"
#include "apps/runner_flags.h"
#include "guest/exit_code.h"

namespace coffer::cli {
namespace {

Result<int> run(const Context& context, runner::Flags flags) {
  TRY(flags.apply());
  auto& options = flags.options;
  // A home without a broker is fine for plain images: the runner says so if a key turns out to be needed.
  if (const auto url = context.kbs_url()) options.kbs_url = *url;
  if (!context.kbs_certificate_file.empty()) {
    options.kbs_certificate = context.kbs_certificate_file;
  } else if (const auto own = context.home().tls_authority(); std::filesystem::exists(own)) {
    options.kbs_certificate = own;
  }
  if (options.simulator_directory.empty()) options.simulator_directory = context.home().simulator();
  auto outcome = guest::run(options);
  if (context.json) {
    print_json(outcome.report);
  } else if (outcome.error) {
    report(context, *outcome.error);
  }
  return outcome.exit_code;
}

}  // namespace

void add_run_commands(CLI::App& app, Commands& commands) {
  auto* command = app.add_subcommand("run",
                                     "pull an image, attest, decrypt and run its WASM module\n"
                                     "  coffer run localhost:5000/demo:1 --tee sample --invoke add -- 5 10");
  command->footer(std::string{guest::exit_code_help()});
  auto flags = std::make_shared<runner::Flags>();
  command->add_option("REFERENCE", flags->options.image, "image to run: registry/name:tag, or oci:DIR[:TAG]")
      ->required();
  command->add_option("ARGS", flags->positional_args, "arguments of the module");
  flags->add_shared(*command);
  commands.on(command, [&commands, flags] { return run(commands.context(), *flags); });
}

}  // namespace coffer::cli
