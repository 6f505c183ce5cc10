// The simulator's own certificate authority: what `coffer simulate init` makes, and what simulators sign under.
#pragma once

#include <filesystem>
#include <string_view>

#include "base/clock.h"
#include "crypto/x509.h"
#include "evidence/options.h"

namespace coffer::evidence {

struct SimulatorRoot {
  crypto::Certificate certificate;
  crypto::PrivateKey key;
  crypto::Issuer issuer() const { return {certificate, key}; }
};

// A fresh root whose subject says simulator_mark, valid for ten years from an hour before `now`.
Result<SimulatorRoot> make_simulator_root(TimePoint now, crypto::KeyKind kind = crypto::KeyKind::ec_p384);

// A root of nobody's, without the mark: the simulators' fault "wrong-root".
Result<SimulatorRoot> make_foreign_root(TimePoint now);

// <directory>/<name>.pem and <directory>/<name>.key (mode 0600). The directory is made where it is absent; present
// files are replaced. bad_config where they cannot be written.
Result<> write_simulator_root(const std::filesystem::path& directory, const SimulatorRoot& root,
                              std::string_view name = "root");
// bad_config where the files are absent, do not parse or do not belong together; simulated_refused for a certificate
// without the mark.
Result<SimulatorRoot> load_simulator_root(const std::filesystem::path& directory, std::string_view name = "root");

}  // namespace coffer::evidence
