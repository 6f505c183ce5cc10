// Runtime data: what a guest binds into its evidence. Its digest is over RFC 8785 canonical JSON, in one form for the
// primary TEE and another for additional devices (trustee.md 1.5).
#pragma once

#include <string>

#include "codec/json.h"
#include "crypto/hash.h"
#include "evidence/tee.h"

namespace coffer::evidence {

class RuntimeData {
 public:
  // nonce: the challenge's text, as received. tee_pubkey: a JWK; members other than kty, alg, crv, x, y (EC),
  // kty, alg, n, e (RSA) and kty, alg, pub (AKP) vanish, as they do in upstream's client and server before hashing.
  // additional_evidence: the string as it is on the wire, empty where there is none. Error: bad_runtime_data.
  static Result<RuntimeData> create(std::string nonce, const codec::json::Value& tee_pubkey,
                                    std::string additional_evidence = {});

  const std::string& nonce() const { return nonce_; }
  const codec::json::Object& tee_pubkey() const { return tee_pubkey_; }
  const std::string& additional_evidence() const { return additional_evidence_; }
  // The client learns the string only after the devices have signed the device form.
  Result<RuntimeData> with_additional_evidence(std::string text) const;

  // {"nonce","tee-pubkey","additional-evidence"} as primary evidence binds it.
  codec::json::Object primary_form() const;
  // {"nonce","tee-pubkey"}: no additional-evidence member at all.
  codec::json::Object device_form() const;

  // The canonical texts that are hashed.
  const std::string& primary_text() const { return primary_text_; }
  const std::string& device_text() const { return device_text_; }
  Bytes primary_digest(crypto::HashAlgorithm algorithm = crypto::HashAlgorithm::sha384) const;
  Bytes device_digest(crypto::HashAlgorithm algorithm = crypto::HashAlgorithm::sha384) const;

 private:
  RuntimeData() = default;
  std::string nonce_;
  codec::json::Object tee_pubkey_;
  std::string additional_evidence_;
  std::string primary_text_;
  std::string device_text_;
};

// Digest of any structured runtime data (the attestation service's own interface takes arbitrary JSON).
Result<Bytes> structured_digest(const codec::json::Value& runtime_data, crypto::HashAlgorithm algorithm);

// "sha256", "sha384", "sha512", "sm3" in any case; unsupported_hash otherwise.
Result<crypto::HashAlgorithm> parse_binding_hash(std::string_view name);
// SHA-512 for se, SHA-384 for all others (trustee.md 1.5).
crypto::HashAlgorithm default_binding_hash(TeeKind kind);

// What a client offers in the request: {"supported-hash-algorithms":["sha256","sha384","sha512","sm3"]}.
codec::json::Value offered_hash_algorithms();
// What a client takes from the challenge's extra-params: SHA-384 where "selected-hash-algorithm" is absent, the named
// one otherwise; unsupported_hash where it is no string or unknown (guest-components.md 1.1).
Result<crypto::HashAlgorithm> selected_hash_algorithm(const codec::json::Value& challenge_extra_params);

struct HashSelection {
  crypto::HashAlgorithm algorithm;
  codec::json::Value extra_params;  // for the challenge: "" or {"selected-hash-algorithm":"sha512"}
};
// What a server answers (trustee.md 1.2): only se selects, and an offered list without sha512 is unsupported_hash.
Result<HashSelection> select_hash_algorithm(TeeKind kind, const codec::json::Value& request_extra_params);

}  // namespace coffer::evidence
