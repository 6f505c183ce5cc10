#include "appraisal/token_verifier.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <array>
#include <filesystem>
#include <fstream>

#include "appraisal/token_signer.h"
#include "codec/base64.h"
#include "codec/jose/jwk.h"
#include "codec/jose/jwt.h"

namespace coffer::appraisal {
namespace {

namespace fs = std::filesystem;
namespace json = codec::json;
namespace jose = codec::jose;
using crypto::KeyKind;
using crypto::PrivateKey;
using crypto::SignatureAlgorithm;
using ::testing::HasSubstr;

const auto now = from_unix_seconds(1'800'000'000);

struct Authority {
  PrivateKey key;
  crypto::Certificate certificate;

  static Authority create(std::string name) {
    auto key = *PrivateKey::generate(KeyKind::ec_p256);
    auto certificate = *crypto::self_sign({.common_name = std::move(name),
                                           .not_before = now - std::chrono::hours{1},
                                           .not_after = now + std::chrono::days{365},
                                           .is_ca = true},
                                          key);
    return {std::move(key), std::move(certificate)};
  }

  crypto::Certificate certify(const PrivateKey& subject, TimePoint until = now + std::chrono::hours{1}) const {
    auto made = crypto::issue(
        {.common_name = "attestation service", .not_before = now - std::chrono::hours{1}, .not_after = until},
        subject.public_key(), {certificate, key});
    EXPECT_TRUE(made) << to_string(made.error());
    return *std::move(made);
  }
};

json::Object valid_claims() {
  return {{"iss", "CoCo-Attestation-Service"},
          {"exp", to_unix_seconds(now) + 300},
          {"tee-pubkey", json::Object{{"kty", "EC"}}}};
}

class TokenVerification : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    authority_ = std::make_unique<Authority>(Authority::create("the owner's CA"));
    key_ = std::make_unique<PrivateKey>(*PrivateKey::generate(KeyKind::ec_p256));
  }
  static void TearDownTestSuite() {
    authority_.reset();
    key_.reset();
  }
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "coffer-token-XXXXXX").string();
    directory_ = mkdtemp(pattern.data());
  }
  void TearDown() override { fs::remove_all(directory_); }

  std::string put(const std::string& name, std::string_view text) {
    std::ofstream{directory_ / name} << text;
    return (directory_ / name).string();
  }

  // The header of a valid token: jwk with the chain to the authority.
  static json::Object valid_header() {
    const auto signer =
        TokenSigner::from_files({.key_pem = key_->to_pem_pkcs8(),
                                 .chain_pem = authority_->certify(*key_).to_pem() + authority_->certificate.to_pem()});
    EXPECT_TRUE(signer) << to_string(signer.error());
    return {{"typ", "JWT"}, {"alg", "ES256"}, {"jwk", signer->header_jwk()}};
  }
  static json::Object header_with(std::string_view member, json::Value value) {
    auto header = valid_header();
    header.find("jwk")->if_object()->set(member, std::move(value));
    return header;
  }
  static json::Object header_without(std::string_view member) {
    auto header = valid_header();
    header.find("jwk")->if_object()->erase(member);
    return header;
  }
  static std::string token(json::Object header = valid_header(), const json::Object& claims = valid_claims()) {
    auto text = jose::sign_jwt(std::move(header), claims, *key_, SignatureAlgorithm::es256);
    EXPECT_TRUE(text) << to_string(text.error());
    return *std::move(text);
  }
  static TokenVerifierOptions valid_options() { return {.trusted_certificates = {authority_->certificate}}; }

  static Result<std::shared_ptr<const VerifiedToken>> verify(const std::string& text, TokenVerifierOptions options,
                                                             TimePoint at = now) {
    auto verifier = TokenVerifier::create(std::move(options));
    EXPECT_TRUE(verifier) << to_string(verifier.error());
    return (*verifier)->verify(text, at);
  }
  static Error refusal(const std::string& text, TokenVerifierOptions options = valid_options(), TimePoint at = now) {
    auto verified = verify(text, std::move(options), at);
    EXPECT_FALSE(verified);
    return verified ? Error{TokenError::bad_anchor, "accepted"} : verified.error();
  }
  static Error creation_refusal(TokenVerifierOptions options) {
    auto verifier = TokenVerifier::create(std::move(options));
    EXPECT_FALSE(verifier);
    return verifier ? Error{TokenError::malformed, "accepted"} : verifier.error();
  }
  static std::string jwk_set(std::optional<std::string_view> alg, std::string_view kid) {
    return json::serialize(
        json::Value{json::Object{{"keys", json::Array{jose::to_jwk(key_->public_key(), alg, kid)}}}});
  }

  static inline std::unique_ptr<Authority> authority_;
  static inline std::unique_ptr<PrivateKey> key_;
  fs::path directory_;
};

