// Recorded quotes of real enclaves.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "codec/base64.h"
#include "evidence/dcap/recorded_quote_testing.h"
#include "evidence/sgx/sgx.h"

namespace coffer::evidence::sgx {
namespace {

namespace json = codec::json;
using coffer::testing::read_vector;
using coffer::testing::read_vector_bytes;
using ::testing::HasSubstr;

VerifierOptions with_collateral(std::string_view file = "sgx/dcap/sgx_quote_collateral.json") {
  return dcap::with_collateral_of(file);
}

json::Value evidence_of(ByteView quote) {
  return json::Object{{"quote", codec::base64_encode(quote)}};
}

struct SgxVectors : ::testing::Test, dcap::Recorded<TeeKind::sgx, make_verifier> {};

TEST_F(SgxVectors, the_quote_with_collateral_of_its_day_verifies_in_full) {
  COFFER_REQUIRE_VECTORS();
  const auto claims = verify(evidence_of(read_vector_bytes("sgx/dcap/sgx_quote")), with_collateral());
  ASSERT_TRUE(claims) << to_string(claims.error());
  EXPECT_EQ(claims->front().claims, *json::parse(R"({
    "header": {"version": "0300", "att_key_type": "0200", "att_key_data_0": "00000000", "qe_svn": "0a00",
               "pce_svn": "0f00", "vendor_id": "939a7233f79c4ca9940a0db3957f0607",
               "user_data": "3987622ee6968a54977c8626ef47123500000000"},
    "body": {"cpu_svn": "0b0b1a18ffff04000000000000000000", "misc_select": "00000000",
             "reserved1": "000000000000000000000000", "isv_ext_prod_id": "00000000000000000000000000000000",
             "attributes.flags": "0500000000000000", "attributes.xfrm": "e700000000000000",
             "mr_enclave": "33d8736db756ed4997e04ba358d27833188f1932ff7b1d156904d3f560452fbb",
             "reserved2": "0000000000000000000000000000000000000000000000000000000000000000",
             "mr_signer": "815f42f11cf64430c30bab7816ba596a1da0130c3b028b673133a66cf9a3e0e6",
             "reserved3": "0000000000000000000000000000000000000000000000000000000000000000",
             "config_id": ")" + std::string(128, '0') +
                                                 R"(",
             "isv_prod_id": "0000", "isv_svn": "0000", "config_svn": "0000",
             "reserved4": ")" + std::string(84, '0') +
                                                 R"(", "isv_family_id": "00000000000000000000000000000000",
             "report_data": "48656c6c6f2c20776f726c6421)" +
                                                 std::string(102, '0') + R"("},
    "tcb_status": "ConfigurationAndSWHardeningNeeded", "tcb_date": "2024-03-13T00:00:00Z",
    "advisory_ids": ["INTEL-SA-00289", "INTEL-SA-00615"], "collateral_expiration_status": "0",
    "earliest_issue_date": "2018-05-21T10:45:10Z", "latest_issue_date": "2025-06-19T10:56:11Z",
    "earliest_expiration_date": "2025-07-19T10:01:18Z",
    "tcb_eval_num": 17, "pck_crl_num": 1, "root_ca_crl_num": 1,
    "root_key_id": "46e403bd34f05a3f2817ab9badcaacc7ffc98e0f261008cd30dae936cace18d5dcf58eef31463613de1570d516200993",
    "platform_provider_id": "d04ec06d4e6d92dc90d0ad3cf5ee2ddf", "sgx_type": "Standard"})")
                                         ->if_object())
      << json::serialize_pretty(claims->front().claims);
}

TEST_F(SgxVectors, a_recorded_quote_without_collateral_is_not_verified_although_its_signatures_hold) {
  COFFER_REQUIRE_VECTORS();
  const auto error = refusal(evidence_of(read_vector_bytes("sgx/occlum_quote.dat")), {});
  EXPECT_EQ(error.code, EvidenceError::collateral_missing) << to_string(error);
  EXPECT_THAT(error.message, HasSubstr("signatures hold"));
}

TEST_F(SgxVectors, another_nonce_or_other_init_data_is_refused) {
  COFFER_REQUIRE_VECTORS();
  const auto evidence = evidence_of(read_vector_bytes("sgx/dcap/sgx_quote"));
  const auto stated = to_bytes("Hello, world!");
  EXPECT_TRUE(verify(evidence, with_collateral(), {stated, Bytes(64)}));
  EXPECT_EQ(refusal(evidence, with_collateral(), {to_bytes("Hello"), {}}).code, EvidenceError::report_data_mismatch);
  EXPECT_EQ(refusal(evidence, with_collateral(), {stated, Bytes(32, std::byte{1})}).code,
            EvidenceError::init_data_mismatch);
}

TEST_F(SgxVectors, a_quote_of_a_td_is_refused) {
  COFFER_REQUIRE_VECTORS();
  EXPECT_EQ(refusal(evidence_of(read_vector_bytes("tdx/dcap/tdx_quote")), with_collateral()).code,
            SgxError::not_an_enclave);
}

TEST_F(SgxVectors, claims_of_the_occlum_quote_are_those_that_upstream_derives) {
  COFFER_REQUIRE_VECTORS();
  const auto bytes = read_vector_bytes("sgx/occlum_quote.dat");
  const auto quote = dcap::parse_quote(bytes).value();
  const json::Value claims{dcap::quote_claims(quote)};
  EXPECT_EQ(*claims.at_pointer("/header/user_data"), json::Value{"dccde9b31ce8860548173bb4a2a57a1600000000"});
  EXPECT_EQ(*claims.at_pointer("/header/att_key_data_0"), json::Value{"00000000"});
  EXPECT_EQ(*claims.at_pointer("/header/qe_svn"), json::Value{"0800"});
  EXPECT_EQ(*claims.at_pointer("/header/pce_svn"), json::Value{"0d00"});
  EXPECT_EQ(*claims.at_pointer("/body/cpu_svn"), json::Value{"06060c0cffff00000000000000000000"});
  EXPECT_EQ(*claims.at_pointer("/body/attributes.flags"), json::Value{"0700000000000000"});
  EXPECT_EQ(*claims.at_pointer("/body/mr_enclave"),
            json::Value{"8f173e4613ff05c52aaf04162d234edae8c9977eae47eb2299ae16a553011c68"});
  EXPECT_EQ(*claims.at_pointer("/body/mr_signer"),
            json::Value{"83d719e77deaca1470f6baf62a4d774303c899db69020f9c70ee1dfc08c7ce9e"});
}

TEST_F(SgxVectors, every_changed_byte_of_the_recorded_quote_is_refused) {
  COFFER_REQUIRE_VECTORS();
  dcap::expect_every_changed_byte_of_quote_refused(TeeKind::sgx, with_collateral(),
                                                   read_vector_bytes("sgx/dcap/sgx_quote"));
}

}  // namespace
}  // namespace coffer::evidence::sgx
