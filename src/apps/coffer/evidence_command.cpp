#include <CLI/CLI.hpp>
#include <iostream>

#include "apps/coffer/context.h"
#include "apps/coffer/evidence_diff.h"
#include "apps/coffer/evidence_input.h"
#include "apps/coffer/output.h"
#include "base/clock.h"
#include "base/printable.h"

namespace coffer::cli {
namespace {

using codec::json::Array;
using codec::json::Object;
using codec::json::Value;

// "name  value", one line each, nested names joined by dots; events and other lists of objects one line an element.
void print_fields(const Value& value, const std::string& name) {
  if (const auto* object = value.if_object()) {
    for (const auto& [key, member] : *object) {
      std::string inner = name;
      if (!inner.empty()) inner += '.';
      print_fields(member, inner + key);
    }
    return;
  }
  const auto* array = value.if_array();
  const bool objects = array != nullptr && !array->empty() && array->front().is_object();
  if (!objects) {
    const auto* text = value.if_string();
    std::cout << printable(name) << "  " << printable(text != nullptr ? *text : codec::json::serialize(value)) << "\n";
    return;
  }
  for (std::size_t i = 0; i < array->size(); ++i) {
    std::cout << printable(name) << "[" << i << "]  " << printable(codec::json::serialize((*array)[i])) << "\n";
  }
}

Result<int> inspect(const Context& context, const EvidenceOptions& options, const std::string& file) {
  const auto fields = TRY(read_unverified(options, file));
  if (context.json) {
    print_json(Object{{"verified", false}, {"tee", options.tee}, {"fields", fields}});
    return 0;
  }
  std::cout << "NOT VERIFIED: this shows what the evidence says, and proves nothing\n";
  print_fields(Value(fields), "");
  std::cout.flush();
  return 0;
}

Object shown(const evidence::Claims& claims) {
  Object out{{"claims", claims.claims}};
  if (claims.report_data) out.set("report_data", *claims.report_data);
  if (claims.init_data) out.set("init_data", *claims.init_data);
  if (claims.simulated_root) out.set("simulated_root", *claims.simulated_root);
  return out;
}

void print_verified(const OfflineVerifier& verifier, const std::vector<evidence::Claims>& devices) {
  std::cout << "VERIFIED as of " << format_rfc3339(verifier.at()) << "\n";
  if (!verifier.bound()) {
    std::cout << "but bound to nothing: without --report-data anyone may have recorded it at any time\n";
  }
  for (const auto& device : devices) {
    if (device.simulated_root) std::cout << "SIMULATED: it chains to " << printable(*device.simulated_root) << "\n";
    print_fields(Value(shown(device)), "");
  }
  std::cout.flush();
}

Result<int> verify(const Context& context, const EvidenceOptions& options, const std::string& file) {
  const auto verifier = TRY(OfflineVerifier::create(options));
  const auto evidence = TRY(load_evidence(file, verifier.verifier(), options));
  const auto devices = TRY(verifier.verify(evidence));
  if (!context.json) {
    print_verified(verifier, devices);
    return 0;
  }
  Array out;
  for (const auto& device : devices) out.push_back(shown(device));
  print_json(Object{{"verified", true},
                    {"tee", options.tee},
                    {"at", format_rfc3339(verifier.at())},
                    {"bound", verifier.bound()},
                    {"devices", std::move(out)}});
  return 0;
}

struct DiffOptions {
  EvidenceOptions evidence;
  std::string expected;
  std::string actual;
};

// Like diff(1): 0 where nothing differs, 1 where something does.
Result<int> diff(const Context& context, const DiffOptions& options) {
  const auto expected = TRY(read_unverified(options.evidence, options.expected));
  const auto actual = TRY(read_unverified(options.evidence, options.actual));
  const auto difference = compare_evidence(expected, actual);
  if (context.json) {
    print_json(difference.to_json());
  } else {
    std::cout << difference.to_text();
    std::cout.flush();
  }
  return difference.empty() ? 0 : 1;
}

}  // namespace

void add_evidence_commands(CLI::App& app, Commands& commands) {
  auto* group = app.add_subcommand("evidence", "look into evidence, verify it offline, compare two pieces of it");
  group->require_subcommand(1);

  struct FileOptions {
    EvidenceOptions evidence;
    std::string file;
  };
  auto* inspect_command = group->add_subcommand(
      "inspect", "every field, without trusting it\n  coffer evidence inspect --tee snp report.bin");
  auto inspect_options = std::make_shared<FileOptions>();
  inspect_options->evidence.add_tee(inspect_command);
  inspect_command->add_option("FILE", inspect_options->file, "evidence document (JSON), or raw report, quote, document")
      ->required();
  commands.on(inspect_command, [&commands, inspect_options] {
    return inspect(commands.context(), inspect_options->evidence, inspect_options->file);
  });

  auto* verify_command = group->add_subcommand("verify",
                                               "exit 0 only when everything was verified\n"
                                               "  coffer evidence verify --tee snp report.bin --cert vcek.der");
  auto verify_options = std::make_shared<FileOptions>();
  verify_options->evidence.add_to(verify_command);
  verify_command->add_option("FILE", verify_options->file, "evidence document (JSON), or raw report, quote, document")
      ->required();
  commands.on(verify_command, [&commands, verify_options] {
    return verify(commands.context(), verify_options->evidence, verify_options->file);
  });

  auto* diff_command = group->add_subcommand("diff",
                                             "the first register and event in which two boots differ\n"
                                             "  coffer evidence diff --tee tdx expected.json actual.json");
  auto diff_options = std::make_shared<DiffOptions>();
  diff_options->evidence.add_tee(diff_command);
  diff_command->add_option("EXPECTED", diff_options->expected, "evidence of the boot that was right")->required();
  diff_command->add_option("ACTUAL", diff_options->actual, "evidence of the other one")->required();
  commands.on(diff_command, [&commands, diff_options] { return diff(commands.context(), *diff_options); });
}

}  // namespace coffer::cli
