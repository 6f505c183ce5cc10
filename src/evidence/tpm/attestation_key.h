// The key that signs quotes: a persistent one that an owner has made, or one derived from the TPM's endorsement seed.
#pragma once

#include <optional>

#include "crypto/keys.h"
#include "evidence/tpm/tss_context.h"

namespace coffer::evidence::tpm {

struct AkChoice {
  TPM2_HANDLE handle = 0x81010002;  // upstream's default
  bool explicitly = false;          // whoever names a handle wants that key and no other
  bool create = false;              // make the key persistent where it is absent
};

struct LoadedKey {
  ESYS_TR object;
  bool transient;  // to be flushed after use
  crypto::PublicKey public_key;
  TPMT_SIG_SCHEME scheme;
};

// The key at the handle. Where there is none, a restricted RSA-2048 signing key is derived from the endorsement seed:
// it is the same each time for one TPM, and nothing is written into it unless `create` says so. `saved` holds the
// derived key's context between calls, because deriving takes a second on real hardware. no_device for an explicit
// handle without a key.
Result<LoadedKey> load_attestation_key(const TssContext& tpm, const AkChoice& choice,
                                       std::optional<TPMS_CONTEXT>& saved);

}  // namespace coffer::evidence::tpm
