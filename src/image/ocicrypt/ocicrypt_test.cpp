#include <array>

#include "codec/base64.h"
#include "crypto/aead.h"
#include "crypto/mac.h"
#include "image/ocicrypt/cipher.h"
#include "image/ocicrypt/kek.h"
#include "image/ocicrypt/key_wrap.h"
#include "image/testing/archives.h"
#include "image/testing/expect.h"
#include "image/testing/memory_store.h"
#include "testing/vectors.h"

namespace coffer::image::ocicrypt {
namespace {

using image::testing::CollectSink;
using image::testing::expect_error;
using image::testing::MapKeySource;
using image::testing::noise;

// The key that upstream's keyprovider uses for "sample=true" (guest-components.md 4.6).
constexpr std::array<unsigned char, 32> sample_kek{217, 155, 119, 5,   176, 186, 122, 22, 130, 149, 179,
                                                   163, 54,  114, 112, 176, 221, 155, 55, 27,  245, 20,
                                                   202, 139, 155, 167, 240, 163, 55,  17, 218, 234};

SecretBytes sample_key() {
  return SecretBytes::copy_of(std::as_bytes(std::span{sample_kek}));
}
SecretBytes other_key() {
  return SecretBytes::copy_of(std::string(32, 'k'));
}
codec::ResourceUri kid() {
  return codec::ResourceUri::parse("kbs:///default/key/k1").value();
}

LayerOptions some_options() {
  return {{noise(32), std::nullopt}, {SecretBytes::copy_of(noise(32, 2)), Digest::of(as_bytes("layer")), noise(16, 3)}};
}

void expect_same(const PrivateOptions& a, const PrivateOptions& b) {
  EXPECT_TRUE(a.key == b.key);
  EXPECT_EQ(a.digest, b.digest);
  EXPECT_EQ(a.nonce, b.nonce);
}

TEST(annotation_packet, a_recorded_packet_opens_with_the_sample_key) {
  COFFER_REQUIRE_VECTORS();
  const auto packet =
      AnnotationPacket::parse(coffer::testing::read_vector_bytes("ocicrypt/sample_kbc_annotation.json")).value();
  EXPECT_EQ(packet.key_uri()->path(), "default/key/1");
  const auto opened = packet.open(sample_key());
  ASSERT_TRUE(opened) << to_string(opened.error());
  const auto options = PrivateOptions::parse(opened->expose());
  ASSERT_TRUE(options) << to_string(options.error());
  EXPECT_EQ(options->key.size(), 32U);
  EXPECT_TRUE(options->digest);
  EXPECT_TRUE(options->nonce);
}

TEST(annotation_packet, what_is_sealed_opens_again_in_both_versions) {
  for (const auto version : {PacketVersion::v1, PacketVersion::v2}) {
    const auto sealed = AnnotationPacket::seal(as_bytes("secret"), sample_key(), kid(), version).value();
    const auto read = AnnotationPacket::parse(as_bytes(sealed.to_json())).value();
    EXPECT_EQ(read.version, version);
    EXPECT_EQ(read.kid, "kbs:///default/key/k1");
    EXPECT_EQ(as_text(read.open(sample_key())->expose()), "secret");
  }
}

TEST(annotation_packet, another_key_does_not_open_it) {
  const auto sealed = AnnotationPacket::seal(as_bytes("secret"), sample_key(), kid()).value();
  expect_error(sealed.open(other_key()), ImageError::unwrap_failed);
}

TEST(annotation_packet, a_changed_packet_does_not_open) {
  auto sealed = AnnotationPacket::seal(as_bytes("secret"), sample_key(), kid()).value();
  sealed.wrapped_data[0] ^= std::byte{1};
  expect_error(sealed.open(sample_key()), ImageError::unwrap_failed);
}

TEST(annotation_packet, keys_of_other_providers_are_refused_here) {
  const auto packet =
      AnnotationPacket::parse(as_bytes(R"({"kid":"k","wrapped_data":"AA==","provider":"aliyun"})")).value();
  expect_error(packet.open(sample_key()), ImageError::bad_annotation);
}

TEST(annotation_packet, a_kid_without_scheme_is_a_path) {
  AnnotationPacket packet;
  packet.kid = "/default/image-kek/7";
  EXPECT_EQ(packet.key_uri()->text(), "kbs:///default/image-kek/7");
  packet.kid = "kbs:///kbs:///a/b";
  expect_error(packet.key_uri(), ImageError::bad_annotation);
}

TEST(annotation_packet, broken_packets_are_refused) {
  const std::string good =
      R"({"kid":"kbs:///a/b/c","wrapped_data":"AAAA","iv":"AAAAAAAAAAAAAAAA","wrap_type":"A256GCM"})";
  EXPECT_TRUE(AnnotationPacket::parse(as_bytes(good)));
  for (const auto* text :
       {"", "[]", R"({"wrapped_data":"AAAA","iv":"AAAAAAAAAAAAAAAA","wrap_type":"A256GCM"})",
        R"({"kid":"k","iv":"AAAAAAAAAAAAAAAA","wrap_type":"A256GCM"})",
        R"({"kid":"k","wrapped_data":"AAAA","wrap_type":"A256GCM"})",
        R"({"kid":"k","wrapped_data":"AAAA","iv":"AAAA","wrap_type":"A256GCM"})",
        R"({"kid":"k","wrapped_data":"!","iv":"AAAAAAAAAAAAAAAA","wrap_type":"A256GCM"})",
        R"({"version":"9","kid":"k","wrapped_data":"AAAA","iv":"AAAAAAAAAAAAAAAA","wrap_type":"A256GCM"})"}) {
    expect_error(AnnotationPacket::parse(as_bytes(text)), ImageError::bad_annotation);
  }
  expect_error(
      AnnotationPacket::parse(as_bytes(R"({"kid":"k","wrapped_data":"AAAA","iv":"AAAA","wrap_type":"ROT13"})")),
      ImageError::unsupported_cipher);
}

// GCM encrypts as CTR with the block iv || 2 does (NIST SP 800-38D section 7.1): without its tag a packet reads the
// same, and what is known of its plaintext, as the digest is from the configuration, can be made anything.
TEST(annotation_packet, a_packet_without_authentication_is_refused) {
  const auto sealed = AnnotationPacket::seal(as_bytes("secret"), sample_key(), kid()).value();
  const auto ciphertext = ByteView{sealed.wrapped_data}.first(sealed.wrapped_data.size() - crypto::gcm_tag_size);
  const auto counter = concat({sealed.iv, as_bytes(std::string_view{"\0\0\0\2", 4})});
  const auto downgraded = R"({"kid":"kbs:///default/key/k1","wrapped_data":")" + codec::base64_encode(ciphertext) +
                          R"(","iv":")" + codec::base64_encode(counter) + R"(","wrap_type":"A256CTR"})";
  expect_error(AnnotationPacket::parse(as_bytes(downgraded)), ImageError::unsupported_cipher);
}

