#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>

#include "apps/coffer/context.h"
#include "apps/coffer/output.h"
#include "apps/coffer/simulate_serve.h"
#include "base/clock.h"
#include "base/printable.h"
#include "codec/base64.h"
#include "evidence/chosen_attester.h"
#include "evidence/dcap/simulate.h"
#include "evidence/simulator_root.h"
#include "evidence/simulator_settings.h"
#include "evidence/vendors/vendor_services.h"

namespace coffer::cli {
namespace {

using codec::json::Object;
using codec::json::Value;

struct InitSimulator {
  bool replace = false;
};

struct Dials {
  std::string tee;
  std::string service;  // instead of a TEE
  std::vector<std::string> faults;
  std::vector<std::string> values;
  bool reset = false;
};

struct EvidenceRequest {
  std::string tee;
  std::string report_data;
  std::string output;
};

std::filesystem::path root_file(const Context& context) {
  return context.home().simulator() / "root.pem";
}

Result<int> init(const Context& context, const InitSimulator& options) {
  const auto directory = context.home().simulator();
  if (std::filesystem::exists(root_file(context)) && !options.replace) {
    return fail(CliError::home_exists, root_file(context).string() +
                                           " is there already; nothing was changed. --replace makes a new one, and "
                                           "evidence under the old one is refused from then on");
  }
  TRY(make_simulator(directory));
  if (context.json) {
    print_json(Object{{"directory", directory.string()}, {"root", root_file(context).string()}});
    return 0;
  }
  std::cout << "made " << directory.string() << "\n"
            << "  root.pem             the root that all simulated evidence chains to\n"
            << "  root.key             its key: whoever holds it makes evidence that such a broker accepts\n"
            << "  dcap-collateral.json Intel's collateral of simulated TDX and SGX machines\n"
            << "a broker accepts it where [coffer] says so: allow_tees = [\"simulated:snp\"] and simulator_roots = [\""
            << root_file(context).string() << "\"]" << std::endl;
  return 0;
}

// "measurement=00ff": a number where it looks like a small one, text otherwise. Digests are longer than any number.
Result<std::pair<std::string, Value>> parse_value(const std::string& text) {
  const auto equals = text.find('=');
  if (equals == std::string::npos || equals == 0) {
    return fail(CliError::usage, "--value \"" + text + "\": expected NAME=VALUE");
  }
  const auto content = text.substr(equals + 1);
  const bool number = !content.empty() && content.size() <= 5 &&
                      std::ranges::all_of(content, [](unsigned char c) { return c >= '0' && c <= '9'; });
  return std::pair{text.substr(0, equals),
                   number ? Value{static_cast<std::int64_t>(std::stoi(content))} : Value{content}};
}

// Whose dials are turned: a TEE's by its wire name, or a vendor's service's.
Result<std::string> turned(const Dials& dials) {
  if (dials.service.empty()) return std::string {
      wire_name(TRY(evidence::parse_tee_kind(dials.tee)))
    };
  TRY(check_vendor_service(dials.service));
  for (const auto& fault : dials.faults) TRY(evidence::check_vendor_fault(fault));
  return dials.service;
}

Result<int> turn(const Context& context, const Dials& dials) {
  if (dials.tee.empty() == dials.service.empty()) return fail(CliError::usage, "expected --tee or --service");
  const auto name = TRY(turned(dials));
  const auto directory = context.home().simulator();
  auto settings = dials.reset ? evidence::SimulatorSettings{} : TRY(evidence::load_simulator_settings(directory, name));
  for (const auto& fault : dials.faults) {
    if (!settings.has_fault(fault)) settings.faults.push_back(fault);
  }
  for (const auto& text : dials.values) {
    auto [value_name, value] = TRY(parse_value(text));
    settings.values.set(value_name, std::move(value));
  }
  TRY(evidence::save_simulator_settings(directory, name, settings));
  codec::json::Array faults;
  for (const auto& fault : settings.faults) faults.emplace_back(fault);
  const Object shown{
      {dials.service.empty() ? "tee" : "service", name}, {"faults", std::move(faults)}, {"values", settings.values}};
  if (context.json) {
    print_json(shown);
  } else {
    std::cout << printable(codec::json::serialize(shown)) << std::endl;
  }
  return 0;
}

Result<int> make_evidence(const Context& context, const EvidenceRequest& request) {
  auto report_data = codec::hex_decode(request.report_data);
  if (!report_data) return fail(CliError::usage, "--report-data takes bytes in hex: " + report_data.error().message);
  const auto chosen = TRY(evidence::ChosenAttester::choose(
      {.tee = "simulated:" + request.tee, .simulator_directory = context.home().simulator()}));
  const auto text = codec::json::serialize(TRY(chosen.attester().attest(*report_data)));
  if (request.output.empty()) {
    std::cout << text << std::endl;
    return 0;
  }
  TRY(write_file(request.output, as_bytes(text + "\n")));
  if (context.json) print_json(Object{{"file", request.output}});
  return 0;
}

Result<> remove_files(const std::filesystem::path& directory, std::string_view prefix) {
  std::error_code failed;
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(directory, failed)) {
    if (entry.path().filename().string().starts_with(prefix)) files.push_back(entry.path());
  }
  // A directory that is not there yet is empty.
  if (failed == std::errc::no_such_file_or_directory) return {};
  for (const auto& file : files) std::filesystem::remove(file, failed);
  if (!failed) return {};
  return fail(CliError::file, directory.string() + " cannot be cleared: " + failed.message());
}

}  // namespace

