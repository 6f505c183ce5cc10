#include "appraisal/token_signer.h"

#include <gtest/gtest.h>

#include <array>
#include <utility>

#include "codec/base64.h"
#include "codec/jose/jwt.h"
#include "testing/vectors.h"

namespace coffer::appraisal {
namespace {

namespace json = codec::json;
namespace jose = codec::jose;
using crypto::KeyKind;
using crypto::PrivateKey;

const auto now = from_unix_seconds(1'800'000'000);
constexpr std::array es256{crypto::SignatureAlgorithm::es256};

crypto::Certificate certificate_of(const PrivateKey& key) {
  auto made =
      crypto::self_sign({.common_name = "signer", .not_before = now, .not_after = now + std::chrono::hours{1}}, key);
  EXPECT_TRUE(made) << to_string(made.error());
  return *std::move(made);
}

json::Object header_of(std::string_view token) {
  return jose::UnverifiedJwt::parse(token)->header;
}

TEST(TokenSigner, header_carries_type_algorithm_key_and_chain) {
  const auto key = *PrivateKey::generate(KeyKind::ec_p256);
  const auto certificate = certificate_of(key);
  const auto signer = TokenSigner::from_files(
      {.key_pem = key.to_pem_pkcs8(), .chain_pem = certificate.to_pem(), .cert_url = "https://example.org/chain.pem"});
  ASSERT_TRUE(signer) << to_string(signer.error());
  const auto token = signer->sign({{"exp", 1}});
  ASSERT_TRUE(token);
  const json::Value header{header_of(*token)};
  EXPECT_EQ(*header.find("typ")->if_string(), "JWT");
  EXPECT_EQ(*header.find("alg")->if_string(), "ES256");
  EXPECT_EQ(*header.at_pointer("/jwk/alg")->if_string(), "ES256");
  EXPECT_EQ(*header.at_pointer("/jwk/x5u")->if_string(), "https://example.org/chain.pem");
  EXPECT_EQ(*header.at_pointer("/jwk/x5c/0")->if_string(), codec::base64_encode(certificate.der()));
  EXPECT_EQ(*header.at_pointer("/jwk/kty")->if_string(), "EC");
  EXPECT_EQ(*header.at_pointer("/jwk/crv")->if_string(), "P-256");
  EXPECT_EQ(header.at_pointer("/jwk/x")->if_string()->size(), 43U);
  EXPECT_EQ(header.find("kid"), nullptr);
  EXPECT_EQ(signer->anchor_pem(), certificate.to_pem());
  EXPECT_EQ(json::serialize(*header.find("jwk")), json::serialize(json::Value{signer->header_jwk()}));
}

TEST(TokenSigner, a_key_without_chain_signs_without_x5c) {
  const auto key = *PrivateKey::generate(KeyKind::ec_p256);
  const auto signer = TokenSigner::from_files({.key_pem = key.to_pem_pkcs8()});
  ASSERT_TRUE(signer);
  EXPECT_FALSE(signer->header_jwk().contains("x5c"));
  EXPECT_EQ(signer->anchor_pem(), "");
}

TEST(TokenSigner, keys_and_chains_that_cannot_sign_are_refused) {
  const auto key = *PrivateKey::generate(KeyKind::ec_p256);
  const auto other = *PrivateKey::generate(KeyKind::ec_p256);
  const auto p384 = *PrivateKey::generate(KeyKind::ec_p384);
  const auto refusal = [](SignerFiles files) {
    const auto signer = TokenSigner::from_files(files);
    EXPECT_FALSE(signer);
    return signer ? ErrorCode{AppraisalError::unavailable} : signer.error().code;
  };
  EXPECT_EQ(refusal({.key_pem = SecretBytes::copy_of("no PEM")}), AppraisalError::bad_signer);
  EXPECT_EQ(refusal({.key_pem = p384.to_pem_pkcs8()}), AppraisalError::bad_signer);
  EXPECT_EQ(refusal({.key_pem = key.to_pem_pkcs8(), .chain_pem = "no PEM"}), AppraisalError::bad_signer);
  EXPECT_EQ(refusal({.key_pem = key.to_pem_pkcs8(), .chain_pem = certificate_of(other).to_pem()}),
            AppraisalError::bad_signer);
}

TEST(TokenSigner, a_generated_key_survives_a_restart_and_is_shared_by_replicas) {
  const auto store = storage::make_memory_store();
  const auto first = TokenSigner::load_or_create(*store, now);
  ASSERT_TRUE(first) << to_string(first.error());
  const auto second = TokenSigner::load_or_create(*store, now + std::chrono::days{30});
  ASSERT_TRUE(second);
  EXPECT_EQ(first->public_key(), second->public_key());
  EXPECT_EQ(first->anchor_pem(), second->anchor_pem());
  EXPECT_GT(first->chain().front().not_after(), now + std::chrono::days{3000});
}

// A store in which another replica writes its key between our look and our write.
class RacingStore final : public storage::KeyValueStore {
 public:
  RacingStore(storage::KeyValueStore& inner, Bytes rival) : inner_(inner), rival_(std::move(rival)) {}
  Result<std::optional<Bytes>> get(std::string_view space, std::string_view key) override {
    return inner_.get(space, key);
  }
  Result<> put(std::string_view space, std::string_view key, ByteView value) override {
    return inner_.put(space, key, value);
  }
  Result<> put_if(std::string_view space, std::string_view key, std::optional<ByteView> expected,
                  ByteView value) override {
    if (!rival_.empty()) TRY(inner_.put(space, key, std::exchange(rival_, {})));
    return inner_.put_if(space, key, expected, value);
  }
  Result<bool> erase(std::string_view space, std::string_view key) override { return inner_.erase(space, key); }
  Result<std::vector<std::string>> list(std::string_view space, std::string_view prefix, std::string_view after,
                                        std::size_t limit) override {
    return inner_.list(space, prefix, after, limit);
  }

 private:
  storage::KeyValueStore& inner_;
  Bytes rival_;
};

TEST(TokenSigner, the_first_writer_of_two_replicas_wins) {
  const auto elsewhere = storage::make_memory_store();
  const auto rival = TokenSigner::load_or_create(*elsewhere, now);
  ASSERT_TRUE(rival);
  const auto bundle = elsewhere->get("attestation_service_signer", "signer.pem");
  ASSERT_TRUE(bundle && *bundle);
  const auto shared = storage::make_memory_store();
  RacingStore racing{*shared, **bundle};
  const auto ours = TokenSigner::load_or_create(racing, now);
  ASSERT_TRUE(ours) << to_string(ours.error());
  EXPECT_EQ(ours->public_key(), rival->public_key());
}

TEST(TokenSigner, a_stored_key_that_is_none_is_refused_and_not_replaced) {
  const auto store = storage::make_memory_store();
  ASSERT_TRUE(store->put("attestation_service_signer", "signer.pem", as_bytes("damaged")));
  const auto signer = TokenSigner::load_or_create(*store, now);
  ASSERT_FALSE(signer);
  EXPECT_EQ(signer.error().code, AppraisalError::bad_signer);
}

TEST(TokenSigner, another_implementations_claims_and_keys_sign_and_verify) {
  COFFER_REQUIRE_VECTORS();
  const auto claims = json::parse(coffer::testing::read_vector("ear/ear-claims-tv-ok.json"));
  const auto secret = jose::parse_private_jwk(*json::parse(coffer::testing::read_vector("ear/skey.json")));
  const auto published = jose::parse_jwk(*json::parse(coffer::testing::read_vector("ear/pkey.json")));
  ASSERT_TRUE(claims && secret && published);
  const auto signer = TokenSigner::from_files({.key_pem = secret->to_pem_pkcs8()});
  ASSERT_TRUE(signer);
  const auto token = signer->sign(*claims->if_object());
  ASSERT_TRUE(token);
  const auto jwt = jose::VerifiedJwt::verify(*token, published->key, es256, {.now = now, .require_exp = false});
  ASSERT_TRUE(jwt) << to_string(jwt.error());
  EXPECT_EQ(jwt->claims(), *claims->if_object());
}

}  // namespace
}  // namespace coffer::appraisal