TEST(kek, raw_base64_and_hex_forms_are_one_key) {
  const auto key = sample_key();
  const auto base64 = codec::base64_encode(key.expose());
  EXPECT_TRUE(parse_kek(key.expose()).value() == key);
  EXPECT_TRUE(parse_kek(as_bytes(base64)).value() == key);
  EXPECT_TRUE(parse_kek(as_bytes(base64 + "\n")).value() == key);
  EXPECT_TRUE(parse_kek(as_bytes(codec::hex_encode(key.expose()) + "\r\n")).value() == key);
  EXPECT_TRUE(parse_kek(as_bytes(codec::base64url_encode(key.expose()))).value() == key);
}

TEST(kek, what_is_no_key_is_said_where_it_arrives) {
  expect_error(parse_kek({}), ImageError::kek_empty);
  expect_error(parse_kek(as_bytes(" \n")), ImageError::kek_empty);
  expect_error(parse_kek(as_bytes("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")),
               ImageError::kek_is_pem);
  expect_error(parse_kek(Bytes(31)), ImageError::kek_wrong_size);
  expect_error(parse_kek(Bytes(33)), ImageError::kek_wrong_size);
  expect_error(parse_kek(as_bytes("c2hvcnQ=")), ImageError::kek_wrong_size);
}

