// What a relying party trusts to have issued attestation tokens.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "appraisal/token_verifier.h"
#include "codec/jose/jwk.h"

namespace coffer::appraisal::detail {

struct Anchors {
  std::vector<crypto::Certificate> certificates;
  std::vector<codec::jose::Jwk> keys;
  bool header_jwk = false;  // the insecure choice

  bool none() const { return certificates.empty() && keys.empty() && !header_jwk; }
  const codec::jose::Jwk* find(std::string_view kid) const;
};

// Reads every configured file and URL once. Error: bad_anchor, naming it.
Result<Anchors> load_anchors(const TokenVerifierOptions& options);

}  // namespace coffer::appraisal::detail
