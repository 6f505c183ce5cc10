// Which path is taken where several could be, and what a path must not do.
#include <gtest/gtest.h>
#include <openssl/rsa.h>

#include "crypto/crl.h"
#include "crypto/detail/key_impl.h"
#include "crypto/x509_testing.h"

namespace coffer::crypto {
namespace {

using namespace testing_pki;

struct PathTest : ::testing::Test {
  Chain chain;
  ChainOptions options = chain.options();

  // Without key identifiers only names lead from a certificate to its issuer, as under AMD's VCEKs.
  static Certificate without_identifiers(const Certificate& original, const Party& signer) {
    return remade(original, signer, [](X509* x509) {
      for (const int nid : {NID_authority_key_identifier, NID_subject_key_identifier}) {
        const int index = X509_get_ext_by_NID(x509, nid, -1);
        if (index >= 0) X509_EXTENSION_free(X509_delete_ext(x509, index));
      }
    });
  }
};

TEST_F(PathTest, the_right_one_of_two_anchors_of_the_same_name_is_found_in_either_order) {
  const auto other = make_root();
  const auto right = without_identifiers(chain.root.certificate, chain.root);
  const auto wrong = without_identifiers(other.certificate, other);
  options.intermediates = {without_identifiers(chain.intermediate.certificate, chain.root)};
  const auto leaf = without_identifiers(chain.leaf.certificate, chain.intermediate);
  for (const auto& anchors : {std::vector{right, wrong}, std::vector{wrong, right}}) {
    const auto verified = verify_chain(leaf, anchors, options);
    ASSERT_TRUE(verified) << to_string(verified.error());
    EXPECT_EQ(verified->back().der(), right.der());
  }
}

TEST_F(PathTest, the_right_one_of_two_intermediates_of_the_same_name_is_found_in_either_order) {
  const auto other = make_child(chain.root, request("intermediate", true));
  const auto right = without_identifiers(chain.intermediate.certificate, chain.root);
  const auto wrong = without_identifiers(other.certificate, chain.root);
  const auto leaf = without_identifiers(chain.leaf.certificate, chain.intermediate);
  for (const auto& intermediates : {std::vector{right, wrong}, std::vector{wrong, right}}) {
    options.intermediates = intermediates;
    const auto verified = verify_chain(leaf, {&chain.root.certificate, 1}, options);
    ASSERT_TRUE(verified) << to_string(verified.error());
    EXPECT_EQ((*verified)[1].der(), right.der());
  }
}

TEST_F(PathTest, anchors_and_intermediates_may_be_given_twice) {
  options.intermediates.push_back(chain.intermediate.certificate);
  options.intermediates.push_back(chain.leaf.certificate);
  const std::vector anchors{chain.root.certificate, chain.root.certificate};
  EXPECT_TRUE(verify_chain(chain.leaf.certificate, anchors, options));
}

TEST_F(PathTest, a_revoked_certificate_stays_revoked_where_another_of_its_name_is_at_hand) {
  const auto other = make_child(chain.root, request("intermediate", true));
  options.intermediates.push_back(other.certificate);
  options.require_crl = false;
  options.crls = {make_crl(chain.root, {&chain.intermediate.certificate, 1}, now - 24h)};
  EXPECT_EQ(chain.verify(options).error().code, CryptoError::revoked);
}

TEST_F(PathTest, a_list_about_an_anchor_that_is_an_intermediate_does_not_matter) {
  const auto verify = [&](std::vector<Bytes> crls) {
    return verify_chain(chain.leaf.certificate, {&chain.intermediate.certificate, 1},
                        {.at = now, .intermediates = {chain.root.certificate}, .crls = std::move(crls)});
  };
  const auto of_root = make_crl(chain.root, {}, now - 24h);
  const auto of_intermediate = make_crl(chain.intermediate, {}, now - 24h);
  const auto verified = verify({of_root, of_intermediate});
  EXPECT_TRUE(verified) << to_string(verified.error());
}

TEST_F(PathTest, an_anchor_that_is_no_ca_issues_nothing) {
  const auto no_ca = self_sign(request("lone", false), chain.root.key).value();
  const auto wanted = request("below", false);
  const auto ca = self_sign(request("lone", true), chain.root.key).value();
  const auto below = issue(wanted, chain.leaf.key.public_key(), {ca, chain.root.key}).value();
  EXPECT_TRUE(verify_chain(below, {&ca, 1}, {.at = now}));
  EXPECT_EQ(verify_chain(below, {&no_ca, 1}, {.at = now}).error().code, CryptoError::untrusted);
}

TEST_F(PathTest, name_constraints_hold) {
  // SEQUENCE { [0] { SEQUENCE { [2] "good.example" } } }
  auto authority = request("constrained", true);
  authority.extensions = {
      {.oid = "2.5.29.30", .critical = true, .value = to_bytes("\x30\x12\xa0\x10\x30\x0e\x82\x0cgood.example")}};
  const auto constrained = make_child(chain.root, authority);
  options.intermediates = {constrained.certificate};
  const auto verify = [&](const std::string& name) {
    auto wanted = request("named", false);
    wanted.dns_names = {name};
    return verify_chain(make_child(constrained, wanted).certificate, {&chain.root.certificate, 1}, options);
  };
  const auto good = verify("a.good.example");
  EXPECT_TRUE(good) << to_string(good.error());
  EXPECT_EQ(verify("bad.example").error().code, CryptoError::untrusted);
}

TEST_F(PathTest, a_path_of_more_certificates_than_allowed_is_refused_and_a_long_one_ends) {
  auto issuer = make_root("0");
  const auto root = issuer;
  ChainOptions long_options{.at = now, .max_depth = 1000};
  for (int i = 1; i < 80; ++i) {
    issuer = make_child(issuer, request(std::to_string(i), true));
    long_options.intermediates.push_back(issuer.certificate);
  }
  const auto leaf = make_child(issuer, request("leaf", false));
  EXPECT_EQ(verify_chain(leaf.certificate, {&root.certificate, 1}, long_options).error().code, CryptoError::untrusted);
}

TEST_F(PathTest, two_that_issued_each_other_lead_nowhere) {
  const auto a_by_b = issue(request("a", true), chain.root.key.public_key(),
                            {self_sign(request("b", true), chain.intermediate.key).value(), chain.intermediate.key})
                          .value();
  const auto b_by_a = issue(request("b", true), chain.intermediate.key.public_key(),
                            {self_sign(request("a", true), chain.root.key).value(), chain.root.key})
                          .value();
  const auto leaf = issue(request("leaf", false), chain.leaf.key.public_key(), {a_by_b, chain.root.key}).value();
  options.intermediates = {a_by_b, b_by_a};
  EXPECT_EQ(verify_chain(leaf, {&chain.root.certificate, 1}, options).error().code, CryptoError::untrusted);
}

TEST_F(PathTest, the_last_second_of_validity_counts) {
  const auto end = chain.leaf.certificate.not_after();
  EXPECT_TRUE(chain.verify({.at = end - 1s, .intermediates = options.intermediates}));
  const auto last = chain.verify({.at = end, .intermediates = options.intermediates});
  EXPECT_TRUE(last) << to_string(last.error());  // RFC 5280 section 4.1.2.5: inclusive
}

TEST_F(PathTest, certificates_until_the_end_of_time_hold) {
  auto wanted = request("forever", true);
  wanted.not_after = from_unix_seconds(253'402'300'799);
  const auto root = make_root();
  const auto forever = self_sign(wanted, root.key).value();
  EXPECT_TRUE(verify_chain(forever, {&forever, 1}, {.at = from_unix_seconds(253'402'300'000)}));
  EXPECT_TRUE(verify_chain(forever, {&forever, 1}, {.at = from_unix_seconds(4'102'444'800)}));  // 2100
}

// PSS whose parameters are all left out: SHA-1 (RFC 4055 section 3.1).
TEST_F(PathTest, pss_with_sha1_is_refused) {
  const auto root = make_root("root", KeyKind::rsa);
  const auto leaf = make_child(root, request("leaf", false));
  const auto signed_with = [&](const EVP_MD* digest, const EVP_MD* mask) {
    const detail::X509Ptr x509{X509_dup(leaf.certificate.impl().x509.get())};
    const detail::DigestContext context{EVP_MD_CTX_new()};
    EVP_PKEY_CTX* parameters = nullptr;
    EVP_DigestSignInit(context.get(), &parameters, digest, nullptr, root.key.impl().pkey.get());
    EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING);
    EVP_PKEY_CTX_set_rsa_mgf1_md(parameters, mask);
    X509_sign_ctx(x509.get(), context.get());
    unsigned char* encoded = nullptr;
    const int size = i2d_X509(x509.get(), &encoded);
    const auto certificate = Certificate::from_der(detail::take_encoding(encoded, size)).value();
    return verify_chain(certificate, {&root.certificate, 1}, {.at = now});
  };
  EXPECT_TRUE(signed_with(EVP_sha256(), EVP_sha256()));
  EXPECT_EQ(signed_with(EVP_sha1(), EVP_sha1()).error().code, CryptoError::untrusted);
}

}  // namespace
}  // namespace coffer::crypto