TEST_F(TokenVerification, a_token_chained_to_a_trusted_certificate_is_accepted) {
  const auto verified = verify(token(), valid_options());
  ASSERT_TRUE(verified) << to_string(verified.error());
  EXPECT_EQ((*verified)->claims(), valid_claims());
  EXPECT_EQ(*(*verified)->header().find("alg"), json::Value{"ES256"});
  EXPECT_EQ((*verified)->expires(), now + std::chrono::seconds{300});
  EXPECT_EQ(**(*verified)->tee_public_key(), (json::Object{{"kty", "EC"}}));
  EXPECT_FALSE((*verified)->response_key()) << "a key without coordinates";
}

TEST_F(TokenVerification, certificates_are_read_from_files_with_and_without_scheme) {
  const auto path = put("ca.pem", authority_->certificate.to_pem());
  EXPECT_TRUE(verify(token(), {.trusted_certs_paths = {path}}));
  EXPECT_TRUE(verify(token(), {.trusted_certs_paths = {"file://" + path}}));
}

TEST_F(TokenVerification, x5c_in_base64url_is_tolerated) {
  auto leaf = codec::base64url_encode(authority_->certify(*key_).der());
  EXPECT_TRUE(verify(token(header_with("x5c", json::Array{leaf})), valid_options()));
}

TEST_F(TokenVerification, without_any_anchor_the_missing_options_are_named) {
  const auto error = refusal(token(), {});
  EXPECT_EQ(error.code, TokenError::no_anchor);
  EXPECT_THAT(error.message, HasSubstr("trusted_certs_paths"));
  EXPECT_FALSE((*TokenVerifier::create({}))->has_anchor());
  EXPECT_TRUE((*TokenVerifier::create(valid_options()))->has_anchor());
}

TEST_F(TokenVerification, a_header_jwk_needs_a_trusted_certificate_even_beside_a_jwk_set) {
  const auto set = put("set.json", jwk_set("ES256", "k1"));
  const auto error = refusal(token(), {.trusted_jwk_sets = {set}});
  EXPECT_EQ(error.code, TokenError::no_trusted_certificate);
  EXPECT_THAT(error.message, HasSubstr("trusted_certs_paths"));
}

TEST_F(TokenVerification, a_header_jwk_without_chain_is_refused_unless_openly_insecure) {
  EXPECT_EQ(refusal(token(header_without("x5c"))).code, TokenError::missing_x5c);
  EXPECT_TRUE(verify(token(header_without("x5c")), {.insecure_header_jwk = true}));
}

TEST_F(TokenVerification, chains_that_do_not_parse_are_refused) {
  for (const auto& bad :
       {json::Value{"text"}, json::Value{json::Array{}}, json::Value{json::Array{1}}, json::Value{json::Array{"***"}},
        json::Value{json::Array{"AAAA"}}, json::Value{json::Array(9, json::Value{"AAAA"})}}) {
    EXPECT_EQ(refusal(token(header_with("x5c", bad))).code, TokenError::bad_x5c) << json::serialize(bad);
  }
}

TEST_F(TokenVerification, the_leaf_must_hold_the_headers_key) {
  const auto other = *PrivateKey::generate(KeyKind::ec_p256);
  const json::Array chain{codec::base64_encode(authority_->certify(other).der())};
  EXPECT_EQ(refusal(token(header_with("x5c", chain))).code, TokenError::key_mismatch);
}

TEST_F(TokenVerification, a_chain_to_another_authority_is_refused_with_its_names) {
  const auto other = Authority::create("somebody else");
  const auto error = refusal(token(), {.trusted_certificates = {other.certificate}});
  EXPECT_EQ(error.code, TokenError::untrusted_chain);
  EXPECT_THAT(error.message, HasSubstr("the owner's CA"));
}

TEST_F(TokenVerification, a_chain_that_is_not_valid_now_is_refused) {
  const json::Array chain{codec::base64_encode(authority_->certify(*key_, now - std::chrono::minutes{1}).der())};
  EXPECT_EQ(refusal(token(header_with("x5c", chain))).code, TokenError::untrusted_chain);
}

TEST_F(TokenVerification, header_keys_that_are_none_are_refused) {
  EXPECT_EQ(refusal(token(header_with("x", "AAAA"))).code, TokenError::bad_jwk);
  EXPECT_EQ(refusal(token(header_without("alg"))).code, TokenError::bad_jwk);
  EXPECT_EQ(refusal(token(header_with("alg", "HS256"))).code, TokenError::algorithm_not_allowed);
  EXPECT_EQ(refusal(token(header_with("alg", "RS256"))).code, TokenError::algorithm_not_allowed);
}

