// Recorded quotes of real enclaves.
#include "testing/vectors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "codec/base64.h"
#include "evidence/dcap/collateral.h"
#include "evidence/mutation_testing.h"
#include "evidence/sgx/sgx.h"

namespace coffer::evidence::sgx {
namespace {

namespace json = codec::json;
using coffer::testing::read_vector;
using coffer::testing::read_vector_bytes;
using ::testing::HasSubstr;

const TimePoint recorded = parse_rfc3339("2025-06-20T00:00:00Z").value();

VerifierOptions with_collateral(std::string_view file = "sgx/dcap/sgx_quote_collateral.json") {
  VerifierOptions options;
  options.collateral = dcap::collateral_from_json(read_vector(file)).value();
  return options;
}

json::Value evidence_of(ByteView quote) {
  return json::Object{{"quote", codec::base64_encode(quote)}};
}

Result<std::vector<Claims>> verify(const json::Value& evidence, const VerifierOptions& options = with_collateral(),
                                   const Binding& binding = {}, TimePoint at = recorded) {
  return make_verifier(TeeKind::sgx, options).value()->verify(evidence, binding, at);
}

Error refusal(const json::Value& evidence, const VerifierOptions& options = with_collateral(),
              const Binding& binding = {}, TimePoint at = recorded) {
  auto claims = verify(evidence, options, binding, at);
  EXPECT_FALSE(claims) << "accepted";
  return claims ? Error{EvidenceError::no_device, "accepted"} : claims.error();
}

TEST(SgxVectors, the_quote_with_collateral_of_its_day_verifies_in_full) {
  COFFER_REQUIRE_VECTORS();
  const auto claims = verify(evidence_of(read_vector_bytes("sgx/dcap/sgx_quote")));
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

TEST(SgxVectors, a_recorded_quote_without_collateral_is_not_verified_although_its_signatures_hold) {
  COFFER_REQUIRE_VECTORS();
  const auto error = refusal(evidence_of(read_vector_bytes("sgx/occlum_quote.dat")), {});
  EXPECT_EQ(error.code, EvidenceError::collateral_missing) << to_string(error);
  EXPECT_THAT(error.message, HasSubstr("signatures hold"));
}

}  // namespace
}  // namespace coffer::evidence::sgx
