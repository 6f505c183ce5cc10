// The chains that hardware vendors give, at a time when they held.
#include <gtest/gtest.h>

#include <array>

#include "codec/base64.h"
#include "codec/cbor.h"
#include "codec/cose.h"
#include "codec/json.h"
#include "crypto/crl.h"
#include "crypto/x509_testing.h"
#include "testing/vectors.h"

namespace coffer::crypto {
namespace {

using namespace std::chrono_literals;
using coffer::testing::read_vector;
using coffer::testing::read_vector_bytes;

std::vector<Certificate> pem_chain(std::string_view text) {
  return Certificate::chain_from_pem(text).value();
}

Result<std::vector<Certificate>> verify_pem(std::string_view text, TimePoint at, std::vector<Bytes> crls = {}) {
  const auto chain = pem_chain(text);
  return verify_chain(chain.front(), {&chain.back(), 1},
                      {.at = at, .intermediates = {chain.begin() + 1, chain.end() - 1}, .crls = std::move(crls)});
}

TEST(VendorChains, amd_vcek_and_vlek_reach_the_ark) {
  COFFER_REQUIRE_VECTORS();
  const auto vendor = pem_chain(read_vector("snp/roots/milan_ask_ark_asvk.pem"));  // ASK, ARK, ASVK
  for (const auto& [name, issuer] : {std::pair{"snp/test-vcek.der", 0}, {"snp/test-vlek.der", 2}}) {
    const auto leaf = Certificate::from_der(read_vector_bytes(name)).value();
    const auto verified =
        verify_chain(leaf, {&vendor[1], 1}, {.at = leaf.not_before() + 24h, .intermediates = {vendor[0], vendor[2]}});
    ASSERT_TRUE(verified) << to_string(verified.error());
    ASSERT_EQ(verified->size(), 3U);
    EXPECT_EQ((*verified)[1].der(), vendor[static_cast<std::size_t>(issuer)].der());
  }
}

TEST(VendorChains, every_amd_product_line_has_its_own_root) {
  COFFER_REQUIRE_VECTORS();
  const auto milan = pem_chain(read_vector("snp/roots/milan_ask_ark_asvk.pem"));
  const auto vcek = Certificate::from_der(read_vector_bytes("snp/test-vcek.der")).value();
  for (const auto* name : {"snp/roots/genoa_ask_ark_asvk.pem", "snp/roots/turin_ask_ark_asvk.pem"}) {
    const auto other = pem_chain(read_vector(name));
    const TimePoint at = vcek.not_before() + 24h;
    EXPECT_TRUE(verify_chain(other[0], {&other[1], 1}, {.at = at + 24h * 700})) << name;
    EXPECT_TRUE(verify_chain(other[2], {&other[1], 1}, {.at = at + 24h * 700})) << name;
    EXPECT_EQ(verify_chain(vcek, {&other[1], 1}, {.at = at, .intermediates = {other[0], milan[0]}}).error().code,
              CryptoError::untrusted);
  }
}

// The chain of an SGX quote with the collateral of its day.
struct IntelChainTest : ::testing::Test {
  std::string pck_chain;
  std::string signer_chain;
  Bytes tcb_info;
  Bytes tcb_signature;
  Bytes root_crl;
  Bytes pck_crl;
  TimePoint at = parse_rfc3339("2025-06-20T00:00:00Z").value();