TEST_F(TokenVerification, a_token_signed_by_another_algorithm_than_its_keys_is_refused) {
  const auto p384 = *PrivateKey::generate(KeyKind::ec_p384);
  const auto text = *jose::sign_jwt(valid_header(), valid_claims(), p384, SignatureAlgorithm::es384);
  EXPECT_EQ(refusal(text).code, TokenError::algorithm_not_allowed);
}

TEST_F(TokenVerification, the_unsigned_algorithm_is_refused) {
  const auto part = [](const json::Object& object) {
    return codec::base64url_encode(as_bytes(json::serialize(json::Value{object})));
  };
  auto header = valid_header();
  header.set("alg", "none");
  EXPECT_EQ(refusal(part(header) + "." + part(valid_claims()) + ".").code, TokenError::algorithm_not_allowed);
}

TEST_F(TokenVerification, a_changed_signature_or_payload_is_refused) {
  auto text = token();
  auto forged = token(valid_header(), {{"exp", to_unix_seconds(now) + 9999}});
  const auto mixed = forged.substr(0, forged.rfind('.')) + text.substr(text.rfind('.'));
  EXPECT_EQ(refusal(mixed).code, TokenError::bad_signature);
}

TEST_F(TokenVerification, expiry_is_required_and_has_sixty_seconds_of_leeway) {
  auto claims = valid_claims();
  claims.erase("exp");
  EXPECT_EQ(refusal(token(valid_header(), claims)).code, TokenError::missing_exp);
  const auto expiry = now + std::chrono::seconds{300};
  EXPECT_TRUE(verify(token(), valid_options(), expiry + std::chrono::seconds{59}));
  const auto error = refusal(token(), valid_options(), expiry + std::chrono::seconds{61});
  EXPECT_EQ(error.code, TokenError::expired);
}

TEST_F(TokenVerification, text_that_is_no_token_is_refused) {
  for (const auto text : {"", "a.b", "a.b.c", "e30.e30", "....", "{}"}) {
    EXPECT_EQ(refusal(text).code, TokenError::malformed) << text;
  }
  auto options = valid_options();
  options.max_token_size = 64;
  EXPECT_EQ(refusal(token(), options).code, TokenError::too_large);
}

TEST_F(TokenVerification, without_a_header_key_the_kid_is_looked_up_in_the_trusted_sets) {
  const auto set = put("set.json", jwk_set("ES256", "k1"));
  EXPECT_TRUE(verify(token({{"kid", "k1"}}), {.trusted_jwk_sets = {set}}));
  EXPECT_TRUE(verify(token({{"kid", "k1"}}), {.trusted_jwk_sets = {"file://" + set}}));
  const auto unknown = refusal(token({{"kid", "k2"}}), {.trusted_jwk_sets = {set}});
  EXPECT_EQ(unknown.code, TokenError::unknown_key_id);
  EXPECT_THAT(unknown.message, HasSubstr("k2"));
  EXPECT_EQ(refusal(token({{"typ", "JWT"}}), {.trusted_jwk_sets = {set}}).code, TokenError::no_key_id);
  EXPECT_EQ(refusal(token({{"kid", 7}}), {.trusted_jwk_sets = {set}}).code, TokenError::no_key_id);
}

TEST_F(TokenVerification, a_trusted_key_without_alg_may_use_what_fits_it) {
  const auto set = put("set.json", jwk_set(std::nullopt, "k1"));
  EXPECT_TRUE(verify(token({{"kid", "k1"}}), {.trusted_jwk_sets = {set}}));
}

TEST_F(TokenVerification, a_trusted_key_of_another_algorithm_is_refused) {
  const auto set = put("set.json", jwk_set("ES384", "k1"));
  EXPECT_EQ(refusal(token({{"kid", "k1"}}), {.trusted_jwk_sets = {set}}).code, TokenError::algorithm_not_allowed);
}

