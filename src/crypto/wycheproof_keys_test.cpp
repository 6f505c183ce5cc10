#include <gtest/gtest.h>

#include "base/byte_reader.h"
#include "codec/base64.h"
#include "crypto/keys.h"
#include "crypto/wycheproof_testing.h"
#include "testing/vectors.h"

namespace coffer::crypto::wycheproof {
namespace {

Bytes der(std::uint8_t tag, ByteView content) {
  ByteWriter out;
  out.u8(tag);
  if (content.size() >= 0x80) out.u8(0x81);
  return out.u8(static_cast<std::uint8_t>(content.size())).bytes(content).take();
}

Bytes unhex(std::string_view text) {
  return codec::hex_decode(text).value();
}

// SEQUENCE { id-ecPublicKey, the curve } of RFC 5480 section 2.1.1.
Bytes ec_algorithm(KeyKind curve) {
  const auto* oid = curve == KeyKind::ec_p256   ? "06082a8648ce3d030107"
                    : curve == KeyKind::ec_p384 ? "06052b81040022"
                                                : "06052b81040023";
  return der(0x30, concat({unhex("06072a8648ce3d0201"), unhex(oid)}));
}

Result<PublicKey> public_from_point(KeyKind curve, ByteView point) {
  const auto bits = der(0x03, concat({Bytes{std::byte{0}}, point}));
  return PublicKey::from_spki_der(der(0x30, concat({ec_algorithm(curve), bits})));
}

// PKCS#8 around an ECPrivateKey (RFC 5915) without a public key.
Result<PrivateKey> private_from_scalar(KeyKind curve, Bytes d) {
  const auto size = coordinate_size(curve);
  while (d.size() > size && d.front() == std::byte{0}) d.erase(d.begin());
  d.insert(d.begin(), size - std::min(size, d.size()), std::byte{0});
  const auto sec1 = der(0x30, concat({unhex("020101"), der(0x04, d)}));
  return PrivateKey::from_pkcs8_der(der(0x30, concat({unhex("020100"), ec_algorithm(curve), der(0x04, sec1)})));
}

void run_ecdh(const std::string& file, KeyKind curve) {
  run_file(file, [curve](const Vector& v) -> Outcome {
    const auto own = private_from_scalar(curve, v.hex("private"));
    if (!own) {
      ADD_FAILURE() << to_string(own.error());
      return Verdict::rejected;
    }
    const auto peer = public_from_point(curve, v.hex("public"));
    if (!peer) return Verdict::rejected;
    const auto shared = own->ecdh(*peer);
    return accepted_if(shared && equal(shared->expose(), v.hex("shared")));
  });
}

TEST(Wycheproof, ecdh_p256) {
  COFFER_REQUIRE_VECTORS();
  run_ecdh("ecdh_secp256r1_ecpoint", KeyKind::ec_p256);
}

TEST(Wycheproof, ecdh_p384) {
  COFFER_REQUIRE_VECTORS();
  run_ecdh("ecdh_secp384r1_ecpoint", KeyKind::ec_p384);
}

TEST(Wycheproof, ecdh_p521) {
  COFFER_REQUIRE_VECTORS();
  run_ecdh("ecdh_secp521r1_ecpoint", KeyKind::ec_p521);
}

Outcome verify_raw(const Vector& v, SignatureAlgorithm algorithm, ByteView signature) {
  const auto key = PublicKey::from_spki_der(v.group_hex("/publicKeyDer"));
  if (!key) {
    ADD_FAILURE() << to_string(key.error());
    return Verdict::rejected;
  }
  return accepted_if(key->verify(algorithm, v.hex("msg"), signature).has_value());
}

TEST(Wycheproof, ecdsa_p256_in_p1363_form) {
  COFFER_REQUIRE_VECTORS();
  run_file("ecdsa_secp256r1_sha256_p1363",
           [](const Vector& v) { return verify_raw(v, SignatureAlgorithm::es256, v.hex("sig")); });
}

TEST(Wycheproof, ecdsa_p384_in_p1363_form) {
  COFFER_REQUIRE_VECTORS();
  run_file("ecdsa_secp384r1_sha384_p1363",
           [](const Vector& v) { return verify_raw(v, SignatureAlgorithm::es384, v.hex("sig")); });
}

TEST(Wycheproof, ecdsa_p256_in_der) {
  COFFER_REQUIRE_VECTORS();
  run_file("ecdsa_secp256r1_sha256", [](const Vector& v) -> Outcome {
    const auto raw = ecdsa_from_der(KeyKind::ec_p256, v.hex("sig"));
    if (!raw) return Verdict::rejected;
    const auto again = ecdsa_to_der(KeyKind::ec_p256, *raw);
    EXPECT_TRUE(again && equal(*again, v.hex("sig")));  // what is accepted has one encoding
    return verify_raw(v, SignatureAlgorithm::es256, *raw);
  });
}

TEST(Wycheproof, ed25519) {
  COFFER_REQUIRE_VECTORS();
  run_file("ed25519", [](const Vector& v) -> Outcome {
    const auto key = PublicKey::from_ed25519(v.group_hex("/publicKey/pk"));
    return accepted_if(key && key->verify(SignatureAlgorithm::eddsa, v.hex("msg"), v.hex("sig")));
  });
}

void run_oaep(const std::string& file, HashAlgorithm hash) {
  run_file(file, [hash](const Vector& v) -> Outcome {
    if (!v.hex("label").empty()) return Skipped{"with an OAEP label, which the interface does not offer"};
    const auto key = PrivateKey::from_pkcs8_der(v.group_hex("/privateKeyPkcs8"));
    if (!key) {
      ADD_FAILURE() << to_string(key.error());
      return Verdict::rejected;
    }
    const auto opened = key->decrypt_oaep(hash, v.hex("ct"));
    return accepted_if(opened && equal(opened->expose(), v.hex("msg")));
  });
}

TEST(Wycheproof, rsa_oaep_with_sha1) {
  COFFER_REQUIRE_VECTORS();
  run_oaep("rsa_oaep_2048_sha1_mgf1sha1", HashAlgorithm::sha1);
}

TEST(Wycheproof, rsa_oaep_with_sha256) {
  COFFER_REQUIRE_VECTORS();
  run_oaep("rsa_oaep_2048_sha256_mgf1sha256", HashAlgorithm::sha256);
}

TEST(Wycheproof, rsa_pss_with_sha384) {
  COFFER_REQUIRE_VECTORS();
  run_file("rsa_pss_4096_sha384_mgf1_48",
           [](const Vector& v) { return verify_raw(v, SignatureAlgorithm::ps384, v.hex("sig")); });
}

}  // namespace
}  // namespace coffer::crypto::wycheproof
