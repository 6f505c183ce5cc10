// Verification of attestation tokens by a relying party (trustee.md 2). The signature is checked on every request, so
// verified tokens are remembered by hash until they expire.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "appraisal/error.h"
#include "base/clock.h"
#include "codec/jose/jwk.h"
#include "codec/json.h"
#include "crypto/x509.h"
#include "net/http_client.h"

namespace coffer::appraisal {

struct TokenVerifierOptions {
  std::vector<std::string> trusted_certs_paths{};  // PEM files, each with one certificate or more
  std::vector<std::string> trusted_jwk_sets{};     // https://, file:// or a path; https also by OpenID discovery
  std::vector<std::string> extra_teekey_paths{};   // JSON pointers, searched first
  bool insecure_header_jwk = false;                // trust whatever key the token brings; logged loudly
  std::vector<crypto::Certificate> trusted_certificates{};  // anchors already in memory (the built-in service's own)
  std::shared_ptr<net::HttpClient> http{};                  // needed only for https:// JWK sets; made where absent
  Duration leeway = std::chrono::seconds{60};
  std::size_t cache_size = 4096;  // tokens; 0 switches the cache off
  std::size_t max_token_size = 1U << 20;
};

class VerifiedToken {
 public:
  VerifiedToken(codec::json::Object header, codec::json::Object claims, std::optional<codec::json::Object> tee_key,
                TimePoint expires);
  const codec::json::Object& header() const { return header_; }
  const codec::json::Object& claims() const { return claims_; }
  TimePoint expires() const { return expires_; }
  // The JWK that responses are encrypted to; no_tee_key where the claims carry none.
  Result<const codec::json::Object*> tee_public_key() const;
  // The same, read: once for a token, however many responses. Also the errors of parse_jwk().
  const Result<codec::jose::Jwk>& response_key() const { return response_key_; }

 private:
  codec::json::Object header_, claims_;
  std::optional<codec::json::Object> tee_key_;
  Result<codec::jose::Jwk> response_key_;
  TimePoint expires_;
};

class TokenVerifier {
 public:
  // bad_anchor where a configured file or URL cannot be read. No anchor at all is no error here: then verify() says
  // no_anchor and names the options, so that a broker without attestation can serve its owner.
  static Result<std::shared_ptr<TokenVerifier>> create(TokenVerifierOptions options);
  ~TokenVerifier();

  // Thread safe. Each failure has a TokenError of its own and names the anchor that is missing.
  Result<std::shared_ptr<const VerifiedToken>> verify(std::string_view token, TimePoint now) const;
  bool has_anchor() const;
  // For a token that the caller itself received from the attestation service that it is configured to use, over their
  // own connection: no signature is checked, the channel vouches for it. Errors: malformed, too_large, missing_exp,
  // expired.
  Result<std::shared_ptr<const VerifiedToken>> read_received(std::string_view token, TimePoint now) const;

 private:
  struct Impl;
  explicit TokenVerifier(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace coffer::appraisal
