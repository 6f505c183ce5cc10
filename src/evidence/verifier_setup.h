// From a service's settings to verifiers: the one way that broker, attestation service and command line go.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "evidence/collateral/collateral_cache.h"
#include "evidence/registry.h"

namespace coffer::evidence {

struct VerifierSetup {
  std::vector<std::string> allow_tees{};
  std::string allow_switch = "--allow-tee";
  codec::json::Object verifier_config{};
  std::vector<std::filesystem::path> simulator_roots{};  // PEM files
  CollateralCacheOptions collateral{};
};

// bad_config where a simulated TEE is allowed without a simulator's root or a root's file cannot be read; otherwise
// what parse_simulator_roots(), CollateralCache::create() and Registry::create() say.
Result<Registry> make_verifiers(VerifierSetup setup);

// "amd-kds=http://127.0.0.1:8082", as command lines take it. bad_config for a service that nobody knows.
Result<std::pair<std::string, std::string>> parse_collateral_service(std::string_view text);

}  // namespace coffer::evidence
