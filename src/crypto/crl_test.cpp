#include "crypto/crl.h"

#include <gtest/gtest.h>
#include <openssl/pem.h>

#include "crypto/detail/crl_impl.h"
#include "crypto/detail/key_impl.h"
#include "crypto/x509_testing.h"

namespace coffer::crypto {
namespace {

using namespace testing_pki;

struct CrlFileTest : ::testing::Test {
  Party root = make_root();
  Bytes listed{std::byte{0x80}, std::byte{7}};
  CrlRequest request{.this_update = start, .next_update = start + 24h * 30, .serial_numbers = {listed}, .number = 5};
  Crl crl = issue_crl(request, root.issuer()).value();

  // `crl` after `change`, signed again by the root.
  Bytes remade(const std::function<void(X509_CRL*)>& change, const EVP_MD* digest = EVP_sha256()) const {
    return altered_crl(root, crl.der(), change, digest);
  }

  static void expect_refused(ByteView der, std::string_view why) {
    const auto result = Crl::from_der(der);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, CryptoError::bad_certificate);
    EXPECT_NE(result.error().message.find(why), std::string::npos) << result.error().message;
  }
};

void add_extension(X509_CRL* crl, const char* oid, std::string_view value, bool critical) {
  const detail::ObjectPtr object{OBJ_txt2obj(oid, 1)};
  const detail::Handle<ASN1_OCTET_STRING, ASN1_OCTET_STRING_free> octets{ASN1_OCTET_STRING_new()};
  ASN1_OCTET_STRING_set(octets.get(), detail::data_of(as_bytes(value)), static_cast<int>(value.size()));
  const detail::Handle<X509_EXTENSION, X509_EXTENSION_free> extension{
      X509_EXTENSION_create_by_OBJ(nullptr, object.get(), critical ? 1 : 0, octets.get())};
  X509_CRL_add_ext(crl, extension.get(), -1);
}

TEST_F(CrlFileTest, tells_what_was_requested) {
  EXPECT_EQ(crl.issuer(), "CN=root");
  EXPECT_EQ(crl.issuer_der(), root.certificate.subject_der());
  EXPECT_EQ(crl.this_update(), start);
  EXPECT_EQ(crl.next_update(), start + 24h * 30);
  EXPECT_EQ(crl.number(), Bytes{std::byte{5}});
  EXPECT_EQ(crl.authority_key_id(), root.certificate.subject_key_id());
  EXPECT_EQ(crl.size(), 1U);
  EXPECT_TRUE(crl.lists(listed));
  EXPECT_FALSE(crl.lists(Bytes{std::byte{7}}));
  EXPECT_FALSE(crl.lists({}));
}

TEST_F(CrlFileTest, an_empty_list_lists_nothing) {
  request.serial_numbers.clear();
  const auto empty = issue_crl(request, root.issuer()).value();
  EXPECT_EQ(empty.size(), 0U);
  EXPECT_FALSE(empty.lists(listed));
}

TEST_F(CrlFileTest, is_read_as_der_and_as_pem) {
  const detail::BioPtr bio{BIO_new(BIO_s_mem())};
  PEM_write_bio_X509_CRL(bio.get(), crl.impl().crl.get());
  const auto pem = detail::take_text(bio.get());
  EXPECT_EQ(Crl::parse(crl.der())->der(), crl.der());
  EXPECT_EQ(Crl::parse(as_bytes(pem))->der(), crl.der());
  EXPECT_EQ(Crl::from_pem(root.certificate.to_pem() + pem)->der(), crl.der());
  EXPECT_EQ(Crl::from_pem(root.certificate.to_pem()).error().code, CryptoError::bad_certificate);
  EXPECT_EQ(Crl::from_pem(pem.substr(0, pem.size() / 2)).error().code, CryptoError::bad_certificate);
  EXPECT_EQ(Crl::from_pem(std::string((32U << 20) + 1, ' ')).error().code, CryptoError::bad_certificate);
  EXPECT_EQ(Crl::parse({}).error().code, CryptoError::bad_certificate);
}

TEST_F(CrlFileTest, truncated_and_prolonged_lists_are_refused) {
  for (std::size_t size = 0; size < crl.der().size(); ++size) {
    EXPECT_FALSE(Crl::from_der(ByteView{crl.der()}.first(size))) << size;
  }
  expect_refused(concat({crl.der(), Bytes(1)}), "1 bytes follow");
  expect_refused(Bytes((16U << 20) + 1, std::byte{0x30}), "over 16 MiB");
}

TEST_F(CrlFileTest, ber_is_refused) {
  ASSERT_EQ(crl.der()[1], std::byte{0x81});  // a length in three octets that two can say
  const Bytes head{std::byte{0x30}, std::byte{0x82}, std::byte{0}};
  expect_refused(concat({head, ByteView{crl.der()}.subspan(2)}), "BER");
}

TEST_F(CrlFileTest, a_delta_list_is_refused) {
  expect_refused(remade([](X509_CRL* x) { add_extension(x, "2.5.29.27", "\x02\x01\x04", true); }), "delta");
}

TEST_F(CrlFileTest, an_indirect_list_is_refused) {
  expect_refused(remade([](X509_CRL* x) { add_extension(x, "2.5.29.28", "\x30\x03\x84\x01\xff", true); }), "indirect");
}

TEST_F(CrlFileTest, a_list_for_some_reasons_only_is_refused) {
  expect_refused(remade([](X509_CRL* x) { add_extension(x, "2.5.29.28", "\x30\x04\x83\x02\x01\x02", true); }),
                 "some reasons");
}

TEST_F(CrlFileTest, a_malformed_scope_is_refused) {
  expect_refused(remade([](X509_CRL* x) { add_extension(x, "2.5.29.28", "\x30\x7f", true); }), "malformed");
}

TEST_F(CrlFileTest, an_unknown_critical_extension_is_refused) {
  expect_refused(remade([](X509_CRL* x) { add_extension(x, "1.2.3.4", "\x05", true); }), "1.2.3.4");
  EXPECT_TRUE(Crl::from_der(remade([](X509_CRL* x) { add_extension(x, "1.2.3.4", "\x05", false); })));
}

TEST_F(CrlFileTest, an_extension_that_is_there_twice_is_refused) {
  expect_refused(remade([](X509_CRL* x) {
                   add_extension(x, "1.2.3.4", "\x05", false);
                   add_extension(x, "1.2.3.4", "\x05", false);
                 }),
                 "twice");
}

TEST_F(CrlFileTest, a_critical_extension_of_an_entry_is_refused) {
  const auto bytes = remade([](X509_CRL* x) {
    auto* entry = sk_X509_REVOKED_value(X509_CRL_get_REVOKED(x), 0);
    const detail::ObjectPtr object{OBJ_txt2obj("1.2.3.5", 1)};
    const detail::Handle<ASN1_OCTET_STRING, ASN1_OCTET_STRING_free> octets{ASN1_OCTET_STRING_new()};
    const detail::Handle<X509_EXTENSION, X509_EXTENSION_free> extension{
        X509_EXTENSION_create_by_OBJ(nullptr, object.get(), 1, octets.get())};
    X509_REVOKED_add_ext(entry, extension.get(), -1);
  });
  expect_refused(bytes, "1.2.3.5");
}

TEST_F(CrlFileTest, a_list_that_never_grows_old_is_refused) {
  const detail::X509CrlPtr forever{X509_CRL_new()};
  X509_CRL_set_version(forever.get(), X509_CRL_VERSION_2);
  X509_CRL_set_issuer_name(forever.get(), X509_get_subject_name(root.certificate.impl().x509.get()));
  X509_CRL_set1_lastUpdate(forever.get(), X509_CRL_get0_lastUpdate(crl.impl().crl.get()));
  X509_CRL_sign(forever.get(), root.key.impl().pkey.get(), EVP_sha256());
  unsigned char* encoded = nullptr;
  const int size = i2d_X509_CRL(forever.get(), &encoded);
  expect_refused(detail::take_encoding(encoded, size), "nextUpdate");
}

TEST_F(CrlFileTest, verifies_under_its_issuer_within_its_time) {
  EXPECT_TRUE(crl.verify(root.certificate, start));
  EXPECT_TRUE(crl.verify(root.certificate, start + 24h * 30 - 1s));
  EXPECT_EQ(crl.verify(root.certificate, start - 1s).error().code, CryptoError::not_valid_at_time);
  EXPECT_EQ(crl.verify(root.certificate, start + 24h * 30).error().code, CryptoError::not_valid_at_time);
}

TEST_F(CrlFileTest, does_not_verify_under_another_issuer) {
  EXPECT_EQ(crl.verify(make_root("other").certificate, start).error().code, CryptoError::untrusted);
  EXPECT_EQ(crl.verify(make_root("root").certificate, start).error().code, CryptoError::untrusted);
}

TEST_F(CrlFileTest, an_altered_list_does_not_verify) {
  auto der = crl.der();
  der.back() ^= std::byte{1};
  EXPECT_EQ(Crl::from_der(der)->verify(root.certificate, start).error().code, CryptoError::untrusted);
}

TEST_F(CrlFileTest, an_issuer_whose_key_may_not_sign_lists_does_not_count) {
  const auto without = testing_pki::remade(root.certificate, root, [](X509* x509) {
    X509_EXTENSION_free(X509_delete_ext(x509, X509_get_ext_by_NID(x509, NID_key_usage, -1)));
    const detail::Handle<ASN1_BIT_STRING, ASN1_BIT_STRING_free> usage{ASN1_BIT_STRING_new()};
    ASN1_BIT_STRING_set_bit(usage.get(), 5, 1);
    X509_add1_ext_i2d(x509, NID_key_usage, usage.get(), 1, X509V3_ADD_APPEND);
  });
  const auto result = crl.verify(without, start);
  ASSERT_FALSE(result);
  EXPECT_NE(result.error().message.find("cRLSign"), std::string::npos) << result.error().message;
}

TEST_F(CrlFileTest, sha1_under_a_list_is_refused) {
  const auto weak = Crl::from_der(remade([](X509_CRL*) {}, EVP_sha1()));
  ASSERT_TRUE(weak);
  const auto result = weak->verify(root.certificate, start);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, CryptoError::untrusted);
  EXPECT_NE(result.error().message.find("sha1"), std::string::npos) << result.error().message;
}

