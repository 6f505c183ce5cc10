#include <gtest/gtest.h>

#include <set>

#include "crypto/x509_testing.h"

namespace coffer::crypto {
namespace {

using namespace testing_pki;

class IssuerKind : public testing::TestWithParam<KeyKind> {};

TEST_P(IssuerKind, issues_what_verifies) {
  const auto root = make_root("root", GetParam());
  const auto leaf = make_child(root, request("leaf", false));
  EXPECT_FALSE(leaf.certificate.is_ca());
  EXPECT_EQ(leaf.certificate.issuer(), "CN=root");
  const auto verified = verify_chain(leaf.certificate, {&root.certificate, 1}, {.at = now});
  EXPECT_TRUE(verified) << to_string(verified.error());
}

INSTANTIATE_TEST_SUITE_P(Kinds, IssuerKind,
                         testing::Values(KeyKind::ec_p256, KeyKind::ec_p384, KeyKind::ec_p521, KeyKind::rsa,
                                         KeyKind::ed25519));

TEST(Issue, names_are_in_the_certificate) {
  auto wanted = request("host", false);
  wanted.dns_names = {"localhost", "broker.example"};
  wanted.ip_addresses = {"127.0.0.1", "::1"};
  const auto certificate = make_child(make_root(), wanted).certificate;
  auto* x509 = certificate.impl().x509.get();
  EXPECT_EQ(X509_check_host(x509, "broker.example", 0, 0, nullptr), 1);
  EXPECT_EQ(X509_check_host(x509, "other.example", 0, 0, nullptr), 0);
  EXPECT_EQ(X509_check_ip_asc(x509, "127.0.0.1", 0), 1);
  EXPECT_EQ(X509_check_ip_asc(x509, "::1", 0), 1);
  EXPECT_EQ(X509_check_ip_asc(x509, "127.0.0.2", 0), 0);
}

TEST(Issue, a_comma_in_a_name_stays_in_that_name) {
  auto wanted = request("host", false);
  wanted.dns_names = {"a.example,DNS:b.example"};
  const auto certificate = make_child(make_root(), wanted).certificate;
  EXPECT_EQ(X509_check_host(certificate.impl().x509.get(), "b.example", 0, 0, nullptr), 0);
}

TEST(Issue, usage_and_key_identifiers_are_set) {
  const auto root = make_root();
  const auto leaf = make_child(root, request("leaf", false));
  auto* ca = root.certificate.impl().x509.get();
  auto* end = leaf.certificate.impl().x509.get();
  EXPECT_EQ(X509_get_key_usage(ca), static_cast<unsigned>(KU_DIGITAL_SIGNATURE | KU_KEY_CERT_SIGN | KU_CRL_SIGN));
  EXPECT_EQ(X509_get_key_usage(end), static_cast<unsigned>(KU_DIGITAL_SIGNATURE));
  ASSERT_NE(X509_get0_subject_key_id(ca), nullptr);
  ASSERT_NE(X509_get0_authority_key_id(end), nullptr);
  EXPECT_EQ(ASN1_OCTET_STRING_cmp(X509_get0_subject_key_id(ca), X509_get0_authority_key_id(end)), 0);
  EXPECT_EQ(ASN1_OCTET_STRING_cmp(X509_get0_subject_key_id(ca), X509_get0_authority_key_id(ca)), 0);
  EXPECT_NE(ASN1_OCTET_STRING_cmp(X509_get0_subject_key_id(ca), X509_get0_subject_key_id(end)), 0);
}

TEST(Issue, serial_numbers_are_positive_and_differ) {
  const auto key = PrivateKey::generate(KeyKind::ec_p256).value();
  std::set<Bytes> seen;
  for (int i = 0; i < 20; ++i) {
    const auto certificate = self_sign(request("same", false), key).value();
    const auto* serial = X509_get0_serialNumber(certificate.impl().x509.get());
    EXPECT_EQ(ASN1_STRING_type(serial), V_ASN1_INTEGER);  // not V_ASN1_NEG_INTEGER
    const auto* data = reinterpret_cast<const std::byte*>(ASN1_STRING_get0_data(serial));
    seen.emplace(data, data + ASN1_STRING_length(serial));
  }
  EXPECT_EQ(seen.size(), 20U);
}

TEST(Issue, validity_beyond_2050_and_unicode_names_survive) {
  auto wanted = request("Schlüssel, größer", true);
  wanted.not_after = from_unix_seconds(4'102'444'800);  // 2100-01-01
  const auto certificate = self_sign(wanted, PrivateKey::generate(KeyKind::ec_p256).value());
  ASSERT_TRUE(certificate);
  EXPECT_EQ(certificate->not_after(), wanted.not_after);
  EXPECT_EQ(certificate->subject(), "CN=Schl\\C3\\BCssel\\, gr\\C3\\B6\\C3\\9Fer");
}

TEST(Issue, bad_requests_are_refused) {
  const auto key = PrivateKey::generate(KeyKind::ec_p256).value();
  const auto error_of = [&](auto change) {
    auto wanted = request("name", false);
    change(wanted);
    const auto result = self_sign(wanted, key);
    return result ? "none" : result.error().code.name();
  };
  const auto bad = code_name(CryptoError::bad_parameter);
  EXPECT_EQ(error_of([](CertificateRequest&) {}), "none");
  EXPECT_EQ(error_of([](CertificateRequest& r) { r.common_name.clear(); }), bad);
  EXPECT_EQ(error_of([](CertificateRequest& r) { r.common_name = std::string(65, 'x'); }), bad);
  EXPECT_EQ(error_of([](CertificateRequest& r) { r.common_name = "\xff\xfe"; }), bad);
  EXPECT_EQ(error_of([](CertificateRequest& r) { r.not_after = r.not_before; }), bad);
  EXPECT_EQ(error_of([](CertificateRequest& r) { r.not_after = TimePoint::max(); }), bad);
  EXPECT_EQ(error_of([](CertificateRequest& r) { r.dns_names = {"two words"}; }), bad);
  EXPECT_EQ(error_of([](CertificateRequest& r) { r.dns_names = {""}; }), bad);
  EXPECT_EQ(error_of([](CertificateRequest& r) { r.ip_addresses = {"localhost"}; }), bad);
}

TEST(Issue, names_have_the_attributes_that_were_asked_for_before_the_common_name) {
  auto wanted = request("leaf", false);
  wanted.subject = {{"2.5.4.6", "US"}, {"2.5.4.10", "Some, Inc."}, {"2.5.4.11", "Unit"}};
  const auto leaf = make_child(make_root(), wanted).certificate;
  EXPECT_EQ(leaf.subject(), "CN=leaf,OU=Unit,O=Some\\, Inc.,C=US");
  EXPECT_EQ(leaf.subject_attribute("2.5.4.10"), "Some, Inc.");
  const auto key = PrivateKey::generate(KeyKind::ec_p256).value();
  for (const auto& [oid, value] : {NameAttribute{"country", "US"}, NameAttribute{"2.5.4.6", "USA"}}) {
    auto bad = request("leaf", false);
    bad.subject = {{oid, value}};
    EXPECT_EQ(self_sign(bad, key).error().code, CryptoError::bad_parameter) << oid;
  }
}

TEST(Issue, key_usage_is_what_was_asked_for) {
  auto wanted = request("leaf", false);
  wanted.usages = {KeyUsage::key_encipherment};
  const auto leaf = make_child(make_root(), wanted).certificate;
  EXPECT_TRUE(leaf.allows(KeyUsage::key_encipherment));
  EXPECT_FALSE(leaf.allows(KeyUsage::digital_signature));
}

TEST(Issue, only_a_ca_with_its_own_key_issues) {
  const auto root = make_root();
  const auto leaf = make_child(root, request("leaf", false));
  const auto other = PrivateKey::generate(KeyKind::ec_p256).value();
  EXPECT_EQ(issue(request("x", false), other.public_key(), leaf.issuer()).error().code, CryptoError::bad_certificate);
  EXPECT_EQ(issue(request("x", false), other.public_key(), {root.certificate, other}).error().code,
            CryptoError::bad_key);
}

}  // namespace
}  // namespace coffer::crypto
