// JSON Web Tokens (RFC 7519).
#pragma once

#include "base/clock.h"
#include "codec/jose/jws.h"

namespace coffer::codec::jose {

struct JwtRules {
  TimePoint now;
  Duration leeway = std::chrono::seconds{60};
  bool require_exp = true;
  std::optional<std::string> issuer{};    // checked only where given
  std::optional<std::string> audience{};  // one of the token's
};

// The claims of a verified JWS after exp, nbf, iss and aud hold. Call verify() on the signature first: the type shows
// it.
class VerifiedJwt {
 public:
  static Result<VerifiedJwt> verify(std::string_view compact, const crypto::PublicKey& key,
                                    std::span<const SignatureAlgorithm> allowed, const JwtRules& rules);
  const json::Object& header() const { return header_; }
  const json::Object& claims() const { return claims_; }

 private:
  VerifiedJwt(json::Object header, json::Object claims) : header_(std::move(header)), claims_(std::move(claims)) {}
  json::Object header_;
  json::Object claims_;
};

// Header and claims without any check, for finding the key and for showing; never for a decision.
struct UnverifiedJwt {
  json::Object header;
  json::Object claims;
  static Result<UnverifiedJwt> parse(std::string_view compact);
};

// Claims get no members added. `header` gains "typ":"JWT" where absent, and "alg".
Result<std::string> sign_jwt(json::Object header, const json::Object& claims, const crypto::PrivateKey& key,
                             SignatureAlgorithm algorithm);

}  // namespace coffer::codec::jose
