#include <gtest/gtest.h>

#include "crypto/crl.h"
#include "crypto/detail/key_impl.h"
#include "crypto/x509_testing.h"

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

TEST_F(ChainTest, a_critical_extension_that_the_caller_reads_is_taken) {
  auto wanted = request("leaf", false);
  wanted.extensions = {{.oid = "1.2.3.4", .critical = true, .value = {}},
                       {.oid = "1.2.3.5", .critical = true, .value = {}}};
  const auto strange = make_child(chain.intermediate, wanted);
  const auto verify = [&] { return verify_chain(strange.certificate, {&chain.root.certificate, 1}, options); };
  options.known_critical = {"1.2.3.4"};
  expect_error(verify(), CryptoError::untrusted, "leaf");
  options.known_critical.push_back("1.2.3.5");
  const auto verified = verify();
  EXPECT_TRUE(verified) << to_string(verified.error());
}

TEST_F(ChainTest, a_purpose_must_be_listed_by_name) {
  options.purpose = "2.23.133.8.1";
  expect_error(chain.verify(options), CryptoError::untrusted, "leaf");
  const auto verify_with = [&](std::vector<std::string> purposes) {
    auto wanted = request("leaf", false);
    wanted.purposes = std::move(purposes);
    return verify_chain(make_child(chain.intermediate, wanted).certificate, {&chain.root.certificate, 1}, options);
  };
  EXPECT_TRUE(verify_with({"1.3.6.1.5.5.7.3.1", "2.23.133.8.1"}));
  expect_error(verify_with({"2.5.29.37.0"}), CryptoError::untrusted, "leaf");  // anyExtendedKeyUsage
}

TEST_F(ChainTest, a_ca_that_lists_purposes_gives_no_others) {
  options.purpose = "2.23.133.8.1";
  auto leaf = request("leaf", false);
  leaf.purposes = {"2.23.133.8.1"};
  auto authority = request("intermediate", true);
  const auto verify = [&] {
    const auto intermediate = make_child(chain.root, authority);
    options.intermediates = {intermediate.certificate};
    return verify_chain(make_child(intermediate, leaf).certificate, {&chain.root.certificate, 1}, options);
  };
  EXPECT_TRUE(verify());
  authority.purposes = {"1.3.6.1.5.5.7.3.1"};
  expect_error(verify(), CryptoError::untrusted, "intermediate");
}

// The certificate of a TPM's endorsement key names the TPM in a critical subjectAltName and has no subject (TCG EK
// Credential Profile section 3.2.9).
TEST_F(ChainTest, an_endorsement_key_with_a_critical_name_and_no_subject_verifies) {
  for (const auto kind : {KeyKind::rsa, KeyKind::ec_p256, KeyKind::ec_p384}) {
    auto wanted = request("leaf", false);
    wanted.purposes = {"2.23.133.8.1"};
    // SEQUENCE { [4] { Name { SET { SEQUENCE { 2.23.133.2.1, UTF8String "id" } } } } }
    wanted.extensions = {{.oid = "2.5.29.17",
                          .critical = true,
                          .value = to_bytes("\x30\x13\xa4\x11\x30\x0f\x31\x0d\x30\x0b\x06\x05\x67\x81\x05\x02\x01"
                                            "\x0c\x02id")}};
    const auto named = make_child(chain.intermediate, wanted, kind);
    const auto bare = remade(named.certificate, chain.intermediate, [](X509* x509) {
      const detail::Handle<X509_NAME, X509_NAME_free> nobody{X509_NAME_new()};
      X509_set_subject_name(x509, nobody.get());
    });
    options.purpose = "2.23.133.8.1";
    const auto verified = verify_chain(bare, {&chain.root.certificate, 1}, options);
    EXPECT_TRUE(verified) << to_string(verified.error());
  }
}