TEST(options, documents_survive_a_round_trip) {
  const auto options = some_options();
  const auto read = PublicOptions::parse(as_bytes(options.public_options.to_json())).value();
  EXPECT_EQ(read.hmac, options.public_options.hmac);
  expect_same(PrivateOptions::parse(options.private_options.to_json().expose()).value(), options.private_options);
}

TEST(options, broken_public_options_are_refused) {
  const auto mac = codec::base64_encode(noise(32));
  for (const auto& text :
       {std::string{"{"}, std::string{"[]"}, std::string{R"({"hmac":"AA=="})"},
        std::string{R"({"cipher":"AES_256_CTR_HMAC_SHA256"})"},
        std::string{R"({"cipher":"AES_256_CTR_HMAC_SHA256","hmac":"","cipheroptions":{}})"},
        R"({"cipher":"AES_256_CTR_HMAC_SHA256","hmac":")" + mac + R"(","cipheroptions":{"nonce":"AA=="}})"}) {
    expect_error(PublicOptions::parse(as_bytes(text)), ImageError::bad_annotation);
  }
  expect_error(PublicOptions::parse(as_bytes(R"({"cipher":"ROT13","hmac":")" + mac + "\"}")),
               ImageError::unsupported_cipher);
}

TEST(options, broken_private_options_are_refused) {
  const auto key = codec::base64_encode(noise(32));
  for (const auto& text : {std::string{"{"}, std::string{R"({"symkey":""})"}, std::string{R"({"symkey":"AAAA"})"},
                           R"({"symkey":")" + key + R"(","digest":"md5:0"})",
                           R"({"symkey":")" + key + R"(","cipheroptions":{"nonce":7}})"}) {
    expect_error(PrivateOptions::parse(as_bytes(text)), ImageError::bad_annotation);
  }
}

struct Sealed {
  Bytes ciphertext;
  LayerOptions options;
};

Sealed encrypt(ByteView plain) {
  CollectSink out;
  const auto sink = EncryptSink::create(out).value();
  sink->write(plain).value();
  sink->finish().value();
  return {std::move(out.content), {sink->public_options(), sink->private_options()}};
}

Result<> decrypt(const Sealed& sealed, CollectSink& out, std::size_t piece = 1000) {
  const auto sink = TRY(DecryptSink::create(sealed.options.public_options, sealed.options.private_options, out));
  const auto source = image::testing::chunks_of(sealed.ciphertext, piece);
  for (auto chunk = source(); !chunk->empty(); chunk = source()) TRY(sink->write(*chunk));
  return sink->finish();
}

