// Encryption with everything random given by the caller, so that published answers can be reproduced.
#pragma once

#include <optional>
#include <span>

#include "codec/jose/jwe.h"

namespace coffer::codec::jose::detail {

struct JweRandomness {
  SecretBytes content_key;                        // 32 bytes, A256GCM
  Bytes iv;                                       // 12 bytes
  std::optional<crypto::PrivateKey> ephemeral{};  // where the algorithm is an agreement
};

Result<std::string> encrypt_flattened_with(ByteView plaintext, const crypto::PublicKey& recipient,
                                           KeyManagement algorithm, const JweRandomness& randomness);

}  // namespace coffer::codec::jose::detail
