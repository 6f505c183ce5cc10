// One PEM block (RFC 7468), with its content in memory that is wiped.
#pragma once

#include <optional>
#include <string>

#include "base/secret_bytes.h"
#include "crypto/detail/openssl.h"

namespace coffer::crypto::detail {

struct PemBlock {
  std::string label;
  bool encrypted = false;  // by the header lines of RFC 1421
  SecretBytes content;
};

// The next block of the text that `bio` reads; nothing at its end. bad_key where a block is damaged.
Result<std::optional<PemBlock>> next_pem_block(BIO* bio);

}  // namespace coffer::crypto::detail
