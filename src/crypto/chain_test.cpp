#include <gtest/gtest.h>

#include "crypto/detail/key_impl.h"
#include "crypto/x509_testing.h"
#include "testing/vectors.h"

namespace coffer::crypto {
namespace {

using namespace testing_pki;

void expect_error(const Result<std::vector<Certificate>>& result, CryptoError code, std::string_view subject) {
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, code) << to_string(result.error());
  EXPECT_NE(result.error().message.find("'CN=" + std::string{subject} + "'"), std::string::npos)
      << result.error().message;
}

struct ChainTest : ::testing::Test {
  Chain chain;
  ChainOptions options = chain.options();
};

TEST_F(ChainTest, a_valid_chain_comes_back_leaf_first) {
  const auto verified = chain.verify(options);
  ASSERT_TRUE(verified) << to_string(verified.error());
  ASSERT_EQ(verified->size(), 3U);
  EXPECT_EQ((*verified)[0].der(), chain.leaf.certificate.der());
  EXPECT_EQ((*verified)[1].der(), chain.intermediate.certificate.der());
  EXPECT_EQ((*verified)[2].der(), chain.root.certificate.der());
}

TEST_F(ChainTest, an_intermediate_can_be_the_anchor) {
  const auto verified = verify_chain(chain.leaf.certificate, {&chain.intermediate.certificate, 1}, {.at = now});
  ASSERT_TRUE(verified) << to_string(verified.error());
  EXPECT_EQ(verified->size(), 2U);
}

TEST_F(ChainTest, the_leaf_itself_can_be_the_anchor) {
  const auto verified = verify_chain(chain.leaf.certificate, {&chain.leaf.certificate, 1}, {.at = now});
  ASSERT_TRUE(verified) << to_string(verified.error());
  EXPECT_EQ(verified->size(), 1U);
}

TEST_F(ChainTest, without_anchors_nothing_is_trusted) {
  expect_error(verify_chain(chain.leaf.certificate, {}, options), CryptoError::untrusted, "leaf");
}

TEST_F(ChainTest, another_root_of_the_same_name_is_no_anchor) {
  const auto impostor = make_root();
  expect_error(verify_chain(chain.leaf.certificate, {&impostor.certificate, 1}, options), CryptoError::untrusted,
               "intermediate");
}

TEST_F(ChainTest, an_untrusted_root_among_the_intermediates_is_no_anchor) {
  const auto other = make_root("other");
  options.intermediates.push_back(chain.root.certificate);
  expect_error(verify_chain(chain.leaf.certificate, {&other.certificate, 1}, options), CryptoError::untrusted, "root");
}

TEST_F(ChainTest, a_missing_intermediate_breaks_it) {
  options.intermediates.clear();
  expect_error(chain.verify(options), CryptoError::untrusted, "leaf");
}

TEST_F(ChainTest, before_and_after_its_validity_it_does_not_hold) {
  options.at = start - 1s;
  EXPECT_EQ(chain.verify(options).error().code, CryptoError::not_valid_at_time);
  options.at = start + 24h * 365 + 1s;
  EXPECT_EQ(chain.verify(options).error().code, CryptoError::not_valid_at_time);
  options.at = start;
  EXPECT_TRUE(chain.verify(options));
}

TEST_F(ChainTest, the_time_must_be_stated) {
  EXPECT_EQ(chain.verify({.at = {}, .intermediates = options.intermediates}).error().code,
            CryptoError::not_valid_at_time);
}

TEST_F(ChainTest, an_expired_leaf_is_named_with_the_time) {
  auto wanted = request("short", false);
  wanted.not_after = start + 24h;
  const auto leaf = make_child(chain.intermediate, wanted);
  const auto result = verify_chain(leaf.certificate, {&chain.root.certificate, 1}, options);
  expect_error(result, CryptoError::not_valid_at_time, "short");
  EXPECT_NE(result.error().message.find("2026-01-31T00:00:00Z"), std::string::npos) << result.error().message;
}

TEST_F(ChainTest, an_altered_signature_breaks_it) {
  auto der = chain.leaf.certificate.der();
  der.back() ^= std::byte{1};
  const auto leaf = Certificate::from_der(der);
  ASSERT_TRUE(leaf);
  expect_error(verify_chain(*leaf, {&chain.root.certificate, 1}, options), CryptoError::untrusted, "leaf");
}

TEST_F(ChainTest, a_certificate_that_is_no_ca_cannot_issue) {
  // The same name and key as the intermediate, without the CA bit.
  const auto not_ca =
      issue(request("intermediate", false), chain.intermediate.key.public_key(), chain.root.issuer()).value();
  options.intermediates = {not_ca};
  expect_error(chain.verify(options), CryptoError::untrusted, "intermediate");
}

TEST_F(ChainTest, key_usage_alone_does_not_make_a_ca) {
  const auto bare = remade(chain.intermediate.certificate, chain.root, [](X509* x509) {
    X509_EXTENSION_free(X509_delete_ext(x509, X509_get_ext_by_NID(x509, NID_basic_constraints, -1)));
  });
  options.intermediates = {bare};
  expect_error(chain.verify(options), CryptoError::untrusted, "intermediate");
}

TEST_F(ChainTest, path_length_holds) {
  const auto limited = remade(chain.root.certificate, chain.root, [](X509* x509) {
    X509_EXTENSION_free(X509_delete_ext(x509, X509_get_ext_by_NID(x509, NID_basic_constraints, -1)));
    const detail::Handle<BASIC_CONSTRAINTS, BASIC_CONSTRAINTS_free> constraints{BASIC_CONSTRAINTS_new()};
    constraints->ca = 0xff;
    constraints->pathlen = ASN1_INTEGER_new();
    ASN1_INTEGER_set(constraints->pathlen, 0);
    X509_add1_ext_i2d(x509, NID_basic_constraints, constraints.get(), 1, X509V3_ADD_APPEND);
  });
  const auto result = verify_chain(chain.leaf.certificate, {&limited, 1}, options);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, CryptoError::untrusted);
  EXPECT_NE(result.error().message.find("path length"), std::string::npos) << result.error().message;
}

