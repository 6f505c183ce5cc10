// Recorded quotes of real TDs.
#include "testing/vectors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "codec/base64.h"
#include "evidence/dcap/collateral.h"
#include "evidence/eventlog/event_log.h"
#include "evidence/mutation_testing.h"
#include "evidence/tdx/evidence.h"
#include "evidence/tdx/tdx.h"

namespace coffer::evidence::tdx {
namespace {

namespace json = codec::json;
using coffer::testing::read_vector;
using coffer::testing::read_vector_bytes;
using ::testing::HasSubstr;

const TimePoint recorded = parse_rfc3339("2025-06-20T00:00:00Z").value();

VerifierOptions with_collateral(std::string_view file = "tdx/dcap/tdx_quote_collateral.json") {
  VerifierOptions options;
  options.collateral = dcap::collateral_from_json(read_vector(file)).value();
  return options;
}

json::Value evidence_of(ByteView quote, std::optional<Bytes> event_log = std::nullopt) {
  return to_json(Evidence{to_bytes(quote), std::move(event_log)});
}

Result<std::vector<Claims>> verify(const json::Value& evidence, const VerifierOptions& options = with_collateral(),
                                   const Binding& binding = {}, TimePoint at = recorded) {
  return make_verifier(TeeKind::tdx, options).value()->verify(evidence, binding, at);
}

Error refusal(const json::Value& evidence, const VerifierOptions& options = with_collateral(),
              const Binding& binding = {}, TimePoint at = recorded) {
  auto claims = verify(evidence, options, binding, at);
  EXPECT_FALSE(claims) << "accepted";
  return claims ? Error{EvidenceError::no_device, "accepted"} : claims.error();
}

TEST(TdxVectors, the_quote_with_collateral_of_its_day_verifies_in_full) {
  COFFER_REQUIRE_VECTORS();
  const auto claims = verify(evidence_of(read_vector_bytes("tdx/dcap/tdx_quote")));
  ASSERT_TRUE(claims) << to_string(claims.error());
  auto found = claims->front().claims;
  EXPECT_EQ(found.find("quote")->at_pointer("/body/rtmr_2")->if_string()->substr(0, 16), "d833feef2cd94514");
  found.erase("quote");
  // By Intel's own rules: PCK of 2025-02, TDX module 1 at SVN 6, QE at ISVSVN 4.
  EXPECT_EQ(found, *json::parse(R"({
    "td_attributes": {"debug": false, "key_locker": false, "perfmon": false, "protection_keys": false,
                      "septve_disable": true},
    "tcb_status": "UpToDate", "tcb_date": "2024-03-13T00:00:00Z", "advisory_ids": [],
    "collateral_expiration_status": "0",
    "earliest_issue_date": "2018-05-21T10:45:10Z", "latest_issue_date": "2025-06-19T10:32:27Z",
    "earliest_expiration_date": "2025-07-19T10:00:35Z",
    "tcb_eval_num": 17, "pck_crl_num": 1, "root_ca_crl_num": 1,
    "root_key_id": "46e403bd34f05a3f2817ab9badcaacc7ffc98e0f261008cd30dae936cace18d5dcf58eef31463613de1570d516200993",
    "platform_provider_id": "811dca2a26b952e85bb6448b097ba4fd",
    "sgx_type": "Scalable", "is_dynamic_platform": true, "is_cached_keys": true, "is_smt_enabled": true,
    "platform_instance_id": "d2cde8ff750793dc19703e6074848207"})")
                        ->if_object())
      << json::serialize_pretty(found);
}

TEST(TdxVectors, recorded_quotes_without_collateral_are_not_verified_although_their_signatures_hold) {
  COFFER_REQUIRE_VECTORS();
  for (const auto* name : {"tdx/tdx_quote_4.dat", "tdx/tdx_quote_5.dat", "az-tdx-vtpm/td-quote.bin"}) {
    const auto error = refusal(evidence_of(read_vector_bytes(name)), {});
    EXPECT_EQ(error.code, EvidenceError::collateral_missing) << name << ": " << to_string(error);
    EXPECT_THAT(error.message, HasSubstr("signatures hold"));
  }
}

}  // namespace
}  // namespace coffer::evidence::tdx
