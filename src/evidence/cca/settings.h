// What the CCA verifier is configured with.
#pragma once

#include "evidence/arm/trusted_keys.h"

namespace coffer::evidence::cca {

struct Settings {
  std::vector<arm::TrustedKey> trusted_keys{};
  bool allow_unsecured = false;
};

// bad_config. The second source is upstream's file, see cca.h.
Result<Settings> read_settings(const codec::json::Object& config);
Result<Settings> read_upstream_config(const std::filesystem::path& file);

}  // namespace coffer::evidence::cca
