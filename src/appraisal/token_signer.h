// The key that signs attestation tokens: ES256 with the certificate chain in the header (trustee.md 3).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "appraisal/error.h"
#include "codec/json.h"
#include "crypto/x509.h"
#include "storage/key_value_store.h"

namespace coffer::appraisal {

struct SignerFiles {
  SecretBytes key_pem;                     // P-256
  std::optional<std::string> chain_pem{};  // leaf first; the leaf's key must be key_pem's
  std::optional<std::string> cert_url{};   // x5u
};

class TokenSigner {
 public:
  // bad_signer where the key is not P-256, or the chain's leaf holds another key.
  static Result<TokenSigner> from_files(const SignerFiles& files);
  // The key and self-signed certificate kept in the store (namespace attestation_service_signer, key signer.pem), made
  // on first use. Replicas on one store agree: the first writer wins. (Upstream's ephemeral key dies at restart.)
  static Result<TokenSigner> load_or_create(storage::KeyValueStore& store, TimePoint now);

  // Header {"typ":"JWT","alg":"ES256","jwk":{"alg","x5u"?,"x5c"?,"kty","crv","x","y"}}.
  Result<std::string> sign(const codec::json::Object& claims) const;

  // Leaf first; empty where a key came without chain.
  const std::vector<crypto::Certificate>& chain() const { return chain_; }
  // What a relying party puts into trusted_certs_paths: the last certificate of the chain, in PEM; empty without one.
  std::string anchor_pem() const;
  crypto::PublicKey public_key() const { return key_.public_key(); }
  const codec::json::Object& header_jwk() const { return header_jwk_; }
  codec::json::Object jwk_set() const;  // {"keys":[header_jwk]}, as /.well-known/jwks.json

 private:
  TokenSigner(crypto::PrivateKey key, std::vector<crypto::Certificate> chain, const std::optional<std::string>& url);
  crypto::PrivateKey key_;
  std::vector<crypto::Certificate> chain_;
  codec::json::Object header_jwk_;
};

}  // namespace coffer::appraisal
