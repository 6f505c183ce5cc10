// A broker that issues whatever token a test asks for.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "appraisal/ear.h"
#include "appraisal/token_signer.h"
#include "codec/jose/jwk.h"
#include "storage/key_value_store.h"

namespace coffer::fleet {

// Everything in order but, where asked for, the hardware: 2 affirming, 33 warning, 97 contraindicated.
inline appraisal::TrustVector vector_of(std::int8_t hardware) {
  auto vector = appraisal::TrustVector::zeros();
  for (const auto name : appraisal::TrustVector::names) (void)vector.set(name, 2);
  (void)vector.set("hardware", hardware);
  return vector;
}

inline appraisal::Submodule submodule(std::string name, evidence::TeeKind tee, std::int8_t hardware,
                                      bool simulated = false) {
  evidence::Claims claims{.claims = {{"measurement", "ab"}}};
  if (simulated) claims.simulated_root = "CN=SIMULATED, NOT SECURE";
  return {.name = std::move(name),
          .vector = vector_of(hardware),
          .policy_id = "default",
          .annotated_evidence = appraisal::annotate({.tee = tee, .claims = std::move(claims)})};
}

class TokenIssuer {
 public:
  explicit TokenIssuer(TimePoint now)
      : now_(now),
        store_(storage::make_memory_store()),
        signer_(*appraisal::TokenSigner::load_or_create(*store_, now)) {}

  // For five minutes.
  std::string token(const crypto::PrivateKey& tee_key, const std::vector<appraisal::Submodule>& submodules) const {
    auto claims = appraisal::ear_claims(submodules, {}, now_);
    claims.set("tee-pubkey", codec::jose::to_jwk(tee_key.public_key(), "ECDH-ES+A256KW"));
    return *signer_.sign(claims);
  }
  crypto::Certificate anchor() const { return signer_.chain().back(); }

 private:
  TimePoint now_;
  std::unique_ptr<storage::KeyValueStore> store_;
  appraisal::TokenSigner signer_;
};

}  // namespace coffer::fleet