TEST_F(TokenVerification, anchors_that_cannot_be_read_are_named_at_the_start) {
  const auto missing = (directory_ / "absent.pem").string();
  const auto error = creation_refusal({.trusted_certs_paths = {missing}});
  EXPECT_EQ(error.code, TokenError::bad_anchor);
  EXPECT_THAT(error.message, HasSubstr(missing));
  EXPECT_EQ(creation_refusal({.trusted_certs_paths = {put("x.pem", "no PEM")}}).code, TokenError::bad_anchor);
  EXPECT_EQ(creation_refusal({.trusted_jwk_sets = {put("x.json", "{")}}).code, TokenError::bad_anchor);
  EXPECT_EQ(creation_refusal({.trusted_jwk_sets = {put("y.json", R"({"keys":[]})")}}).code, TokenError::bad_anchor);
  EXPECT_EQ(creation_refusal({.trusted_jwk_sets = {"http://127.0.0.1/jwks"}}).code, TokenError::bad_anchor);
  EXPECT_EQ(creation_refusal({.trusted_jwk_sets = {"https://127.0.0.1:1/jwks"}}).code, TokenError::bad_anchor);
  EXPECT_EQ(creation_refusal({.trusted_certs_paths = {put("big.pem", std::string((1U << 20) + 1, 'x'))}}).code,
            TokenError::bad_anchor);
}

TEST_F(TokenVerification, the_tee_key_is_searched_in_extra_paths_first_and_then_in_upstreams_order) {
  const auto key = [](int n) { return json::Object{{"n", n}}; };
  const auto found = [&](const json::Object& claims, std::vector<std::string> extra = {}) {
    auto options = valid_options();
    options.extra_teekey_paths = std::move(extra);
    auto all = claims;
    all.set("exp", to_unix_seconds(now) + 300);
    const auto verified = verify(token(valid_header(), all), std::move(options));
    EXPECT_TRUE(verified);
    const auto tee_key = (*verified)->tee_public_key();
    return tee_key ? (*tee_key)->find("n")->if_int64().value_or(-1) : -2;
  };
  json::Object claims{{"tee-pubkey", key(1)}};
  EXPECT_EQ(found(claims), 1);
  claims.set("submods", json::Object{{"cpu0", json::Object{{"ear.veraison.annotated-evidence",
                                                            json::Object{{"runtime_data_claims",
                                                                          json::Object{{"tee-pubkey", key(2)}}}}}}}});
  EXPECT_EQ(found(claims), 2);
  claims.set("customized_claims", json::Object{{"runtime_data", json::Object{{"tee-pubkey", key(3)}}}});
  EXPECT_EQ(found(claims), 3);
  claims.set("tdx", json::Object{{"attester_user_data", json::Object{{"tee-pubkey", key(4)}}}});
  EXPECT_EQ(found(claims), 4);
  claims.set("tdx", json::Object{{"attester_runtime_data", json::Object{{"tee-pubkey", key(5)}}}});
  EXPECT_EQ(found(claims), 5);
  claims.set("mine", key(6));
  EXPECT_EQ(found(claims, {"/absent", "/mine"}), 6);
  EXPECT_EQ(found({{"tee-pubkey", "text"}}), -2);
}

TEST_F(TokenVerification, a_token_without_tee_key_is_accepted_and_says_so_when_one_is_needed) {
  auto claims = valid_claims();
  claims.erase("tee-pubkey");
  const auto verified = verify(token(valid_header(), claims), valid_options());
  ASSERT_TRUE(verified);
  const auto key = (*verified)->tee_public_key();
  ASSERT_FALSE(key);
  EXPECT_EQ(key.error().code, TokenError::no_tee_key);
  EXPECT_EQ((*verified)->response_key().error().code, TokenError::no_tee_key);
}

TEST_F(TokenVerification, a_known_token_is_not_checked_again_and_still_expires) {
  const auto verifier = *TokenVerifier::create(valid_options());
  const auto text = token();
  const auto first = verifier->verify(text, now);
  const auto second = verifier->verify(text, now);
  ASSERT_TRUE(first && second);
  EXPECT_EQ(*first, *second);
  EXPECT_EQ(verifier->verify(text, now + std::chrono::seconds{361}).error().code, TokenError::expired);
}

TEST_F(TokenVerification, a_known_token_falls_with_its_signers_certificate) {
  const auto until = now + std::chrono::seconds{100};
  const json::Array chain{codec::base64_encode(authority_->certify(*key_, until).der())};
  const auto verifier = *TokenVerifier::create(valid_options());
  const auto text = token(header_with("x5c", chain));
  EXPECT_TRUE(verifier->verify(text, now));
  EXPECT_EQ(verifier->verify(text, until + std::chrono::seconds{1}).error().code, TokenError::untrusted_chain);
}

TEST_F(TokenVerification, a_self_signed_signer_certificate_is_its_own_anchor) {
  const auto store = storage::make_memory_store();
  const auto signer = TokenSigner::load_or_create(*store, now);
  ASSERT_TRUE(signer);
  const auto path = put("signer.pem", signer->anchor_pem());
  const auto verified = verify(*signer->sign(valid_claims()), {.trusted_certs_paths = {path}});
  EXPECT_TRUE(verified) << to_string(verified.error());
}

}  // namespace
}  // namespace coffer::appraisal