Result<> make_simulator(const std::filesystem::path& directory) {
  const auto root = TRY(evidence::make_simulator_root(system_clock().now()));
  std::error_code ignored;
  // What hung on an older root: made anew below, and by the next simulated TPM.
  for (const auto* name : {"tpm-ak.pem", "tpm-ak.key", "dcap-pck-ca.pem", "dcap-pck-ca.key", "dcap-collateral.json"}) {
    std::filesystem::remove(directory / name, ignored);
  }
  TRY(remove_files(directory, "snp-"));
  TRY(evidence::write_simulator_root(directory, root));
  TRY(evidence::dcap::open_simulated_authority(directory));
  return {};
}

void add_simulate_commands(CLI::App& app, Commands& commands) {
  auto* group = app.add_subcommand("simulate", "evidence of simulated hardware, real in every byte but its root");
  group->require_subcommand(1);

  auto* init_command = group->add_subcommand("init", "make the simulator's keys\n  coffer simulate init");
  auto init_options = std::make_shared<InitSimulator>();
  init_command->add_flag("--replace", init_options->replace, "make new keys where there are some");
  commands.on(init_command, [&commands, init_options] { return init(commands.context(), *init_options); });

  auto* set_command = group->add_subcommand("set",
                                            "what the next evidence says, and which fault it has\n"
                                            "  coffer simulate set --tee snp --fault debug\n"
                                            "  coffer simulate set --tee snp --reset\n"
                                            "  coffer simulate set --service amd-kds --fault rate-limited");
  auto dials = std::make_shared<Dials>();
  set_command->add_option("--tee", dials->tee,
                          "snp, tdx, sgx, nitro, tpm, az-snp-vtpm, az-tdx-vtpm, nvidia, cca, psa or keystone");
  set_command->add_option("--service", dials->service, "a vendor's service of `coffer simulate serve` instead");
  set_command->add_option("--fault", dials->faults, "a fault by name, as the TEE's page lists them")
      ->allow_extra_args(false);
  set_command->add_option("--value", dials->values, "NAME=VALUE, bytes in hex")->allow_extra_args(false);
  set_command->add_flag("--reset", dials->reset, "forget all faults and values first");
  commands.on(set_command, [&commands, dials] { return turn(commands.context(), *dials); });

  add_simulate_serve_command(*group, commands);

  auto* evidence_command = group->add_subcommand("evidence",
                                                 "one piece of simulated evidence\n"
                                                 "  coffer simulate evidence --tee snp --report-data 00ff -o snp.json");
  auto request = std::make_shared<EvidenceRequest>();
  evidence_command
      ->add_option("--tee", request->tee,
                   "snp, tdx, sgx, nitro, tpm, az-snp-vtpm, az-tdx-vtpm, nvidia, cca, psa or keystone")
      ->required();
  evidence_command->add_option("--report-data", request->report_data, "what it is bound to, in hex")->required();
  evidence_command->add_option("-o,--output", request->output, "file to write (default: standard output)");
  commands.on(evidence_command, [&commands, request] { return make_evidence(commands.context(), *request); });
}

}  // namespace coffer::cli
