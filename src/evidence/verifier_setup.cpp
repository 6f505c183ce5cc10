#include "evidence/verifier_setup.h"

#include <algorithm>
#include <fstream>
#include <sstream>

#include "evidence/dcap/collateral.h"

namespace coffer::evidence {

namespace {

Result<std::vector<crypto::Certificate>> read_roots(const std::vector<std::filesystem::path>& files) {
  std::vector<crypto::Certificate> out;
  for (const auto& file : files) {
    const std::ifstream in{file};
    std::ostringstream text;
    text << in.rdbuf();
    if (!in) return fail(EvidenceError::bad_config, "the simulator's root " + file.string() + " cannot be read");
    auto roots = parse_simulator_roots(text.str());
    if (!roots) return fail(std::move(roots).error().with("file", file.string()));
    std::ranges::move(*roots, std::back_inserter(out));
  }
  return out;
}

Result<> check_simulated(const VerifierSetup& setup) {
  for (const auto& name : setup.allow_tees) {
    const auto choice = TRY(parse_tee_choice(name));
    if (!choice.simulated || !setup.simulator_roots.empty()) continue;
    return fail(EvidenceError::bad_config,
                "TEE \"" + name + "\" is allowed, but no simulator's root is named; `coffer simulate init` makes one");
  }
  return {};
}

}  // namespace

Result<Registry> make_verifiers(VerifierSetup setup) {
  TRY(check_simulated(setup));
  RegistryOptions options{
      .allow_tees = std::move(setup.allow_tees), .allow_switch = std::move(setup.allow_switch), .attesters = false};
  // Upstream names Intel's service among the verifiers' settings; one that is named as a service goes before it.
  if (auto url = dcap::configured_service(setup.verifier_config)) {
    setup.collateral.base_urls.try_emplace("intel-pcs", *std::move(url));
  }
  options.verifier.config = std::move(setup.verifier_config);
  options.verifier.simulator_roots = TRY(read_roots(setup.simulator_roots));
  options.verifier.collateral = TRY(CollateralCache::create(std::move(setup.collateral)));
  return Registry::create(options);
}

Result<std::pair<std::string, std::string>> parse_collateral_service(std::string_view text) {
  const auto equals = text.find('=');
  const auto name = text.substr(0, equals);
  const auto known = collateral_services();
  if (equals != std::string_view::npos && std::ranges::find(known, name, &CollateralService::name) != known.end()) {
    return std::pair{std::string{name}, std::string{text.substr(equals + 1)}};
  }
  std::string names;
  for (const auto& service : known) names += (names.empty() ? "" : ", ") + std::string{service.name};
  return fail(EvidenceError::bad_config,
              "\"" + std::string{text} + "\" is expected to be SERVICE=URL with a service of " + names);
}

}  // namespace coffer::evidence
