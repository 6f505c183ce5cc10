#include "codec/jose/jwt.h"

#include <algorithm>
#include <cmath>

#include "codec/jose/detail/header.h"

namespace coffer::codec::jose {
namespace {

using detail::relabel;

double seconds(Duration duration) {
  return std::chrono::duration<double>(duration).count();
}

// For people; numbers that are no date in this millennium or the next two stay numbers.
std::string date_text(double seconds_since_epoch) {
  if (!(std::abs(seconds_since_epoch) < 1e11)) return json::serialize(seconds_since_epoch);
  return format_rfc3339(from_unix_seconds(static_cast<std::int64_t>(seconds_since_epoch)));
}

Result<json::Object> claims_of(const UnverifiedJws& jws) {
  auto value = TRY(relabel(json::parse(as_text(jws.payload)), JoseError::malformed));
  if (auto* object = value.if_object()) return std::move(*object);
  return fail(JoseError::malformed, "the claims of a JWT must be an object, and are " + std::string{value.type_name()});
}

// A NumericDate, seconds since the epoch with or without a fraction (RFC 7519 section 2); nothing where absent.
Result<std::optional<double>> numeric_date(const json::Object& claims, std::string_view name) {
  const auto* value = claims.find(name);
  if (value == nullptr) return std::nullopt;
  if (const auto number = value->if_double()) return number;
  return fail(JoseError::wrong_claim,
              "the claim " + std::string{name} + " must be a number, and is " + std::string{value->type_name()});
}

Result<> check_times(const json::Object& claims, const JwtRules& rules) {
  const auto now = seconds(rules.now.time_since_epoch());
  const auto leeway = seconds(rules.leeway);
  const auto exp = TRY(numeric_date(claims, "exp"));
  if (!exp && rules.require_exp) return fail(JoseError::missing_claim, "the token has no claim exp");
  // RFC 7519 section 4.1.4: refused on or after the time.
  if (exp && now >= *exp + leeway) {
    return fail(JoseError::expired, "the token expired at " + date_text(*exp) + ", and now is " + date_text(now));
  }
  const auto nbf = TRY(numeric_date(claims, "nbf"));
  if (nbf && now < *nbf - leeway) {
    return fail(JoseError::not_yet_valid,
                "the token is valid from " + date_text(*nbf) + ", and now is " + date_text(now));
  }
  return {};
}

Result<> check_issuer(const json::Object& claims, const JwtRules& rules) {
  if (!rules.issuer) return {};
  const auto* issuer = claims.find("iss");
  if (issuer == nullptr) return fail(JoseError::missing_claim, "the token has no claim iss");
  if (*issuer == json::Value{*rules.issuer}) return {};
  return fail(JoseError::wrong_claim,
              "the issuer must be " + *rules.issuer + ", and is " + json::serialize(*issuer).substr(0, 200));
}

// "aud" is one string or an array of them (RFC 7519 section 4.1.3).
Result<> check_audience(const json::Object& claims, const JwtRules& rules) {
  if (!rules.audience) return {};
  const auto* audience = claims.find("aud");
  if (audience == nullptr) return fail(JoseError::missing_claim, "the token has no claim aud");
  const json::Value wanted{*rules.audience};
  const auto* list = audience->if_array();
  if (list == nullptr ? *audience == wanted : std::find(list->begin(), list->end(), wanted) != list->end()) return {};
  return fail(JoseError::wrong_claim,
              "the audience must hold " + *rules.audience + ", and is " + json::serialize(*audience).substr(0, 200));
}

}  // namespace

Result<VerifiedJwt> VerifiedJwt::verify(std::string_view compact, const crypto::PublicKey& key,
                                        std::span<const SignatureAlgorithm> allowed, const JwtRules& rules) {
  auto jws = TRY(UnverifiedJws::parse_compact(compact));
  TRY(jose::verify(jws, key, allowed));
  auto claims = TRY(claims_of(jws));
  TRY(check_times(claims, rules));
  TRY(check_issuer(claims, rules));
  TRY(check_audience(claims, rules));
  return VerifiedJwt{std::move(jws.header), std::move(claims)};
}

Result<UnverifiedJwt> UnverifiedJwt::parse(std::string_view compact) {
  auto jws = TRY(UnverifiedJws::parse_compact(compact));
  auto claims = TRY(claims_of(jws));
  return UnverifiedJwt{std::move(jws.header), std::move(claims)};
}

Result<std::string> sign_jwt(json::Object header, const json::Object& claims, const crypto::PrivateKey& key,
                             SignatureAlgorithm algorithm) {
  if (!header.contains("typ")) header.append("typ", "JWT");
  return sign_compact(std::move(header), as_bytes(json::serialize(claims)), key, algorithm);
}

}  // namespace coffer::codec::jose
