// coffer-run: pull, attest, decrypt and run one WASM image. Stands in for upstream's tee-wasm-runner.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <iostream>

#include "apps/runner_flags.h"
#include "apps/version_text.h"
#include "base/log.h"
#include "base/process.h"
#include "guest/exit_code.h"

namespace {

using namespace coffer;

constexpr std::string_view description =
    "Runs the WASM module of an image. An encrypted one is opened with a key that a broker releases to this machine\n"
    "after attestation; decrypted modules stay in memory.\n\n"
    "  coffer-run -i localhost:5000/demo:1 -k http://127.0.0.1:8080 --tee sample --invoke add --wasm-args 5 "
    "--wasm-args 10\n"
    "  coffer-run -i oci:demo --offline-keys ./keys";

void report(const guest::Outcome& outcome, bool json) {
  std::fflush(stdout);
  if (outcome.error) std::cerr << "coffer-run: " << to_string(*outcome.error) << '\n';
  if (json) std::cout << codec::json::serialize(outcome.report) << std::endl;
}

int usage_exit(const CLI::App& app, const CLI::ParseError& error) {
  // Help and version are no errors.
  const bool asked = error.get_exit_code() == 0;
  app.exit(error);
  return asked ? 0 : static_cast<int>(guest::ExitCode::usage);
}

guest::Outcome run(runner::Flags& flags) {
  if (const auto applied = flags.apply(); !applied) {
    return {.exit_code = static_cast<int>(guest::ExitCode::usage), .error = applied.error()};
  }
  return guest::run(flags.options);
}

}  // namespace

int main(int argc, char** argv) {
  forbid_core_dumps();
  log::init("coffer-run");
  CLI::App app{std::string{description}, "coffer-run"};
  app.footer(std::string{guest::exit_code_help()});
  app.set_version_flag("--version", [] { return apps::version_text("coffer-run"); });
  runner::Flags flags;
  flags.add_to(app);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return usage_exit(app, error);
  }
  const auto outcome = run(flags);
  report(outcome, flags.json);
  return outcome.exit_code;
}