TEST_F(CrlFileTest, pss_and_ed25519_lists_verify) {
  const auto rsa = make_root("rsa", KeyKind::rsa);
  request.rsa_pss = true;
  EXPECT_TRUE(issue_crl(request, rsa.issuer()).value().verify(rsa.certificate, start));
  EXPECT_EQ(issue_crl(request, root.issuer()).error().code, CryptoError::bad_parameter);
  request.rsa_pss = false;
  const auto edwards = make_root("edwards", KeyKind::ed25519);
  EXPECT_TRUE(issue_crl(request, edwards.issuer()).value().verify(edwards.certificate, start));
}

TEST_F(CrlFileTest, bad_requests_are_refused) {
  const auto leaf = make_child(root, testing_pki::request("leaf", false));
  EXPECT_EQ(issue_crl(request, leaf.issuer()).error().code, CryptoError::bad_certificate);
  EXPECT_EQ(issue_crl(request, {root.certificate, leaf.key}).error().code, CryptoError::bad_key);
  auto empty = request;
  empty.next_update = empty.this_update;
  EXPECT_EQ(issue_crl(empty, root.issuer()).error().code, CryptoError::bad_parameter);
  for (const std::size_t size : {0, 21}) {
    auto odd = request;
    odd.serial_numbers = {Bytes(size, std::byte{1})};
    EXPECT_EQ(issue_crl(odd, root.issuer()).error().code, CryptoError::bad_parameter);
  }
}

}  // namespace
}  // namespace coffer::crypto
