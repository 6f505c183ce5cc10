#include <CLI/CLI.hpp>
#include <iostream>

#include "apps/coffer/context.h"
#include "apps/coffer/output.h"
#include "guest/exit_code.h"
#include "guest/runner.h"

namespace coffer::cli {
namespace {

struct Flags {
  guest::RunnerOptions options;
  std::string mode = "auto";
  double timeout_seconds = 0;
  std::vector<std::string> offline_keys;
};

Result<int> run(const Context& context, Flags flags) {
  auto& options = flags.options;
  options.mode = TRY(guest::parse_mode(flags.mode));
  options.timeout = Duration(static_cast<std::int64_t>(flags.timeout_seconds * 1000));
  for (const auto& path : flags.offline_keys) options.offline_keys.emplace_back(path);
  // A home without a broker is fine for plain images: the runner says so if a key turns out to be needed.
  if (const auto url = context.kbs_url()) options.kbs_url = *url;
  if (!context.kbs_certificate_file.empty()) {
    options.kbs_certificate = context.kbs_certificate_file;
  } else if (const auto own = context.home().tls_authority(); std::filesystem::exists(own)) {
    options.kbs_certificate = own;
  }
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
                                     "  coffer run localhost:5000/demo:1 --tee sample --invoke add 5 10");
  command->footer(std::string{guest::exit_code_help()});
  auto flags = std::make_shared<Flags>();
  auto& options = flags->options;
  command->add_option("REFERENCE", options.image)->required();
  command->add_option("ARGS", options.wasm_args, "arguments of the module");
  command->add_option("--tee", options.tee, "attest as this TEE; sample only by name");
  command->add_option("--invoke", options.invoke, "an exported function instead of the command's start");
  command->add_option("--mode", flags->mode, "auto, background-check, passport or offline")->capture_default_str();
  command->add_option("--issuer-uri", options.issuer_url, "passport mode: the broker that attests");
  command->add_option("--offline-keys", flags->offline_keys, "directory or offline_fs_kbc file with keys");
  command->add_option("--key-id", options.key_id, "instead of the annotation's kid");
  command->add_flag("--require-encrypted", options.require_encrypted, "refuse a plain image");
  command->add_flag("--plain-http", options.plain_http, "talk HTTP to the registry");
  command->add_option("--timeout", flags->timeout_seconds, "seconds that the module may take");
  command->add_option("--fuel", options.fuel, "units of work that the module may use");
  command->add_option("--memory", options.max_memory, "bytes of memory that the module may use");
  command->positionals_at_end(false);
  commands.on(command, [&commands, flags] { return run(commands.context(), *flags); });
}

}  // namespace coffer::cli
