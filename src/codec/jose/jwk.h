// JSON Web Keys (RFC 7517, RFC 7518 section 6, RFC 8037).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "codec/json.h"
#include "crypto/keys.h"

namespace coffer::codec::jose {

enum class JoseError {
  malformed,              // not the format it claims to be
  bad_key,                // a JWK with wrong sizes, a point off its curve, an unknown kty or crv
  algorithm_not_allowed,  // outside the caller's allow-list, "none" included
  bad_signature,
  decryption_failed,  // one error for every cause after parsing
  critical_header,    // a crit extension that we do not know (RFC 7515 section 4.1.11)
  expired,
  not_yet_valid,
  missing_claim,
  wrong_claim,
};
std::string_view code_name(JoseError code);

struct Jwk {
  crypto::PublicKey key;
  std::optional<std::string> alg{};
  std::optional<std::string> kid{};
  std::optional<std::string> use{};
  std::vector<std::string> key_ops{};
};

enum class KeyUse { verify, encrypt };
// bad_key where the JWK's own "use" or "key_ops" rule this out (RFC 7517 sections 4.2, 4.3), or its "alg" is another
// than `alg`. Members that are absent allow everything.
Result<> check_use(const Jwk& jwk, KeyUse use, std::string_view alg);

// EC (P-256, P-384, P-521), RSA, OKP Ed25519. Coordinates must have their full length (RFC 7518 section 6.2.1.2).
Result<Jwk> parse_jwk(const json::Value& value);
Result<crypto::PrivateKey> parse_private_jwk(const json::Value& value);

// The public half of an EC or Ed25519 key, as "epk" has it (RFC 7518 section 4.6.1.1); bad_key for RSA.
Result<json::Object> to_public_jwk(const crypto::PrivateKey& key);

// {"kty","crv","x","y"} or {"kty","n","e"} with "alg" and "kid" where given, in the order alg, kid, then the members
// sorted by name. Not for hashing; see thumbprint.
json::Object to_jwk(const crypto::PublicKey& key, std::optional<std::string_view> alg = std::nullopt,
                    std::optional<std::string_view> kid = std::nullopt);
Result<json::Object> to_private_jwk(const crypto::PrivateKey& key);

// RFC 7638 with SHA-256, base64url.
std::string thumbprint(const crypto::PublicKey& key);

// {"keys":[...]}. Keys that parse_jwk refuses are left out (RFC 7517 section 5): a set may hold kinds that we do not
// know.
Result<std::vector<Jwk>> parse_jwk_set(std::string_view text);

}  // namespace coffer::codec::jose
