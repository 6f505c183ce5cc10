#include <CLI/CLI.hpp>
#include <iostream>

#include "apps/coffer/admin_client.h"
#include "apps/coffer/context.h"
#include "apps/coffer/output.h"
#include "apps/coffer/report_bundle.h"
#include "apps/version_text.h"
#include "evidence/detect.h"
#include "keyclient/probe.h"

namespace coffer::cli {
namespace {

using codec::json::Array;
using codec::json::Object;

Object probe_json(const keyclient::ProbeResult& result) {
  Array observations, tees;
  for (const auto& line : result.observations) observations.emplace_back(line);
  for (const auto& tee : result.tees) tees.emplace_back(tee);
  return Object{{"url", result.url},
                {"kind", keyclient::name_of(result.kind)},
                {"software", result.software},
                {"protocol_version", result.protocol_version},
                {"version_matches", result.version_matches},
                {"tees", tees},
                {"unattested_reads", result.unattested_reads},
                {"observations", observations},
                {"advice", result.advice}};
}

void print_probe(const keyclient::ProbeResult& result) {
  std::cout << result.url << " is " << keyclient::name_of(result.kind) << "\n";
  if (!result.software.empty()) std::cout << "  software  " << result.software << "\n";
  if (!result.protocol_version.empty()) {
    std::cout << "  protocol  " << result.protocol_version
              << (result.version_matches ? " (matches)" : " (does not match 0.4.0)") << "\n";
  }
  for (const auto& line : result.observations) std::cout << "  saw       " << line << "\n";
  if (!result.advice.empty()) std::cout << "  advice    " << result.advice << "\n";
  std::cout.flush();
}

// A passport-only broker tells no version, and needs none: the handshake is with the issuer.
bool usable(const keyclient::ProbeResult& result) {
  const bool known_kind =
      result.kind == keyclient::BrokerKind::background_check || result.kind == keyclient::BrokerKind::passport;
  return known_kind && (result.version_matches || result.protocol_version.empty());
}

Result<int> probe_broker(const Context& context, const std::string& url) {
  keyclient::ProbeOptions options;
  options.http = TRY(broker_http_client(context));
  const auto result = keyclient::probe(url.empty() ? TRY(context.kbs_url()) : url, options);
  if (context.json) {
    print_json(probe_json(result));
  } else {
    print_probe(result);
  }
  return usable(result) ? 0 : 1;
}

// 1: this machine cannot attest.
Result<int> probe_machine(const Context& context) {
  const auto findings = evidence::survey_tees();
  const auto chosen = std::ranges::find(findings, true, &evidence::TeeFinding::taken);
  if (context.json) {
    print_json(apps::machine_json());
  } else {
    std::cout << "this machine's TEE: " << (chosen == findings.end() ? "none" : evidence::wire_name(chosen->kind))
              << "\n";
    for (const auto& finding : findings) std::cout << "  " << evidence::to_text(finding) << "\n";
    std::cout.flush();
  }
  return chosen == findings.end() ? 1 : 0;
}

}  // namespace

void add_doctor_commands(CLI::App& app, Commands& commands) {
  auto* doctor = app.add_subcommand("doctor",
                                    "find out why something does not work\n"
                                    "  coffer doctor kbs http://10.0.2.2:8082\n"
                                    "  coffer doctor tee\n"
                                    "  coffer doctor --report report.json");
  auto report_file = std::make_shared<std::string>();
  doctor->add_option("--report", *report_file, "write versions, redacted configuration and last errors to a new file");
  auto* kbs = doctor->add_subcommand("kbs", "what stands at an address: background-check, passport-only, or no broker");
  auto url = std::make_shared<std::string>();
  kbs->add_option("URL", *url, "default: the broker of this home");
  commands.on(kbs, [&commands, url] { return probe_broker(commands.context(), *url); });
  auto* tee = doctor->add_subcommand("tee", "which TEE this machine shows, and why others were not taken; 1: none");
  commands.on(tee, [&commands] { return probe_machine(commands.context()); });
  commands.on(doctor, [&commands, report_file]() -> Result<int> {
    if (report_file->empty()) return probe_broker(commands.context(), "");
    return write_report_bundle(commands.context(), *report_file);
  });
}

}  // namespace coffer::cli
