// Init-data: configuration that the host hands to a guest and the TEE vouches for by digest (trustee.md 3,
// guest-components.md 2.7).
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "codec/json.h"
#include "crypto/hash.h"
#include "evidence/tee.h"

namespace coffer::evidence {

class InitData {
 public:
  // TOML with version, algorithm (sha256, sha384, sha512, sm3; other spellings are refused as upstream refuses them)
  // and a table [data] of strings. Error: bad_init_data.
  static Result<InitData> parse(std::string text);
  // The wire form: {"format":"toml","body":"..."}; formats other than toml are bad_init_data.
  static Result<InitData> from_wire(const codec::json::Value& value);
  codec::json::Object to_wire() const;

  const std::string& text() const { return text_; }
  const std::string& version() const { return version_; }
  crypto::HashAlgorithm algorithm() const { return algorithm_; }
  const codec::json::Object& data() const { return data_; }

  // Over the raw text, never over a re-encoding.
  Bytes digest() const;
  // What a token shows as init_data_claims: the data with cdh.toml and aa.toml as objects, and policy.rego replaced by
  // agent_policy_claims, the JSON behind the last "policy_data := " of the policy (left out where it has none).
  // bad_init_data where one of them does not parse.
  Result<codec::json::Object> claims() const;

 private:
  InitData() = default;
  std::string text_;
  std::string version_;
  crypto::HashAlgorithm algorithm_ = crypto::HashAlgorithm::sha256;
  codec::json::Object data_;
};

// A digest cut or zero-padded on the right to a TEE's field (TDX 48, SNP 32).
Bytes fit_digest(ByteView digest, std::size_t field_size);

}  // namespace coffer::evidence
