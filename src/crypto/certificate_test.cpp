#include <gtest/gtest.h>

#include "codec/base64.h"
#include "crypto/hash.h"
#include "crypto/x509_testing.h"
#include "testing/vectors.h"

namespace coffer::crypto {
namespace {

using namespace testing_pki;

struct CertificateTest : ::testing::Test {
  Party root = make_root("a root");
  const Bytes& der = root.certificate.der();
};

TEST_F(CertificateTest, tells_what_was_requested) {
  const auto& certificate = root.certificate;
  EXPECT_EQ(certificate.subject(), "CN=a root");
  EXPECT_EQ(certificate.issuer(), "CN=a root");
  EXPECT_EQ(certificate.not_before(), start);
  EXPECT_EQ(certificate.not_after(), start + 24h * 365);
  EXPECT_TRUE(certificate.is_ca());
  EXPECT_EQ(certificate.public_key().value(), root.key.public_key());
  EXPECT_EQ(certificate.sha256_fingerprint(), sha256(der));
}

TEST_F(CertificateTest, survives_der_and_pem) {
  EXPECT_EQ(Certificate::from_der(der)->der(), der);
  EXPECT_EQ(Certificate::from_pem(root.certificate.to_pem())->der(), der);
  EXPECT_EQ(PublicKey::from_pem(root.certificate.to_pem()).value(), root.key.public_key());
}

TEST_F(CertificateTest, extensions_are_found_by_oid) {
  const auto constraints = root.certificate.extension("2.5.29.19");
  ASSERT_TRUE(constraints);
  EXPECT_EQ(*constraints, (Bytes{std::byte{0x30}, std::byte{3}, std::byte{1}, std::byte{1}, std::byte{0xff}}));
  EXPECT_EQ(root.certificate.extension("1.2.3.4"), std::nullopt);
  EXPECT_EQ(root.certificate.extension("not an oid"), std::nullopt);
}

TEST_F(CertificateTest, trailing_bytes_are_refused) {
  auto longer = der;
  longer.push_back(std::byte{0});
  EXPECT_EQ(Certificate::from_der(longer).error().code, CryptoError::bad_certificate);
  EXPECT_EQ(Certificate::from_der(concat({der, der})).error().code, CryptoError::bad_certificate);
  const auto pem = "-----BEGIN CERTIFICATE-----\n" + codec::base64_encode(longer) + "\n-----END CERTIFICATE-----\n";
  EXPECT_EQ(Certificate::from_pem(pem).error().code, CryptoError::bad_certificate);
  EXPECT_EQ(PublicKey::from_pem(pem).error().code, CryptoError::bad_key);
}

TEST_F(CertificateTest, truncated_certificates_are_refused) {
  for (std::size_t size = 0; size < der.size(); ++size) {
    EXPECT_EQ(Certificate::from_der(ByteView{der}.first(size)).error().code, CryptoError::bad_certificate);
  }
}

TEST_F(CertificateTest, ber_is_refused) {
  // The same certificate with its outer SEQUENCE in indefinite length (X.690 section 8.1.3.6).
  ASSERT_EQ(der[1], std::byte{0x82});
  const Bytes head{std::byte{0x30}, std::byte{0x80}};
  const auto ber = concat({head, ByteView{der}.subspan(4), Bytes(2)});
  EXPECT_EQ(Certificate::from_der(ber).error().code, CryptoError::bad_certificate);
}

TEST_F(CertificateTest, pem_files_keep_their_order_and_may_hold_other_blocks) {
  const auto other = make_root("another");
  const auto key = root.key.to_pem_pkcs8();
  const auto file = other.certificate.to_pem() + std::string{as_text(key.expose())} + root.certificate.to_pem();
  const auto chain = Certificate::chain_from_pem(file);
  ASSERT_TRUE(chain);
  ASSERT_EQ(chain->size(), 2U);
  EXPECT_EQ((*chain)[0].subject(), "CN=another");
  EXPECT_EQ((*chain)[1].subject(), "CN=a root");
}

TEST_F(CertificateTest, pem_without_a_certificate_or_with_a_damaged_one_is_refused) {
  const auto key = root.key.to_pem_pkcs8();
  EXPECT_EQ(Certificate::from_pem("").error().code, CryptoError::bad_certificate);
  EXPECT_EQ(Certificate::from_pem(as_text(key.expose())).error().code, CryptoError::bad_certificate);
  auto pem = root.certificate.to_pem();
  EXPECT_EQ(Certificate::from_pem(pem.substr(0, pem.size() / 2)).error().code, CryptoError::bad_certificate);
  pem[100] = '!';
  EXPECT_EQ(Certificate::from_pem(pem).error().code, CryptoError::bad_certificate);
  EXPECT_EQ(Certificate::from_pem(std::string((4U << 20) + 1, ' ')).error().code, CryptoError::bad_certificate);
}

TEST_F(CertificateTest, too_many_certificates_are_refused) {
  std::string file;
  for (int i = 0; i < 65; ++i) file += root.certificate.to_pem();
  EXPECT_EQ(Certificate::chain_from_pem(file).error().code, CryptoError::bad_certificate);
}

TEST(VendorCertificates, parse_as_they_are) {
  COFFER_REQUIRE_VECTORS();
  for (const auto* name : {"snp/test-vcek.der", "snp/test-vlek.der"}) {
    EXPECT_TRUE(Certificate::from_der(coffer::testing::read_vector_bytes(name))) << name;
  }
  for (const auto* name :
       {"snp/roots/milan_ask_ark_asvk.pem", "snp/roots/genoa_ask_ark_asvk.pem", "snp/roots/turin_ask_ark_asvk.pem",
        "nitro/AWS_NitroEnclaves_Root-G1.pem", "az-snp-vtpm/vcek.pem"}) {
    const auto chain = Certificate::chain_from_pem(coffer::testing::read_vector(name));
    ASSERT_TRUE(chain) << name;
    for (const auto& certificate : *chain) EXPECT_TRUE(certificate.public_key()) << certificate.subject();
  }
}

}  // namespace
}  // namespace coffer::crypto