  void SetUp() override {
    COFFER_REQUIRE_VECTORS();
    const auto collateral = codec::json::parse(read_vector("sgx/dcap/sgx_quote_collateral.json")).value();
    const auto text = [&](std::string_view name) { return *collateral.find(name)->if_string(); };
    const auto quote = read_vector("sgx/dcap/sgx_quote");
    pck_chain = quote.substr(quote.find("-----BEGIN"));
    signer_chain = text("tcb_info_issuer_chain");
    tcb_info = to_bytes(text("tcb_info"));
    tcb_signature = codec::hex_decode(text("tcb_info_signature")).value();
    root_crl = codec::hex_decode(text("root_ca_crl")).value();
    pck_crl = codec::hex_decode(text("pck_crl")).value();
  }
};

TEST_F(IntelChainTest, a_pck_reaches_the_root_with_both_lists) {
  const auto verified = verify_pem(pck_chain, at, {root_crl, pck_crl});
  ASSERT_TRUE(verified) << to_string(verified.error());
  EXPECT_EQ(verified->size(), 3U);
}

TEST_F(IntelChainTest, each_level_needs_its_list) {
  EXPECT_EQ(verify_pem(pck_chain, at, {root_crl}).error().code, CryptoError::untrusted);
  EXPECT_EQ(verify_pem(pck_chain, at, {pck_crl}).error().code, CryptoError::untrusted);
}

TEST_F(IntelChainTest, lists_of_the_day_do_not_hold_a_year_later) {
  EXPECT_EQ(verify_pem(pck_chain, at + 24h * 365, {root_crl, pck_crl}).error().code, CryptoError::not_valid_at_time);
  EXPECT_EQ(verify_pem(pck_chain, at - 24h * 2, {root_crl, pck_crl}).error().code, CryptoError::not_valid_at_time);
}

TEST_F(IntelChainTest, the_lists_alone_verify_under_their_issuers) {
  const auto chain = pem_chain(pck_chain);
  EXPECT_TRUE(Crl::from_der(pck_crl)->verify(chain[1], at));
  EXPECT_TRUE(Crl::from_der(root_crl)->verify(chain[2], at));
  EXPECT_FALSE(Crl::from_der(root_crl)->verify(chain[1], at));
  EXPECT_FALSE(Crl::from_der(pck_crl)->lists(chain[0].serial_number()));
}

TEST_F(IntelChainTest, the_tcb_info_is_signed_by_the_signer) {
  const auto verified = verify_pem(signer_chain, at, {root_crl, pck_crl});
  ASSERT_TRUE(verified) << to_string(verified.error());
  const auto key = verified->front().public_key().value();
  EXPECT_TRUE(key.verify(SignatureAlgorithm::es256, tcb_info, tcb_signature));
  EXPECT_TRUE(key.verify_digest(SignatureScheme::ecdsa, HashAlgorithm::sha256, sha256(tcb_info), tcb_signature));
  tcb_info.back() ^= std::byte{1};
  EXPECT_FALSE(key.verify(SignatureAlgorithm::es256, tcb_info, tcb_signature));
}

TEST(VendorChains, nvidia_gpus_reach_the_device_identity_root) {
  COFFER_REQUIRE_VECTORS();
  const auto at = parse_rfc3339("2025-01-01T00:00:00Z").value();
  for (const auto* name : {"nvidia/hopper_cert_chain_case1.txt", "nvidia/hopper_coco_certs1.txt"}) {
    const auto verified = verify_pem(read_vector(name), at);
    ASSERT_TRUE(verified) << to_string(verified.error());
    EXPECT_EQ(verified->size(), 5U);
    EXPECT_EQ(verified->back().subject_attribute("2.5.4.3"), "NVIDIA Device Identity CA");
  }
}

TEST(VendorChains, a_nitro_document_verifies_at_its_time) {
  COFFER_REQUIRE_VECTORS();
  // Its recorder wrote four bytes before the document, the last two a SCALE length of 4527, and other data after it.
  const auto recorded = read_vector_bytes("nitro/nitro_attestation.bin");
  const auto message = codec::cose::Sign1::parse(ByteView{recorded}.subspan(4, 4527)).value();
  const auto document = codec::cbor::parse(message.payload).value();
  const auto root = Certificate::from_pem(read_vector("nitro/AWS_NitroEnclaves_Root-G1.pem")).value();
  const auto leaf = Certificate::from_der(*document.find("certificate")->if_bytes()).value();
  ChainOptions options{.at = TimePoint{std::chrono::milliseconds{*document.find("timestamp")->if_uint64()}}};
  for (const auto& der : *document.find("cabundle")->if_array()) {
    options.intermediates.push_back(Certificate::from_der(*der.if_bytes()).value());
  }
  const auto verified = verify_chain(leaf, {&root, 1}, options);
  ASSERT_TRUE(verified) << to_string(verified.error());
  constexpr std::array allowed{SignatureAlgorithm::es384};
  EXPECT_TRUE(codec::cose::verify(message, leaf.public_key().value(), allowed));
  options.at += 24h;
  EXPECT_EQ(verify_chain(leaf, {&root, 1}, options).error().code, CryptoError::not_valid_at_time);
}

}  // namespace
}  // namespace coffer::crypto
