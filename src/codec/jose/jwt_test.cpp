#include "codec/jose/jwt.h"

#include <gtest/gtest.h>

#include <array>

namespace coffer::codec::jose {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::int64_t start = 1'700'000'000;
constexpr std::array allowed{SignatureAlgorithm::es256};

const crypto::PrivateKey& key() {
  static const auto key = crypto::PrivateKey::generate(crypto::KeyKind::ec_p256).value();
  return key;
}

json::Object valid_claims() {
  return {{"iss", "coffer"}, {"aud", "kbs"}, {"nbf", start - 10}, {"exp", start + 300}, {"custom", json::Array{1, 2}}};
}

JwtRules rules_at(TimePoint now) {
  return {.now = now, .leeway = seconds{0}, .issuer = "coffer", .audience = "kbs"};
}
JwtRules rules() {
  return rules_at(from_unix_seconds(start));
}

std::string token_of(const json::Object& claims) {
  return sign_jwt({}, claims, key(), SignatureAlgorithm::es256).value();
}

Result<VerifiedJwt> verified(const json::Object& claims, const JwtRules& with_rules) {
  return VerifiedJwt::verify(token_of(claims), key().public_key(), allowed, with_rules);
}

json::Object with(std::string_view name, json::Value value) {
  auto claims = valid_claims();
  claims.set(name, std::move(value));
  return claims;
}

json::Object without(std::string_view name) {
  auto claims = valid_claims();
  claims.erase(name);
  return claims;
}

template <class T>
void expect_code(const Result<T>& result, JoseError code, std::string_view what = "") {
  ASSERT_FALSE(result) << what;
  EXPECT_EQ(result.error().code, code) << what << ": " << to_string(result.error());
}

TEST(jwt, a_valid_token_gives_header_and_claims) {
  const auto jwt = verified(valid_claims(), rules());
  ASSERT_TRUE(jwt) << to_string(jwt.error());
  EXPECT_EQ(json::serialize(jwt->header()), R"({"alg":"ES256","typ":"JWT"})");
  EXPECT_EQ(jwt->claims(), valid_claims());
}

TEST(jwt, a_typ_that_is_given_stays) {
  const auto token = sign_jwt({{"typ", "at+jwt"}}, {}, key(), SignatureAlgorithm::es256).value();
  EXPECT_EQ(*UnverifiedJwt::parse(token)->header.find("typ"), json::Value{"at+jwt"});
}

TEST(jwt, expiry_is_refused_from_its_very_second) {
  EXPECT_TRUE(verified(valid_claims(), rules_at(from_unix_seconds(start + 300) - milliseconds{1})));
  expect_code(verified(valid_claims(), rules_at(from_unix_seconds(start + 300))), JoseError::expired);
}

TEST(jwt, tokens_are_not_valid_before_their_time) {
  EXPECT_TRUE(verified(valid_claims(), rules_at(from_unix_seconds(start - 10))));
  expect_code(verified(valid_claims(), rules_at(from_unix_seconds(start - 10) - milliseconds{1})),
              JoseError::not_yet_valid);
}

TEST(jwt, leeway_forgives_a_wrong_clock_on_both_ends) {
  auto late = rules_at(from_unix_seconds(start + 359));
  late.leeway = seconds{60};
  EXPECT_TRUE(verified(valid_claims(), late));
  late.now += seconds{1};
  expect_code(verified(valid_claims(), late), JoseError::expired);
  auto early = rules_at(from_unix_seconds(start - 70));
  early.leeway = seconds{60};
  EXPECT_TRUE(verified(valid_claims(), early));
  early.now -= seconds{1};
  expect_code(verified(valid_claims(), early), JoseError::not_yet_valid);
}

TEST(jwt, dates_may_have_fractions) {
  const auto claims = with("exp", static_cast<double>(start) + 0.5);
  EXPECT_TRUE(verified(claims, rules_at(from_unix_seconds(start) + milliseconds{499})));
  expect_code(verified(claims, rules_at(from_unix_seconds(start) + milliseconds{500})), JoseError::expired);
  EXPECT_TRUE(verified(with("exp", 1e300), rules()));
  expect_code(verified(with("exp", -1e300), rules()), JoseError::expired);
  expect_code(verified(with("nbf", 1e300), rules()), JoseError::not_yet_valid);
}

TEST(jwt, dates_must_be_numbers) {
  for (const auto* name : {"exp", "nbf"}) {
    for (const auto& value :
         {json::Value{"1700000300"}, json::Value{nullptr}, json::Value{json::Array{}}, json::Value{true}}) {
      expect_code(verified(with(name, value), rules()), JoseError::wrong_claim, name);
    }
  }
}

TEST(jwt, expiry_is_required_unless_the_rules_say_otherwise) {
  expect_code(verified(without("exp"), rules()), JoseError::missing_claim);
  auto lenient = rules();
  lenient.require_exp = false;
  EXPECT_TRUE(verified(without("exp"), lenient));
  EXPECT_TRUE(verified(without("nbf"), rules()));
}

TEST(jwt, the_issuer_must_be_the_expected_one) {
  expect_code(verified(without("iss"), rules()), JoseError::missing_claim);
  expect_code(verified(with("iss", "another"), rules()), JoseError::wrong_claim);
  expect_code(verified(with("iss", json::Array{"coffer"}), rules()), JoseError::wrong_claim);
  auto any = rules();
  any.issuer.reset();
  EXPECT_TRUE(verified(without("iss"), any));
}

TEST(jwt, the_audience_is_one_string_or_several) {
  EXPECT_TRUE(verified(with("aud", json::Array{"x", "kbs"}), rules()));
  expect_code(verified(with("aud", json::Array{"x", "y"}), rules()), JoseError::wrong_claim);
  expect_code(verified(with("aud", json::Array{}), rules()), JoseError::wrong_claim);
  expect_code(verified(with("aud", "kbs2"), rules()), JoseError::wrong_claim);
  expect_code(verified(with("aud", 1), rules()), JoseError::wrong_claim);
  expect_code(verified(without("aud"), rules()), JoseError::missing_claim);
  auto any = rules();
  any.audience.reset();
  EXPECT_TRUE(verified(without("aud"), any));
}

TEST(jwt, the_signature_is_checked_before_any_claim) {
  const auto stranger = crypto::PrivateKey::generate(crypto::KeyKind::ec_p256).value();
  const auto token = sign_jwt({}, with("exp", 0), stranger, SignatureAlgorithm::es256).value();
  expect_code(VerifiedJwt::verify(token, key().public_key(), allowed, rules()), JoseError::bad_signature);
  const std::array only_es384{SignatureAlgorithm::es384};
  expect_code(VerifiedJwt::verify(token_of(valid_claims()), key().public_key(), only_es384, rules()),
              JoseError::algorithm_not_allowed);
}

TEST(jwt, claims_must_be_an_object) {
  for (const auto* payload : {"", "[]", "text", "{", R"({"exp":1,"exp":2})"}) {
    const auto token = sign_compact({}, as_bytes(payload), key(), SignatureAlgorithm::es256).value();
    expect_code(VerifiedJwt::verify(token, key().public_key(), allowed, rules()), JoseError::malformed, payload);
    expect_code(UnverifiedJwt::parse(token), JoseError::malformed, payload);
  }
}

TEST(jwt, unverified_tokens_can_be_shown) {
  const auto jwt = UnverifiedJwt::parse(token_of(with("exp", 0))).value();
  EXPECT_EQ(*jwt.claims.find("exp"), json::Value{0});
  expect_code(UnverifiedJwt::parse("a.b"), JoseError::malformed);
}

TEST(jwt, errors_show_times_for_people) {
  const auto error = verified(valid_claims(), rules_at(from_unix_seconds(start + 400))).error();
  EXPECT_EQ(error.message, "the token expired at 2023-11-14T22:18:20Z, and now is 2023-11-14T22:20:00Z");
}

}  // namespace
}  // namespace coffer::codec::jose
