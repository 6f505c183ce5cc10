#include "appraisal/token_verifier.h"

#include <algorithm>

#include "appraisal/detail/anchors.h"
#include "appraisal/detail/token_cache.h"
#include "appraisal/detail/token_key.h"
#include "base/log.h"
#include "codec/jose/jwt.h"

namespace coffer::appraisal {

namespace json = codec::json;
namespace jose = codec::jose;

struct TokenVerifier::Impl {
  TokenVerifierOptions options;
  detail::Anchors anchors;
  mutable detail::TokenCache cache;

  Result<std::shared_ptr<const VerifiedToken>> verify(std::string_view token, TimePoint now) const;
  Result<std::pair<std::shared_ptr<const VerifiedToken>, TimePoint>> check(std::string_view token, TimePoint now) const;
};

namespace {

Error translated(const Error& error) {
  const auto as = [&](TokenError code) {
    return Error{code, "the attestation token is not accepted: " + error.message};
  };
  if (error.code == jose::JoseError::expired) return as(TokenError::expired);
  if (error.code == jose::JoseError::missing_claim) return as(TokenError::missing_exp);
  if (error.code == jose::JoseError::bad_signature) return as(TokenError::bad_signature);
  if (error.code == crypto::CryptoError::bad_signature) return as(TokenError::bad_signature);
  if (error.code == jose::JoseError::algorithm_not_allowed) return as(TokenError::algorithm_not_allowed);
  return as(TokenError::malformed);
}

// exp was checked when this is called; RFC 7519 allows fractions.
TimePoint expiry_of(const json::Object& claims) {
  const auto seconds = claims.find("exp")->if_double().value_or(0);
  constexpr double far = 253402300799;  // the end of year 9999
  return from_unix_seconds(static_cast<std::int64_t>(std::clamp(seconds, 0.0, far)));
}

Error no_tee_key() {
  return {TokenError::no_tee_key,
          "the token's claims are expected to hold a tee-pubkey, found none; name its place "
          "in attestation_token.extra_teekey_paths"};
}

Error too_large(std::size_t size, std::size_t limit) {
  return {TokenError::too_large, "an attestation token of at most " + std::to_string(limit) +
                                     " bytes is expected, found " + std::to_string(size)};
}

}  // namespace

VerifiedToken::VerifiedToken(json::Object header, json::Object claims, std::optional<json::Object> tee_key,
                             TimePoint expires)
    : header_(std::move(header)),
      claims_(std::move(claims)),
      tee_key_(std::move(tee_key)),
      response_key_(tee_key_ ? jose::parse_jwk(json::Value{*tee_key_}) : fail(no_tee_key())),
      expires_(expires) {}

Result<const json::Object*> VerifiedToken::tee_public_key() const {
  if (tee_key_) return &*tee_key_;
  return fail(no_tee_key());
}

TokenVerifier::TokenVerifier(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
TokenVerifier::~TokenVerifier() = default;

Result<std::shared_ptr<TokenVerifier>> TokenVerifier::create(TokenVerifierOptions options) {
  auto anchors = TRY(detail::load_anchors(options));
  if (options.insecure_header_jwk) {
    log::warn("appraisal.header_jwk_trusted",
              "ATTESTATION TOKENS OF ANY ISSUER ARE ACCEPTED: insecure_header_jwk trusts the key that a token brings");
  }
  const auto capacity = options.cache_size;
  return std::shared_ptr<TokenVerifier>{new TokenVerifier{
      std::unique_ptr<Impl>{new Impl{std::move(options), std::move(anchors), detail::TokenCache{capacity}}}}};
}

bool TokenVerifier::has_anchor() const {
  return !impl_->anchors.none();
}

Result<std::shared_ptr<const VerifiedToken>> TokenVerifier::verify(std::string_view token, TimePoint now) const {
  return impl_->verify(token, now);
}

Result<std::shared_ptr<const VerifiedToken>> TokenVerifier::Impl::verify(std::string_view token, TimePoint now) const {
  if (anchors.none()) {
    return fail(TokenError::no_anchor,
                "no attestation token issuer is trusted: configure attestation_service, or set "
                "attestation_token.trusted_certs_paths or attestation_token.trusted_jwk_sets");
  }
  if (token.size() > options.max_token_size) {
    return fail(too_large(token.size(), options.max_token_size));
  }
  const auto hash = to_text(crypto::sha256(as_bytes(token)));
  if (auto known = cache.find(hash, now)) return known;
  auto [verified, until] = TRY(check(token, now));
  cache.insert(hash, verified, until);
  return verified;
}

Result<std::pair<std::shared_ptr<const VerifiedToken>, TimePoint>> TokenVerifier::Impl::check(std::string_view token,
                                                                                              TimePoint now) const {
  const auto unverified = jose::UnverifiedJws::parse_compact(token);
  if (!unverified) return fail(translated(unverified.error()));
  const auto key = TRY(detail::signing_key(unverified->header, anchors, now));
  auto jwt = jose::VerifiedJwt::verify(token, key.key, key.allowed, {.now = now, .leeway = options.leeway});
  if (!jwt) return fail(translated(jwt.error()));
  const auto expires = expiry_of(jwt->claims());
  auto verified = std::make_shared<const VerifiedToken>(
      jwt->header(), jwt->claims(), detail::tee_public_key(jwt->claims(), options.extra_teekey_paths), expires);
  const auto until = std::min(expires + options.leeway, key.valid_until.value_or(TimePoint::max()));
  return std::pair{std::move(verified), until};
}

Result<std::shared_ptr<const VerifiedToken>> TokenVerifier::read_received(std::string_view token, TimePoint now) const {
  const auto& options = impl_->options;
  if (token.size() > options.max_token_size) return fail(too_large(token.size(), options.max_token_size));
  const auto jwt = jose::UnverifiedJwt::parse(token);
  if (!jwt) return fail(translated(jwt.error()));
  const auto* exp = jwt->claims.find("exp");
  if (exp == nullptr || !exp->is_number()) return fail(TokenError::missing_exp, "the attestation token has no exp");
  const auto expires = expiry_of(jwt->claims);
  if (now > expires + options.leeway) {
    return fail(TokenError::expired, "the attestation token expired at " + format_rfc3339(expires));
  }
  return std::make_shared<const VerifiedToken>(
      jwt->header, jwt->claims, detail::tee_public_key(jwt->claims, options.extra_teekey_paths), expires);
}

}  // namespace coffer::appraisal