TEST(cipher, a_layer_survives_encryption_in_pieces_of_any_size) {
  const auto plain = noise(700'001);
  const auto sealed = encrypt(plain);
  EXPECT_EQ(sealed.ciphertext.size(), plain.size());
  EXPECT_NE(sealed.ciphertext, plain);
  for (const std::size_t piece : {1UL << 20, 65'537UL, 4099UL}) {
    CollectSink out;
    image::testing::expect_success(decrypt(sealed, out, piece));
    EXPECT_TRUE(out.finished);
    EXPECT_TRUE(out.content == plain);
  }
}

TEST(cipher, the_mac_is_over_the_ciphertext_under_the_layer_key) {
  const auto sealed = encrypt(as_bytes("layer"));
  EXPECT_EQ(
      sealed.options.public_options.hmac,
      crypto::hmac(crypto::HashAlgorithm::sha256, sealed.options.private_options.key.expose(), sealed.ciphertext));
  EXPECT_EQ(sealed.options.private_options.digest, Digest::of(as_bytes("layer")));
}

TEST(cipher, one_changed_bit_fails_the_mac_and_nothing_is_finished) {
  auto sealed = encrypt(noise(10'000));
  sealed.ciphertext[5'000] ^= std::byte{1};
  CollectSink out;
  expect_error(decrypt(sealed, out), ImageError::hmac_mismatch);
  EXPECT_FALSE(out.finished);
}

TEST(cipher, a_wrong_mac_or_digest_is_told) {
  auto sealed = encrypt(noise(100));
  CollectSink out;
  sealed.options.private_options.digest = Digest::of(as_bytes("other"));
  expect_error(decrypt(sealed, out), ImageError::digest_mismatch);
  sealed.options.public_options.hmac[0] ^= std::byte{1};
  expect_error(decrypt(sealed, out), ImageError::hmac_mismatch);
}

TEST(cipher, without_a_nonce_or_mac_nothing_starts) {
  auto sealed = encrypt(noise(100));
  CollectSink out;
  sealed.options.public_options.hmac.clear();
  expect_error(decrypt(sealed, out), ImageError::bad_annotation);
  sealed = encrypt(noise(100));
  sealed.options.private_options.nonce.reset();
  expect_error(decrypt(sealed, out), ImageError::bad_annotation);
}

TEST(cipher, a_public_nonce_is_used_first) {
  auto sealed = encrypt(as_bytes("layer"));
  sealed.options.public_options.nonce = std::exchange(sealed.options.private_options.nonce, noise(16, 9));
  CollectSink out;
  image::testing::expect_success(decrypt(sealed, out));
  EXPECT_EQ(as_text(out.content), "layer");
}

// Annotations of a layer for a KEK and a JWE key, and what opens them.
class KeyWrap : public ::testing::Test {
 protected:
  void seal() {
    Recipients recipients;
    recipients.keks.push_back({kid(), sample_key()});
    recipients.jwe.push_back(key_.public_key());
    seal_layer_options(options_, recipients, annotations_).value();
    source_.keys["default/key/k1"] = to_bytes(sample_key().expose());
  }

  LayerOptions options_ = some_options();
  crypto::PrivateKey key_ = crypto::PrivateKey::generate(crypto::KeyKind::ec_p256).value();
  Annotations annotations_;
  MapKeySource source_;
};

TEST_F(KeyWrap, opens_by_key_source) {
  seal();
  const auto opened = open_layer_options(annotations_, {.keys = &source_});
  ASSERT_TRUE(opened) << to_string(opened.error());
  expect_same(opened->private_options, options_.private_options);
  EXPECT_EQ(source_.asked, std::vector<std::string>{"kbs:///default/key/k1"});
}

TEST_F(KeyWrap, opens_by_private_keys_of_both_kinds) {
  seal();
  EXPECT_TRUE(open_layer_options(annotations_, {.private_keys = {&key_, 1}}));
  const auto rsa = crypto::PrivateKey::generate(crypto::KeyKind::rsa).value();
  Recipients recipients;
  recipients.jwe = {key_.public_key(), rsa.public_key()};
  Annotations annotations;
  seal_layer_options(options_, recipients, annotations).value();
  EXPECT_TRUE(open_layer_options(annotations, {.private_keys = {&rsa, 1}}));
}

TEST_F(KeyWrap, opens_by_private_key_where_the_key_source_fails) {
  seal();
  source_.keys.clear();
  EXPECT_TRUE(open_layer_options(annotations_, {.keys = &source_, .private_keys = {&key_, 1}}));
}

TEST_F(KeyWrap, an_override_is_asked_for_instead_of_the_kid) {
  seal();
  source_.keys["other/key/1"] = source_.keys["default/key/k1"];
  const auto override = codec::ResourceUri::parse("kbs:///other/key/1").value();
  EXPECT_TRUE(open_layer_options(annotations_, {.keys = &source_, .kid_override = override}));
  EXPECT_EQ(source_.asked, std::vector<std::string>{"kbs:///other/key/1"});
}

TEST_F(KeyWrap, the_default_serves_where_the_kid_names_nothing) {
  auto packet = AnnotationPacket::seal(options_.private_options.to_json().expose(), sample_key(), kid()).value();
  packet.kid = "";
  add_wrap(annotations_, "provider.attestation-agent", as_bytes(packet.to_json()));
  set_public_options(annotations_, options_.public_options.to_json());
  source_.keys["default/key/k1"] = to_bytes(sample_key().expose());
  expect_error(open_layer_options(annotations_, {.keys = &source_}), ImageError::bad_annotation);
  EXPECT_TRUE(open_layer_options(annotations_, {.keys = &source_, .default_kid = kid()}));
}

TEST_F(KeyWrap, any_provider_name_and_several_wraps_are_read) {
  Recipients recipients;
  recipients.keks.push_back({kid(), other_key(), PacketVersion::v1, "somebody"});
  recipients.keks.push_back({kid(), sample_key(), PacketVersion::v2, "somebody"});
  seal_layer_options(options_, recipients, annotations_).value();
  EXPECT_EQ(read_wraps(annotations_)->size(), 2U);
  source_.keys["default/key/k1"] = to_bytes(sample_key().expose());
  EXPECT_TRUE(open_layer_options(annotations_, {.keys = &source_}));
}

TEST_F(KeyWrap, a_wrong_key_is_told) {
  seal();
  source_.keys["default/key/k1"] = to_bytes(other_key().expose());
  expect_error(open_layer_options(annotations_, {.keys = &source_}), ImageError::unwrap_failed);
  const auto stranger = crypto::PrivateKey::generate(crypto::KeyKind::ec_p256).value();
  expect_error(open_layer_options(annotations_, {.private_keys = {&stranger, 1}}), ImageError::unwrap_failed);
}

TEST_F(KeyWrap, the_key_sources_answer_is_handed_on) {
  seal();
  source_.keys["default/key/k1"] = {};
  expect_error(open_layer_options(annotations_, {.keys = &source_}), ImageError::kek_empty);
  source_.keys.clear();
  expect_error(open_layer_options(annotations_, {.keys = &source_}), ImageError::not_found);
}

TEST_F(KeyWrap, without_any_key_the_schemes_are_named) {
  seal();
  const auto result = open_layer_options(annotations_, {});
  expect_error(result, ImageError::no_key);
  EXPECT_NE(result.error().message.find("jwe, provider.attestation-agent"), std::string::npos);
}

TEST_F(KeyWrap, nobody_to_encrypt_for_is_an_error) {
  expect_error(seal_layer_options(options_, {}, annotations_), ImageError::no_key);
}

TEST_F(KeyWrap, missing_and_broken_annotations_are_refused) {
  seal();
  auto without_options = annotations_;
  without_options.erase(std::string{public_options_annotation});
  expect_error(open_layer_options(without_options, {.keys = &source_}), ImageError::missing_annotation);
  Annotations without_keys{
      {std::string{public_options_annotation}, annotations_.at(std::string{public_options_annotation})}};
  expect_error(open_layer_options(without_keys, {.keys = &source_}), ImageError::missing_annotation);
  annotations_[std::string{jwe_annotation}] += "!";
  expect_error(open_layer_options(annotations_, {.keys = &source_}), ImageError::bad_annotation);
}

TEST_F(KeyWrap, too_many_wraps_are_refused) {
  for (int i = 0; i < 65; ++i) add_wrap(annotations_, "jwe", as_bytes("x"));
  expect_error(read_wraps(annotations_), ImageError::limit_exceeded);
}

TEST_F(KeyWrap, removing_encryption_leaves_other_annotations) {
  seal();
  annotations_["org.opencontainers.image.title"] = "module.wasm";
  remove_encryption(annotations_);
  EXPECT_EQ(annotations_.size(), 1U);
}

}  // namespace
}  // namespace coffer::image::ocicrypt
