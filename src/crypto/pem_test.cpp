// PEM as other programs write it. The keys were made for these tests alone, by the commands beside them.
#include <gtest/gtest.h>

#include "codec/base64.h"
#include "crypto/keys.h"

namespace coffer::crypto {
namespace {

// openssl ecparam -name prime256v1 -genkey
constexpr std::string_view sec1_with_parameters = R"(-----BEGIN EC PARAMETERS-----
BggqhkjOPQMBBw==
-----END EC PARAMETERS-----
-----BEGIN EC PRIVATE KEY-----
MHcCAQEEIH58BNLtOUQKMISiTmxxqxrlI8+ZWwD46/zufkzA9CwIoAoGCCqGSM49
AwEHoUQDQgAEj84xyMwfD0ODlVTxANX1cJS5zZS1O43Ju8tHIihOrAFjza8OO3cs
HevSKyiWjdb+xYLezHAz8gGN1NREwWlcdA==
-----END EC PRIVATE KEY-----
)";

// openssl ec -pubout
constexpr std::string_view its_public_half = R"(-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEj84xyMwfD0ODlVTxANX1cJS5zZS1
O43Ju8tHIihOrAFjza8OO3csHevSKyiWjdb+xYLezHAz8gGN1NREwWlcdA==
-----END PUBLIC KEY-----
)";

// openssl pkcs8 -topk8 -passout pass:x -v2 aes-128-cbc -iter 1000
constexpr std::string_view encrypted_pkcs8 = R"(-----BEGIN ENCRYPTED PRIVATE KEY-----
MIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAi9Z4Sgo0NvxwICA+gw
DAYIKoZIhvcNAgkFADAdBglghkgBZQMEAQIEEHDqqq9qJE9SYp/GZ6GCmAsEgZCS
Tzw/1yl+0sO41WcDz2Zr5+hxs6kQtGeH0TUk+UyOfNTsxmPuumQPgRyxYfvQ/Ir+
JJ/57qQPvBKsoDdjXZUp94NWGT+Fx96ONFQgfulj63iun1xvY5/xiBL2Z3oJxOHb
CjZCVFSOm4viOLLU7bn9IOl3RT2o6qR2a2lpr2mCqCI1n7JNJ/9jctDidILEL1A=
-----END ENCRYPTED PRIVATE KEY-----
)";

// openssl ec -aes128 -passout pass:x
constexpr std::string_view encrypted_sec1 = R"(-----BEGIN EC PRIVATE KEY-----
Proc-Type: 4,ENCRYPTED
DEK-Info: AES-128-CBC,28FFF350E2732CAF57D3BC0C7445CA53

BOr4J6YG1FbXk/PN9QKlHcBQYnBWG6KeRMJOLfNhgrHBBEhaAXlj9jom2JZEDjd1
rqH3FLgDDxgVQo+CkXz6tSh3aIXY3fDF9xkaDws3g9LMmcm0ndnCO/9GRMj3CsgA
c9oTxLdN9wtQjjXRbQWLQ4jG98KGcj8sdZa108S+Z7U=
-----END EC PRIVATE KEY-----
)";

// openssl ecparam -name secp256k1 -genkey -noout
constexpr std::string_view other_curve = R"(-----BEGIN EC PRIVATE KEY-----
MHQCAQEEINlFszLwIx3qU0uZhiuoxTRWZ1UZZT72YeSCF5Mqs5uYoAcGBSuBBAAK
oUQDQgAE2awSpXP2K57Pbe9anuQdq/7YzyT2cyjzeXUFNvdJ2E8Kdw3ccdAFtVHN
jIqbOYcItZVPWUPbnhXLFY1MQuXsvQ==
-----END EC PRIVATE KEY-----
)";

// openssl ec -pubout -param_enc explicit
constexpr std::string_view explicit_curve = R"(-----BEGIN PUBLIC KEY-----
MIIBSzCCAQMGByqGSM49AgEwgfcCAQEwLAYHKoZIzj0BAQIhAP////8AAAABAAAA
AAAAAAAAAAAA////////////////MFsEIP////8AAAABAAAAAAAAAAAAAAAA////
///////////8BCBaxjXYqjqT57PrvVV2mIa8ZR0GsMxTsPY7zjw+J9JgSwMVAMSd
NgiG5wSTamZ44ROdJreBn36QBEEEaxfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5
RdiYwpZP40Li/hp/m47n60p8D54WK84zV2sxXs7LtkBoN79R9QIhAP////8AAAAA
//////////+85vqtpxeehPO5ysL8YyVRAgEBA0IABG0T2y/WhjnRvCBLLm7Bx2d+
v2BP+zs7NASrHHillfF73lKQpMXCyCkZdC0wvKkvbXRQVN/C0W1ayWO8ul2e1Q4=
-----END PUBLIC KEY-----
)";

// openssl genpkey -algorithm X25519
constexpr std::string_view other_type = R"(-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VuBCIEIMDNCtxcqox/hfb5pAMP944A9sOtiZThuktW9DFELSNk
-----END PRIVATE KEY-----
)";

