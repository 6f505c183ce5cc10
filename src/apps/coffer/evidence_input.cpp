#include "apps/coffer/evidence_input.h"

#include <CLI/CLI.hpp>

#include "apps/coffer/collateral_files.h"
#include "base/clock.h"
#include "codec/base64.h"

namespace coffer::cli {
namespace {

using codec::json::Value;

constexpr std::size_t max_evidence_size = 16U << 20;

bool looks_like_json(ByteView bytes) {
  const auto text = as_text(bytes);
  const auto first = text.find_first_not_of(" \t\r\n");
  return first != std::string_view::npos && text[first] == '{';
}

// PEM text with any number of certificates, or one in DER.
Result<std::vector<Bytes>> read_certificates(const std::vector<std::string>& files) {
  std::vector<Bytes> out;
  for (const auto& file : files) {
    auto content = TRY(read_file(file, 1U << 20));
    if (as_text(content).find("-----BEGIN") == std::string_view::npos) {
      out.push_back(TRY(crypto::Certificate::from_der(content)).der());
      continue;
    }
    for (const auto& certificate : TRY(crypto::Certificate::chain_from_pem(as_text(content)))) {
      out.push_back(certificate.der());
    }
  }
  return out;
}

Result<std::optional<Bytes>> hex_option(const std::string& text, std::string_view option) {
  if (text.empty()) return std::optional<Bytes>{};
  auto bytes = codec::hex_decode(text);
  if (!bytes) return fail(CliError::usage, std::string{option} + " takes bytes in hex: " + bytes.error().message);
  return std::optional{*std::move(bytes)};
}

Result<evidence::VerifierOptions> verifier_options(const EvidenceOptions& options) {
  evidence::VerifierOptions out;
  if (!options.verifier_config.empty()) {
    const auto value = TRY(codec::json::parse(as_text(TRY(read_file(options.verifier_config, 1U << 20)))));
    out.config = *TRY(value.as_object(options.verifier_config));
  }
  for (const auto& file : options.simulator_roots) {
    auto roots = TRY(evidence::parse_simulator_roots(as_text(TRY(read_file(file, 1U << 20)))));
    out.simulator_roots.insert(out.simulator_roots.end(), roots.begin(), roots.end());
  }
  if (!options.collateral.empty()) out.collateral = TRY(open_collateral_files(options.collateral));
  return out;
}

}  // namespace

void EvidenceOptions::add_tee(CLI::App* command) {
  command->add_option("--tee", tee, "the TEE that the evidence is from: snp, tdx, sgx, nitro, tpm, ...")->required();
}

void EvidenceOptions::add_to(CLI::App* command) {
  add_tee(command);
  const auto repeated = [command](std::string name, std::vector<std::string>& into, std::string help) {
    command->add_option(std::move(name), into, std::move(help))->allow_extra_args(false);
  };
  repeated("--cert", certificates, "certificate that belongs to the evidence, PEM or DER (VCEK, ...)");
  repeated("--collateral", collateral, "endorsements: an export of `coffer collateral`, a PCS file, or a directory");
  command->add_option("--at", at, "verify as of this time, RFC 3339 (default: now)");
  command->add_option("--report-data", report_data, "what the evidence is expected to be bound to, in hex");
  command->add_option("--init-data-digest", init_data, "digest of the init-data it is expected to state, in hex");
  repeated("--simulator-root", simulator_roots, "root of a simulator, for --tee simulated:TEE");
  command->add_option("--verifier-config", verifier_config,
                      "JSON as in the broker's verifier_config: trusted keys, roots, what debug allows");
}

Result<Value> load_evidence(const std::string& file, const evidence::Verifier& verifier,
                            const EvidenceOptions& options) {
  const auto content = TRY(read_file(file, max_evidence_size));
  const auto certificates = TRY(read_certificates(options.certificates));
  if (!looks_like_json(content)) return verifier.from_raw(content, certificates);
  auto evidence = TRY(codec::json::parse(as_text(content)));
  if (certificates.empty()) return evidence;
  return verifier.with_certificates(evidence, certificates);
}

Result<OfflineVerifier> OfflineVerifier::create(const EvidenceOptions& options,
                                                std::shared_ptr<evidence::Collateral> collateral) {
  const auto at = options.at.empty() ? system_clock().now() : TRY(parse_rfc3339(options.at));
  const auto choice = TRY(evidence::parse_tee_choice(options.tee));
  if (choice.simulated && options.simulator_roots.empty()) {
    return fail(CliError::usage, "--tee " + options.tee + " takes the simulator's root: --simulator-root FILE");
  }
  evidence::Binding binding {
    TRY(hex_option(options.report_data, "--report-data"))
    , TRY(hex_option(options.init_data, "--init-data-digest"))
  };
  evidence::RegistryOptions registry_options{.allow_switch = "--tee", .attesters = false};
  if (choice.simulated || evidence::is_sample(choice.kind)) registry_options.allow_tees.push_back(options.tee);
  registry_options.verifier = TRY(verifier_options(options));
  if (collateral != nullptr) registry_options.verifier.collateral = std::move(collateral);
  auto registry = TRY(evidence::Registry::create(registry_options));
  const auto* verifier = TRY(registry.verifier(choice.kind));
  return OfflineVerifier(std::move(registry), verifier, at, std::move(binding));
}

Result<std::vector<evidence::Claims>> OfflineVerifier::verify(const Value& evidence) const {
  return verifier_->verify(evidence, binding_, at_);
}

}  // namespace coffer::cli
