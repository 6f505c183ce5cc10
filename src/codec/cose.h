// COSE_Sign1 (RFC 9052 section 4.2), verified over the bytes received, never over a re-encoding.
#pragma once

#include <optional>
#include <span>

#include "codec/cbor.h"
#include "crypto/keys.h"

namespace coffer::codec::cose {

enum class CoseError { malformed, unsupported_algorithm, algorithm_not_allowed, bad_signature, critical_header };
std::string_view code_name(CoseError code);

struct Sign1 {
  Bytes protected_bytes{};           // as received
  cbor::Value protected_header{};    // a map; empty where protected_bytes is empty
  cbor::Value unprotected_header{};  // a map
  Bytes payload{};                   // empty where detached
  bool detached = false;
  Bytes signature{};
  std::optional<crypto::SignatureAlgorithm> algorithm{};  // protected header label 1; nothing where absent or unknown

  // Accepts the tagged (18) and the untagged form. A label in both headers is malformed.
  static Result<Sign1> parse(ByteView data);
};

// Checks algorithm against `allowed`, critical headers (section 3.1: unknown ones are refused), then the signature
// over Sig_structure. `payload` is given for a detached content, and only then. An algorithm outside the protected
// header does not count.
Result<> verify(const Sign1& message, const crypto::PublicKey& key, std::span<const crypto::SignatureAlgorithm> allowed,
                ByteView external_aad = {}, std::optional<ByteView> payload = std::nullopt);

// Tagged COSE_Sign1 with the algorithm in the protected header.
Result<Bytes> sign(ByteView payload, const crypto::PrivateKey& key, crypto::SignatureAlgorithm algorithm,
                   cbor::Map unprotected = {}, ByteView external_aad = {});

}  // namespace coffer::codec::cose