TEST(Pem, sec1_after_its_parameters_is_read) {
  const auto key = PrivateKey::from_pem(sec1_with_parameters);
  ASSERT_TRUE(key) << to_string(key.error());
  EXPECT_EQ(key->kind(), KeyKind::ec_p256);
  EXPECT_EQ(key->public_key(), PublicKey::from_pem(its_public_half).value());
  EXPECT_EQ(key->public_key().to_pem(), its_public_half);
}

TEST(Pem, text_around_the_block_and_crlf_are_allowed) {
  std::string text = "Key of the laptop\n";
  for (const char c : its_public_half) text += c == '\n' ? std::string{"\r\n"} : std::string{c};
  EXPECT_TRUE(PublicKey::from_pem(text + "more text\n"));
}

TEST(Pem, pkcs1_public_keys_are_read) {
  const auto key = PrivateKey::generate(KeyKind::rsa)->public_key();
  // The PKCS#1 structure is what SubjectPublicKeyInfo holds after its first 24 bytes, for 2048 bits.
  const auto pkcs1 = codec::base64_encode(ByteView{key.to_spki_der()}.subspan(24));
  std::string pem = "-----BEGIN RSA PUBLIC KEY-----\n";
  for (std::size_t i = 0; i < pkcs1.size(); i += 64) pem += pkcs1.substr(i, 64) + "\n";
  pem += "-----END RSA PUBLIC KEY-----\n";
  EXPECT_EQ(PublicKey::from_pem(pem).value(), key);
}

struct BadPem {
  const char* name;
  std::string text;
  std::string_view says;
};

void PrintTo(const BadPem& bad, std::ostream* out) {
  *out << bad.name;
}

std::string without_line(std::string_view pem, std::size_t line) {
  std::string text{pem};
  std::size_t start = 0;
  while (line-- > 0) start = text.find('\n', start) + 1;
  return text.erase(start, text.find('\n', start) + 1 - start);
}

struct BadPrivatePem : testing::TestWithParam<BadPem> {};

TEST_P(BadPrivatePem, is_refused_with_its_reason) {
  const auto key = PrivateKey::from_pem(GetParam().text);
  ASSERT_FALSE(key);
  EXPECT_EQ(key.error().code, CryptoError::bad_key);
  EXPECT_NE(key.error().message.find(GetParam().says), std::string::npos) << key.error().message;
}

INSTANTIATE_TEST_SUITE_P(
    Pem, BadPrivatePem,
    testing::Values(BadPem{"empty", "", "no PEM block"}, BadPem{"text", "hello\n", "no PEM block"},
                    BadPem{"encrypted_pkcs8", std::string{encrypted_pkcs8}, "encrypted"},
                    BadPem{"encrypted_sec1", std::string{encrypted_sec1}, "encrypted"},
                    BadPem{"public", std::string{its_public_half}, "a PEM private key was expected"},
                    BadPem{"other_curve", std::string{other_curve}, "P-256"},
                    BadPem{"other_type", std::string{other_type}, "X25519"},
                    BadPem{"line_lost", without_line(sec1_with_parameters, 4), "SEC 1"},
                    BadPem{"end_lost", std::string{sec1_with_parameters.substr(0, 250)}, "damaged"},
                    BadPem{"too_long", std::string((1U << 20) + 1, 'x'), "over 1 MiB"}),
    [](const auto& info) { return info.param.name; });

struct BadPublicPem : testing::TestWithParam<BadPem> {};

TEST_P(BadPublicPem, is_refused_with_its_reason) {
  const auto key = PublicKey::from_pem(GetParam().text);
  ASSERT_FALSE(key);
  EXPECT_EQ(key.error().code, CryptoError::bad_key);
  EXPECT_NE(key.error().message.find(GetParam().says), std::string::npos) << key.error().message;
}

INSTANTIATE_TEST_SUITE_P(Pem, BadPublicPem,
                         testing::Values(BadPem{"empty", "", "no PEM block"},
                                         BadPem{"private_half", std::string{sec1_with_parameters},
                                                "a PEM public key was expected"},
                                         BadPem{"explicit_curve", std::string{explicit_curve}, "name its curve"},
                                         BadPem{"line_lost", without_line(its_public_half, 1), "SubjectPublicKeyInfo"}),
                         [](const auto& info) { return info.param.name; });

TEST(Pem, trailing_bytes_after_pkcs8_are_refused) {
  const auto pem = PrivateKey::generate(KeyKind::ed25519)->to_pem_pkcs8();
  const auto text = as_text(pem.expose());
  const auto start = text.find('\n') + 1;
  auto der = codec::base64_decode(text.substr(start, text.find('\n', start) - start)).value();
  EXPECT_TRUE(PrivateKey::from_pkcs8_der(der));
  der.push_back(std::byte{0});
  EXPECT_EQ(PrivateKey::from_pkcs8_der(der).error().code, CryptoError::bad_key);
}

}  // namespace
}  // namespace coffer::crypto