TEST_F(ChainTest, the_callers_depth_holds) {
  options.max_depth = 0;
  EXPECT_EQ(chain.verify(options).error().code, CryptoError::untrusted);
  options.max_depth = 1;
  EXPECT_TRUE(chain.verify(options));
}

TEST_F(ChainTest, an_unknown_critical_extension_is_refused) {
  const auto strange = remade(chain.leaf.certificate, chain.intermediate, [](X509* x509) {
    const detail::Handle<ASN1_OBJECT, ASN1_OBJECT_free> oid{OBJ_txt2obj("1.3.6.1.4.1.99999.1", 1)};
    const detail::Handle<ASN1_OCTET_STRING, ASN1_OCTET_STRING_free> value{ASN1_OCTET_STRING_new()};
    const detail::Handle<X509_EXTENSION, X509_EXTENSION_free> extension{
        X509_EXTENSION_create_by_OBJ(nullptr, oid.get(), 1, value.get())};
    X509_add_ext(x509, extension.get(), -1);
  });
  expect_error(verify_chain(strange, {&chain.root.certificate, 1}, options), CryptoError::untrusted, "leaf");
}

TEST_F(ChainTest, a_malformed_extension_is_a_bad_certificate) {
  const auto broken = remade(chain.leaf.certificate, chain.intermediate, [](X509* x509) {
    const int index = X509_get_ext_by_NID(x509, NID_basic_constraints, -1);
    const detail::Handle<ASN1_OCTET_STRING, ASN1_OCTET_STRING_free> value{ASN1_OCTET_STRING_new()};
    const unsigned char nonsense[] = {0x30, 0x7f};
    ASN1_OCTET_STRING_set(value.get(), nonsense, sizeof nonsense);
    X509_EXTENSION_set_data(X509_get_ext(x509, index), value.get());
  });
  EXPECT_FALSE(broken.is_ca());
  expect_error(verify_chain(broken, {&chain.root.certificate, 1}, options), CryptoError::bad_certificate, "leaf");
}

TEST_F(ChainTest, sha1_signatures_are_refused) {
  const auto old = remade(chain.leaf.certificate, chain.intermediate, [](X509*) {}, EVP_sha1());
  expect_error(verify_chain(old, {&chain.root.certificate, 1}, options), CryptoError::untrusted, "leaf");
}

