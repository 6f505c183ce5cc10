#include <gtest/gtest.h>

#include "crypto/x509_testing.h"
#include "testing/vectors.h"

namespace coffer::crypto {
namespace {

using namespace testing_pki;

Bytes octets(std::initializer_list<int> values) {
  Bytes out;
  for (const int value : values) out.push_back(static_cast<std::byte>(value));
  return out;
}

struct FieldsTest : ::testing::Test {
  Party root = make_root("a root");

  Certificate with(const std::function<void(CertificateRequest&)>& change) const {
    auto wanted = request("leaf", false);
    change(wanted);
    return issue(wanted, root.key.public_key(), root.issuer()).value();
  }
};

TEST_F(FieldsTest, names_are_told_as_text_and_as_der) {
  const auto leaf = with([](auto&) {});
  EXPECT_EQ(leaf.subject_attribute("2.5.4.3"), "leaf");
  EXPECT_EQ(leaf.subject_attribute("2.5.4.10"), std::nullopt);
  EXPECT_EQ(leaf.subject_attribute("no oid"), std::nullopt);
  EXPECT_EQ(leaf.issuer_der(), root.certificate.subject_der());
  EXPECT_NE(leaf.subject_der(), root.certificate.subject_der());
}

TEST_F(FieldsTest, serial_numbers_have_no_leading_zeros) {
  EXPECT_EQ(with([](auto& r) { r.serial_number = octets({0x01, 0x02}); }).serial_number(), octets({1, 2}));
  EXPECT_EQ(with([](auto& r) { r.serial_number = octets({0x00, 0x80}); }).serial_number(), octets({0x80}));
  EXPECT_EQ(with([](auto& r) { r.serial_number = octets({0}); }).serial_number(), octets({0}));
  EXPECT_EQ(with([](auto&) {}).serial_number().size(), 17U);
}

TEST_F(FieldsTest, a_serial_number_over_twenty_bytes_is_not_issued) {
  auto wanted = request("leaf", false);
  wanted.serial_number = Bytes(21, std::byte{1});
  EXPECT_EQ(issue(wanted, root.key.public_key(), root.issuer()).error().code, CryptoError::bad_parameter);
}

TEST_F(FieldsTest, key_usage_is_told_bit_by_bit) {
  EXPECT_TRUE(root.certificate.allows(KeyUsage::key_cert_sign));
  EXPECT_TRUE(root.certificate.allows(KeyUsage::crl_sign));
  EXPECT_FALSE(root.certificate.allows(KeyUsage::key_encipherment));
  const auto leaf = with([](auto&) {});
  EXPECT_TRUE(leaf.allows(KeyUsage::digital_signature));
  EXPECT_FALSE(leaf.allows(KeyUsage::key_cert_sign));
}

TEST_F(FieldsTest, absent_key_usage_permits_and_malformed_key_usage_forbids) {
  const auto remove = [](X509* x509) {
    X509_EXTENSION_free(X509_delete_ext(x509, X509_get_ext_by_NID(x509, NID_key_usage, -1)));
  };
  EXPECT_TRUE(remade(with([](auto&) {}), root, remove).allows(KeyUsage::key_cert_sign));
  const auto break_it = [](X509* x509) {
    auto* extension = X509_get_ext(x509, X509_get_ext_by_NID(x509, NID_key_usage, -1));
    const detail::Handle<ASN1_OCTET_STRING, ASN1_OCTET_STRING_free> value{ASN1_OCTET_STRING_new()};
    X509_EXTENSION_set_data(extension, value.get());
  };
  EXPECT_FALSE(remade(with([](auto&) {}), root, break_it).allows(KeyUsage::digital_signature));
}

TEST_F(FieldsTest, purposes_are_told_as_oids) {
  EXPECT_EQ(with([](auto&) {}).extended_key_usages(), std::nullopt);
  const std::vector<std::string> wanted{"1.3.6.1.5.5.7.3.1", "2.23.133.8.1"};
  EXPECT_EQ(with([&](auto& r) { r.purposes = wanted; }).extended_key_usages(), wanted);
}

TEST_F(FieldsTest, malformed_purposes_are_an_empty_list_and_not_a_permit) {
  const auto broken = with([](auto& r) { r.extensions = {{.oid = "2.5.29.37", .value = octets({0x30, 0x7f})}}; });
  EXPECT_EQ(broken.extended_key_usages(), std::vector<std::string>{});
}

TEST_F(FieldsTest, extensions_are_told_in_order_with_their_bytes) {
  const auto value = octets({0x02, 0x01, 0x07});
  const auto leaf = with([&](auto& r) {
    r.extensions = {{.oid = "1.3.6.1.4.1.3704.1.3.1", .value = value},
                    {.oid = "1.2.840.113741.1.13.1", .critical = true, .value = octets({0x05, 0x00})}};
  });
  const auto all = leaf.extensions();
  ASSERT_GE(all.size(), 2U);
  EXPECT_EQ(all[all.size() - 2].oid, "1.3.6.1.4.1.3704.1.3.1");
  EXPECT_EQ(all[all.size() - 2].value, value);
  EXPECT_FALSE(all[all.size() - 2].critical);
  EXPECT_EQ(all.back().oid, "1.2.840.113741.1.13.1");
  EXPECT_TRUE(all.back().critical);
  EXPECT_EQ(leaf.extension("1.3.6.1.4.1.3704.1.3.1"), value);
}

TEST_F(FieldsTest, an_extension_that_is_there_twice_is_refused) {
  auto wanted = request("leaf", false);
  wanted.extensions = {{.oid = "1.2.3.4", .value = octets({0x05, 0x00})},
                       {.oid = "1.2.3.4", .value = octets({0x01, 0x01, 0xff})}};
  const auto twice = issue(wanted, root.key.public_key(), root.issuer());
  ASSERT_FALSE(twice);
  EXPECT_EQ(twice.error().code, CryptoError::bad_certificate);
  EXPECT_NE(twice.error().message.find("1.2.3.4"), std::string::npos) << twice.error().message;
}

TEST_F(FieldsTest, what_is_no_oid_is_not_issued) {
  auto wanted = request("leaf", false);
  wanted.purposes = {"serverAuth"};
  EXPECT_EQ(issue(wanted, root.key.public_key(), root.issuer()).error().code, CryptoError::bad_parameter);
  wanted.purposes.clear();
  wanted.extensions = {{.oid = "one.two", .value = {}}};
  EXPECT_EQ(issue(wanted, root.key.public_key(), root.issuer()).error().code, CryptoError::bad_parameter);
}

TEST_F(FieldsTest, key_identifiers_lead_to_the_issuer) {
  const auto leaf = with([](auto&) {});
  ASSERT_TRUE(leaf.authority_key_id());
  EXPECT_EQ(leaf.authority_key_id(), root.certificate.subject_key_id());
}

TEST_F(FieldsTest, certificates_one_after_the_other_are_split) {
  const auto leaf = with([](auto&) {});
  const auto both = concat({leaf.der(), root.certificate.der()});
  const auto chain = Certificate::chain_from_der(both);
  ASSERT_TRUE(chain);
  ASSERT_EQ(chain->size(), 2U);
  EXPECT_EQ((*chain)[0].der(), leaf.der());
  EXPECT_EQ((*chain)[1].der(), root.certificate.der());
  EXPECT_EQ(Certificate::chain_from_der({}).error().code, CryptoError::bad_certificate);
  EXPECT_EQ(Certificate::chain_from_der(concat({both, Bytes(1)})).error().code, CryptoError::bad_certificate);
  Bytes many;
  for (int i = 0; i < 65; ++i) many.insert(many.end(), leaf.der().begin(), leaf.der().end());
  EXPECT_EQ(Certificate::chain_from_der(many).error().code, CryptoError::bad_certificate);
}

TEST(VendorFields, amd_and_nvidia_say_what_they_are) {
  COFFER_REQUIRE_VECTORS();
  const auto vcek = Certificate::from_der(coffer::testing::read_vector_bytes("snp/test-vcek.der")).value();
  EXPECT_EQ(vcek.serial_number(), octets({0}));
  EXPECT_EQ(vcek.subject_attribute("2.5.4.3"), "SEV-VCEK");
  EXPECT_EQ(vcek.extension("1.3.6.1.4.1.3704.1.2"), concat({octets({0x16, 8}), as_bytes("Milan-B0")}));
  EXPECT_EQ(vcek.extension("1.3.6.1.4.1.3704.1.4")->size(), 64U);  // the chip's id
  const auto gpu = Certificate::from_pem(coffer::testing::read_vector("nvidia/hopper_cert_chain_case1.txt")).value();
  EXPECT_EQ(gpu.subject_attribute("2.5.4.5"), "53C22BA15E5D68088282DA074ED9FB37AA585771");
  EXPECT_TRUE(gpu.extension("2.23.133.5.4.1"));
}

TEST(VendorFields, intel_names_its_revocation_lists) {
  COFFER_REQUIRE_VECTORS();
  const auto quote = coffer::testing::read_vector("sgx/dcap/sgx_quote");
  const auto pck = Certificate::from_pem(quote.substr(quote.find("-----BEGIN"))).value();
  EXPECT_EQ(pck.crl_uris(),
            std::vector<std::string>{
                "https://api.trustedservices.intel.com/sgx/certification/v4/pckcrl?ca=processor&encoding=der"});
  EXPECT_TRUE(pck.extension("1.2.840.113741.1.13.1"));
}

}  // namespace
}  // namespace coffer::crypto
