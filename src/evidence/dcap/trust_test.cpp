#include "evidence/dcap/trust.h"

#include <gmock/gmock.h>

#include "evidence/dcap/platform_testing.h"
#include "testing/vectors.h"

namespace coffer::evidence::dcap {
namespace {

using coffer::testing::read_vector_bytes;
using ::testing::HasSubstr;

TrustedRoots test_roots() {
  return TrustedRoots{std::span{&test_authority().root.certificate, 1}};
}

ErrorCode refused(std::string_view pem, const TrustedRoots& roots = test_roots()) {
  const auto chain = verify_pck_chain(as_bytes(pem), roots);
  EXPECT_FALSE(chain) << "accepted";
  return chain ? ErrorCode{EvidenceError::no_device} : chain.error().code;
}

struct Chain {
  std::string leaf, ca, root;
  std::string text() const { return leaf + ca + root; }
};

// A leaf of the caller's wishes under the authority's CA.
Chain chain_of(crypto::CertificateRequest request, const SimulatedAuthority& authority = test_authority(),
               crypto::KeyKind kind = crypto::KeyKind::ec_p256) {
  request.not_before = authority.pck_ca.certificate.not_before();
  request.not_after = authority.pck_ca.certificate.not_after();
  const auto key = crypto::PrivateKey::generate(kind).value();
  return {crypto::issue(request, key.public_key(), authority.pck_ca.issuer()).value().to_pem(),
          authority.pck_ca.certificate.to_pem(), authority.root.certificate.to_pem()};
}

crypto::CertificateRequest pck_request() {
  return {.common_name = "SGX PCK Certificate",
          .not_before = {},
          .not_after = {},
          .extensions = {{std::string{sgx_extensions_oid}, false, encode_pck_extensions(simulated_extensions())}}};
}

TEST(PckChain, leaf_ca_and_root_are_taken) {
  const auto chain = verify_pck_chain(as_bytes(chain_of(pck_request()).text()), test_roots());
  ASSERT_TRUE(chain) << to_string(chain.error());
  EXPECT_EQ(chain->ca_kind, PckCa::platform);
  EXPECT_EQ(chain->extensions.fmspc, detail::fmspc);
}

TEST(PckChain, certificates_out_of_order_or_of_another_number_are_refused) {
  const auto chain = chain_of(pck_request());
  EXPECT_EQ(refused(chain.ca + chain.leaf + chain.root), DcapError::bad_pck_chain);
  EXPECT_EQ(refused(chain.leaf + chain.root), DcapError::bad_pck_chain);
  EXPECT_EQ(refused(chain.text() + chain.root), DcapError::bad_pck_chain);
  EXPECT_EQ(refused(chain.leaf + chain.leaf + chain.root), DcapError::bad_pck_chain);
  EXPECT_EQ(refused(""), DcapError::bad_pck_chain);
  const auto other = make_simulated_authority(make_simulator_root(test_now).value()).value();
  EXPECT_EQ(refused(chain.leaf + other.pck_ca.certificate.to_pem() + chain.root), DcapError::bad_pck_chain);
}

TEST(PckChain, certificates_for_another_purpose_are_refused) {
  auto request = pck_request();
  request.common_name = "SGX TCB Signing";
  EXPECT_EQ(refused(chain_of(request).text()), DcapError::bad_pck_chain);
  EXPECT_EQ(refused(chain_of(pck_request(), test_authority(), crypto::KeyKind::ec_p384).text()),
            DcapError::bad_pck_chain);
}

TEST(PckChain, a_certificate_without_sgx_extensions_is_refused) {
  auto request = pck_request();
  request.extensions.clear();
  EXPECT_EQ(refused(chain_of(request).text()), DcapError::bad_pck_extension);
  request.extensions.push_back({std::string{sgx_extensions_oid}, false, Bytes{std::byte{0x30}, std::byte{0}}});
  EXPECT_EQ(refused(chain_of(request).text()), DcapError::bad_pck_extension);
}

TEST(PckChain, a_strangers_root_is_refused) {
  const auto key = crypto::PrivateKey::generate(crypto::KeyKind::ec_p256).value();
  const crypto::CertificateRequest request{.common_name = "Intel SGX Root CA",
                                           .not_before = test_now - std::chrono::hours{1},
                                           .not_after = test_now + std::chrono::hours{1},
                                           .is_ca = true};
  const auto authority = make_simulated_authority({crypto::self_sign(request, key).value(), key}).value();
  const auto chain = verify_pck_chain(as_bytes(chain_of(pck_request(), authority).text()), test_roots());
  ASSERT_FALSE(chain);
  EXPECT_EQ(chain.error().code, DcapError::untrusted_root);
  EXPECT_THAT(chain.error().message, HasSubstr(std::string{intel_root_key_sha256}));
}

TEST(PckChain, the_processor_ca_is_known_by_its_name) {
  const auto authority = make_simulated_authority(make_simulator_root(test_now).value(), PckCa::processor).value();
  const TrustedRoots roots{std::span{&authority.root.certificate, 1}};
  const auto chain = verify_pck_chain(as_bytes(chain_of(pck_request(), authority).text()), roots);
  ASSERT_TRUE(chain) << to_string(chain.error());
  EXPECT_EQ(chain->ca_kind, PckCa::processor);
}

TEST(IntelRoot, recorded_chains_end_in_it) {
  COFFER_REQUIRE_VECTORS();
  for (const auto* file :
       {"tdx/tdx_quote_4.dat", "tdx/tdx_quote_5.dat", "sgx/occlum_quote.dat", "sgx/dcap/sgx_quote"}) {
    const auto bytes = read_vector_bytes(file);
    const auto chain = verify_pck_chain(parse_quote(bytes).value().pck_chain, TrustedRoots{{}});
    ASSERT_TRUE(chain) << file << ": " << to_string(chain.error());
    EXPECT_FALSE(chain->root.simulated);
  }
}

// Its own signature is the last thing that binds what a root certificate says.
TEST(IntelRoot, a_certificate_with_its_key_that_it_did_not_sign_is_refused) {
  COFFER_REQUIRE_VECTORS();
  const auto bytes = read_vector_bytes("sgx/dcap/sgx_quote");
  const auto chain = parse_quote(bytes).value().pck_chain;
  const auto certificates = crypto::Certificate::chain_from_pem(as_text(chain.first(chain.size() - 1))).value();
  auto der = certificates.back().der();
  const auto year = std::ranges::search(der, as_bytes("491231235959Z"));
  ASSERT_FALSE(year.empty());
  year.begin()[1] = std::byte{'8'};
  const auto root = TrustedRoots{{}}.check(crypto::Certificate::from_der(der).value());
  ASSERT_FALSE(root);
  EXPECT_EQ(root.error().code, DcapError::untrusted_root);
}

TEST(PckExtensions, what_is_encoded_is_read_again) {
  const auto wanted = simulated_extensions();
  const auto found = parse_pck_extensions(encode_pck_extensions(wanted));
  ASSERT_TRUE(found) << to_string(found.error());
  EXPECT_EQ(found->components, wanted.components);
  EXPECT_EQ(found->ppid, wanted.ppid);
  EXPECT_EQ(found->pce_svn, wanted.pce_svn);
  EXPECT_EQ(found->sgx_type, wanted.sgx_type);
  ASSERT_TRUE(found->platform);
  EXPECT_EQ(found->platform->instance_id, wanted.platform->instance_id);
  EXPECT_EQ(found->platform->smt_enabled, true);
}

TEST(PckExtensions, entries_of_another_form_are_refused) {
  const auto valid = encode_pck_extensions(simulated_extensions());
  const auto hex = codec::hex_encode(valid);
  // OIDs of PPID (.1), of a component (.2.1) and of SMT (.7.3), and the PPID's length.
  for (const auto& [from, to] : std::initializer_list<std::pair<std::string_view, std::string_view>>{
           {"060a2a864886f84d010d0101", "060a2a864886f84d010d0109"},
           {"060a2a864886f84d010d0101", "060a2a864886f84d010d0104"},
           {"060a2a864886f84d010d0101", "060a2a864886f84d010c0101"},
           {"060b2a864886f84d010d010201", "060b2a864886f84d010d010213"},
           {"060b2a864886f84d010d010703", "060b2a864886f84d010d010704"},
           {"060b2a864886f84d010d0102010201", "060b2a864886f84d010d0102010401"},
           {"060a2a864886f84d010d01060410", "060a2a864886f84d010d01060410ff"}}) {
    const auto changed = codec::hex_decode(replaced(hex, from, to)).value();
    const auto found = parse_pck_extensions(changed);
    ASSERT_FALSE(found) << to;
    EXPECT_EQ(found.error().code, DcapError::bad_pck_extension) << to;
  }
  EXPECT_FALSE(parse_pck_extensions({}));
  for (std::size_t size = 0; size < valid.size(); ++size) {
    EXPECT_FALSE(parse_pck_extensions(ByteView{valid}.first(size))) << size;
  }
}

TEST(RevocationLists, are_read_in_each_encoding) {
  const auto crl = crypto::issue_crl({.this_update = test_now, .next_update = test_now + test_validity},
                                     test_authority().root.issuer())
                       .value();
  EXPECT_TRUE(parse_crl(crl.der()));
  EXPECT_TRUE(parse_crl(as_bytes(codec::hex_encode(crl.der()))));
  EXPECT_EQ(parse_crl(as_bytes("no list")).error().code, DcapError::bad_crl);
  EXPECT_TRUE(check_crl(crl, test_authority().root.certificate));
  EXPECT_EQ(check_crl(crl, test_authority().pck_ca.certificate).error().code, DcapError::bad_crl);
}

}  // namespace
}  // namespace coffer::evidence::dcap