TEST_F(ChainTest, small_rsa_keys_are_refused) {
  const detail::Pkey small{EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", std::size_t{1024})};
  const auto weak =
      remade(chain.leaf.certificate, chain.intermediate, [&](X509* x509) { X509_set_pubkey(x509, small.get()); });
  EXPECT_EQ(weak.public_key().error().code, CryptoError::bad_key);
  expect_error(verify_chain(weak, {&chain.root.certificate, 1}, options), CryptoError::untrusted, "leaf");
}

struct CrlTest : ChainTest {
  Bytes from_root = make_crl(chain.root, {}, now - 24h);
  Bytes from_intermediate = make_crl(chain.intermediate, {}, now - 24h);
};

TEST_F(CrlTest, empty_lists_revoke_nothing) {
  options.crls = {from_root, from_intermediate};
  const auto verified = chain.verify(options);
  EXPECT_TRUE(verified) << to_string(verified.error());
}

TEST_F(CrlTest, a_listed_leaf_is_revoked) {
  options.crls = {from_root, make_crl(chain.intermediate, {&chain.leaf.certificate, 1}, now - 24h)};
  expect_error(chain.verify(options), CryptoError::revoked, "leaf");
}

TEST_F(CrlTest, a_listed_intermediate_is_revoked) {
  options.crls = {make_crl(chain.root, {&chain.intermediate.certificate, 1}, now - 24h), from_intermediate};
  expect_error(chain.verify(options), CryptoError::revoked, "intermediate");
  options.crls.pop_back();
  options.require_crl = false;
  expect_error(chain.verify(options), CryptoError::revoked, "intermediate");
}

TEST_F(CrlTest, a_level_without_a_list_is_untrusted_unless_the_caller_allows_it) {
  options.crls = {from_root};
  expect_error(chain.verify(options), CryptoError::untrusted, "leaf");
  options.require_crl = false;
  EXPECT_TRUE(chain.verify(options));
}

TEST_F(CrlTest, an_anchor_that_is_an_intermediate_needs_no_list) {
  const auto verified = verify_chain(chain.leaf.certificate, {&chain.intermediate.certificate, 1},
                                     {.at = now, .crls = {from_intermediate}});
  EXPECT_TRUE(verified) << to_string(verified.error());
}

TEST_F(CrlTest, an_old_list_does_not_count) {
  options.crls = {from_root, make_crl(chain.intermediate, {}, now - 24h * 31)};
  expect_error(chain.verify(options), CryptoError::not_valid_at_time, "leaf");
}

TEST_F(CrlTest, a_list_signed_by_another_key_does_not_count) {
  const Party impostor{PrivateKey::generate(KeyKind::ec_p256).value(), chain.intermediate.certificate};
  options.crls = {from_root, make_crl(impostor, {}, now - 24h)};
  expect_error(chain.verify(options), CryptoError::untrusted, "leaf");
}

TEST_F(CrlTest, a_list_that_does_not_parse_is_an_error) {
  options.crls = {to_bytes("nonsense")};
  EXPECT_EQ(chain.verify(options).error().code, CryptoError::bad_certificate);
  options.crls = {concat({from_root, Bytes(1)})};
  EXPECT_EQ(chain.verify(options).error().code, CryptoError::bad_certificate);
}

TEST(VendorChains, amd_milan_vcek_reaches_the_ark) {
  COFFER_REQUIRE_VECTORS();
  const auto vcek = Certificate::from_der(coffer::testing::read_vector_bytes("snp/test-vcek.der"));
  const auto vendor = Certificate::chain_from_pem(coffer::testing::read_vector("snp/roots/milan_ask_ark_asvk.pem"));
  ASSERT_TRUE(vcek && vendor);
  ASSERT_EQ(vendor->size(), 3U);
  const auto verified =
      verify_chain(*vcek, {&(*vendor)[1], 1}, {.at = vcek->not_before() + 24h, .intermediates = {(*vendor)[0]}});
  ASSERT_TRUE(verified) << to_string(verified.error());
  EXPECT_EQ(verified->size(), 3U);
}

}  // namespace
}  // namespace coffer::crypto