TEST_F(ChainTest, keys_on_other_curves_are_refused) {
  for (const auto* group : {"secp256k1", "brainpoolP256r1", "secp224r1"}) {
    const detail::Pkey pkey{EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", group)};
    const auto other =
        remade(chain.leaf.certificate, chain.intermediate, [&](X509* x509) { X509_set_pubkey(x509, pkey.get()); });
    expect_error(verify_chain(other, {&chain.root.certificate, 1}, options), CryptoError::untrusted, "leaf");
  }
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
  options.crls = {from_root, altered_crl(impostor, from_intermediate, [](X509_CRL*) {})};
  expect_error(chain.verify(options), CryptoError::untrusted, "leaf");
}

TEST_F(CrlTest, lists_of_which_none_covers_the_chain_are_no_check) {
  const auto stranger = make_root("stranger");
  options.crls = {make_crl(stranger, {}, now - 24h)};
  options.require_crl = false;
  expect_error(chain.verify(options), CryptoError::untrusted, "leaf");
  options.crls.push_back(from_root);
  EXPECT_TRUE(chain.verify(options));
}

TEST_F(CrlTest, a_list_that_says_less_than_all_is_an_error) {
  const auto delta = altered_crl(chain.intermediate, from_intermediate, [](X509_CRL* crl) {
    const detail::Handle<ASN1_INTEGER, ASN1_INTEGER_free> base{ASN1_INTEGER_new()};
    ASN1_INTEGER_set(base.get(), 1);
    X509_CRL_add1_ext_i2d(crl, NID_delta_crl, base.get(), 1, X509V3_ADD_APPEND);
  });
  options.crls = {from_root, delta};
  EXPECT_EQ(chain.verify(options).error().code, CryptoError::bad_certificate);
}

TEST_F(CrlTest, a_list_under_sha1_is_refused) {
  options.crls = {from_root, altered_crl(chain.intermediate, from_intermediate, [](X509_CRL*) {}, EVP_sha1())};
  EXPECT_EQ(chain.verify(options).error().code, CryptoError::untrusted);
}

TEST_F(CrlTest, a_list_whose_issuer_may_not_sign_lists_does_not_count) {
  const auto no_crl_sign = remade(chain.intermediate.certificate, chain.root, [](X509* x509) {
    X509_EXTENSION_free(X509_delete_ext(x509, X509_get_ext_by_NID(x509, NID_key_usage, -1)));
    const detail::Handle<ASN1_BIT_STRING, ASN1_BIT_STRING_free> usage{ASN1_BIT_STRING_new()};
    ASN1_BIT_STRING_set_bit(usage.get(), 5, 1);
    X509_add1_ext_i2d(x509, NID_key_usage, usage.get(), 1, X509V3_ADD_APPEND);
  });
  options.intermediates = {no_crl_sign};
  EXPECT_TRUE(chain.verify(options));
  options.crls = {from_root, from_intermediate};
  EXPECT_EQ(chain.verify(options).error().code, CryptoError::untrusted);
}

// As AMD's: RSA with PSS under the vendor's CAs and their list, P-384 in the leaf, no list for the leaf.
TEST_F(CrlTest, a_chain_under_pss_with_a_list_of_the_root_verifies) {
  const auto make = [](const Party* issuer, const std::string& name, KeyKind kind, bool is_ca) {
    auto wanted = request(name, is_ca);
    wanted.rsa_pss = true;
    auto key = PrivateKey::generate(kind).value();
    auto made = issuer == nullptr ? self_sign(wanted, key) : issue(wanted, key.public_key(), issuer->issuer());
    return Party{std::move(key), std::move(made).value()};
  };
  const auto ark = make(nullptr, "ark", KeyKind::rsa, true);
  const auto ask = make(&ark, "ask", KeyKind::rsa, true);
  const auto vcek = make(&ask, "vcek", KeyKind::ec_p384, false);
  CrlRequest wanted{.this_update = start, .next_update = start + 24h * 365, .rsa_pss = true};
  const auto verify = [&] {
    return verify_chain(vcek.certificate, {&ark.certificate, 1},
                        {.at = now,
                         .intermediates = {ask.certificate},
                         .crls = {issue_crl(wanted, ark.issuer()).value().der()},
                         .require_crl = false});
  };
  const auto verified = verify();
  EXPECT_TRUE(verified) << to_string(verified.error());
  wanted.serial_numbers = {ask.certificate.serial_number()};
  expect_error(verify(), CryptoError::revoked, "ask");
}

TEST_F(CrlTest, a_list_that_does_not_parse_is_an_error) {
  options.crls = {to_bytes("nonsense")};
  EXPECT_EQ(chain.verify(options).error().code, CryptoError::bad_certificate);
  options.crls = {concat({from_root, Bytes(1)})};
  EXPECT_EQ(chain.verify(options).error().code, CryptoError::bad_certificate);
}

}  // namespace
}  // namespace coffer::crypto
