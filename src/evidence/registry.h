// The table of TEEs in this build. Each is a leaf folder and one line in registry.cpp; CMake's COFFER_TEE_<NAME>
// options leave it out.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "evidence/options.h"
#include "evidence/tee.h"

namespace coffer::evidence {

struct RegistryOptions {
  // Names of TEEs that prove nothing and are wanted all the same: "sample", "sampledevice", "simulated:snp".
  std::vector<std::string> allow_tees{};
  // What the user would have to write, for the refusal's text ("coffer-kbs --allow-tee", "--tee").
  std::string allow_switch = "--allow-tee";
  // Which halves are made. A guest that only attests leaves the verifiers out, and their start-up cost with them.
  bool verifiers = true;
  bool attesters = true;
  VerifierOptions verifier{};  // simulated_tees is filled from allow_tees
  AttesterOptions attester{};  // likewise
};

class Registry {
 public:
  // Logs a warning `evidence.sample_in_use` or `evidence.simulator_in_use` for each TEE let in that proves nothing.
  // unknown_tee or not_supported for an `allow_tees` name that is unknown or has no code here.
  static Result<Registry> create(const RegistryOptions& options = {});

  // tee_not_allowed for a sample TEE that was not chosen, not_supported where this build has none, or one that can only
  // name what such evidence says.
  Result<const Verifier*> verifier(TeeKind kind) const;
  // For Verifier::inspect() and from_raw() alone: those, too, whose evidence is always refused.
  Result<const Verifier*> reader(TeeKind kind) const;
  Result<const Attester*> attester(TeeKind kind) const;

  // What this registry would accept now.
  std::vector<TeeKind> verifiers() const;
  std::vector<TeeKind> attesters() const;
  bool sample_allowed() const;

 private:
  Registry() = default;
  struct Entry {
    std::unique_ptr<Verifier> verifier;
    std::unique_ptr<Attester> attester;
  };
  Result<const Entry*> find(TeeKind kind, std::string_view what) const;
  std::map<TeeKind, Entry> entries_;
  std::string allow_switch_;
};

// TEEs with a verifier or attester compiled in, allowed or not: for --version and doctor.
std::vector<TeeKind> built_in_tees();

}  // namespace coffer::evidence
