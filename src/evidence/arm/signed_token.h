// A token's COSE_Sign1 envelope, and who may have signed it: a key trusted by configuration, or one that a simulator's
// root certifies in the token's own x5chain (RFC 9360).
#pragma once

#include <optional>
#include <span>
#include <string>

#include "codec/cose.h"
#include "crypto/x509.h"
#include "evidence/arm/trusted_keys.h"

namespace coffer::evidence::arm {

// The codes of the leaf that reads the token.
struct TokenCodes {
  ErrorCode malformed;      // no COSE_Sign1, or headers that such a token does not have
  ErrorCode bad_signature;  // not signed by the key
  ErrorCode untrusted;      // an x5chain that leads to nothing trusted
};

struct SignedToken {
  codec::cose::Sign1 message;
  std::vector<Bytes> x5chain{};  // DER, leaf first; empty in tokens of hardware
};

// The unprotected header may hold a key id, which nobody reads, and x5chain; the protected one the algorithm and a
// content type. `what` names the token in errors.
Result<SignedToken> parse_signed_token(ByteView token, const TokenCodes& codes, const std::string& what);

// Over the bytes received, by ES256, ES384, ES512 or EdDSA as it fits the key.
Result<> verify_signature(const SignedToken& token, const crypto::PublicKey& key, const TokenCodes& codes,
                          const std::string& what);

struct TokenSigner {
  crypto::PublicKey key;
  std::optional<std::string> simulated_root{};
  bool by_any_instance = false;  // the trusted key was configured without an instance id
};

struct SignerSearch {
  const std::vector<TrustedKey>& trusted_keys;
  std::span<const crypto::Certificate> simulated_roots;
  TeeKind kind;
  std::string setting;  // where keys are configured, "psa_verifier.trusted_keys"
};

// Finds the key and verifies the signature with it. collateral_missing: no key for this instance is known.
// simulated_refused: an x5chain to a simulator's root that was not chosen.
Result<TokenSigner> verify_by_trusted_key(const SignedToken& token, ByteView instance_id, ByteView implementation_id,
                                          const SignerSearch& search, const TokenCodes& codes, const std::string& what,
                                          TimePoint now);

}  // namespace coffer::evidence::arm
