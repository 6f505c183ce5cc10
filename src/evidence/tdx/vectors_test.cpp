// Recorded quotes of real TDs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "codec/base64.h"
#include "evidence/dcap/recorded_quote_testing.h"
#include "evidence/eventlog/event_log.h"
#include "evidence/tdx/evidence.h"
#include "evidence/tdx/tdx.h"

namespace coffer::evidence::tdx {
namespace {

namespace json = codec::json;
using coffer::testing::read_vector;
using coffer::testing::read_vector_bytes;
using ::testing::HasSubstr;

VerifierOptions with_collateral(std::string_view file = "tdx/dcap/tdx_quote_collateral.json") {
  return dcap::with_collateral_of(file);
}

json::Value evidence_of(ByteView quote, std::optional<Bytes> event_log = std::nullopt) {
  return to_json(Evidence{to_bytes(quote), std::move(event_log)});
}

struct TdxVectors : ::testing::Test, dcap::Recorded<TeeKind::tdx, make_verifier> {};

TEST_F(TdxVectors, the_quote_with_collateral_of_its_day_verifies_in_full) {
  COFFER_REQUIRE_VECTORS();
  const auto claims = verify(evidence_of(read_vector_bytes("tdx/dcap/tdx_quote")), with_collateral());
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

TEST_F(TdxVectors, recorded_quotes_without_collateral_are_not_verified_although_their_signatures_hold) {
  COFFER_REQUIRE_VECTORS();
  for (const auto* name : {"tdx/tdx_quote_4.dat", "tdx/tdx_quote_5.dat", "az-tdx-vtpm/td-quote.bin"}) {
    const auto error = refusal(evidence_of(read_vector_bytes(name)), {});
    EXPECT_EQ(error.code, EvidenceError::collateral_missing) << name << ": " << to_string(error);
    EXPECT_THAT(error.message, HasSubstr("signatures hold"));
  }
}

TEST_F(TdxVectors, claims_are_those_that_upstream_derives) {
  COFFER_REQUIRE_VECTORS();
  const auto bytes = read_vector_bytes("tdx/tdx_quote_4.dat");
  const auto quote = dcap::parse_quote(bytes).value();
  const auto log = eventlog::EventLog::parse(read_vector_bytes("tdx/CCEL_data")).value();
  auto found = quote_only_claims(quote);
  found.append("uefi_event_logs", log.claims());
  found.append("report_data", codec::hex_encode(quote.td()->report_data));
  found.append("init_data", codec::hex_encode(quote.td()->mr_config_id));
  // Of the appraisal's claims upstream's test has the one that the quote alone tells.
  const auto pck = dcap::verify_pck_chain(quote.pck_chain, dcap::TrustedRoots{{}}).value();
  const auto appraised = dcap::appraisal_claims({.tcb = {},
                                                 .dates = {},
                                                 .expired = {},
                                                 .pck = pck.extensions,
                                                 .pck_crl_number = {},
                                                 .root_crl_number = {},
                                                 .evaluation_number = {},
                                                 .root_key_id = {},
                                                 .simulated_root = {}});
  found.append("platform_instance_id", *appraised.find("platform_instance_id"));
  EXPECT_EQ(json::Value{found}, json::parse(read_vector("tdx/parse_tdx_claims_expected.json")).value());
}

// The recorded log is of another boot than each recorded quote, the one beside which upstream keeps it included.
TEST_F(TdxVectors, a_log_of_another_boot_is_refused_with_the_register_and_both_values) {
  COFFER_REQUIRE_VECTORS();
  const auto log = eventlog::EventLog::parse(read_vector_bytes("tdx/CCEL_data")).value();
  for (const auto* name : {"tdx/tdx_quote_4.dat", "tdx/dcap/tdx_quote"}) {
    const auto bytes = read_vector_bytes(name);
    const auto quote = dcap::parse_quote(bytes).value();
    const auto refused = check_event_log(log, *quote.td());
    ASSERT_FALSE(refused) << name;
    EXPECT_EQ(refused.error().code, eventlog::EventLogError::replay_mismatch) << name;
    EXPECT_THAT(refused.error().message, HasSubstr("RTMR0")) << name;
    EXPECT_THAT(refused.error().message, HasSubstr(codec::hex_encode(quote.td()->rtmr[0]))) << name;
    EXPECT_THAT(refused.error().message, HasSubstr("2dc712306a963eadb894ad47dbaa17df")) << name;
  }
}

TEST_F(TdxVectors, another_nonce_or_other_init_data_is_refused) {
  COFFER_REQUIRE_VECTORS();
  const auto bytes = read_vector_bytes("tdx/dcap/tdx_quote");
  const auto stated = to_bytes(dcap::parse_quote(bytes).value().td()->report_data);
  const auto evidence = evidence_of(bytes);
  EXPECT_TRUE(verify(evidence, with_collateral(), {stated, Bytes(48)}));
  EXPECT_EQ(refusal(evidence, with_collateral(), {Bytes(48, std::byte{1}), {}}).code,
            EvidenceError::report_data_mismatch);
  EXPECT_EQ(refusal(evidence, with_collateral(), {stated, Bytes(48, std::byte{1})}).code,
            EvidenceError::init_data_mismatch);
}

TEST_F(TdxVectors, collateral_of_another_day_is_named_expired_or_refused_as_not_yet_valid) {
  COFFER_REQUIRE_VECTORS();
  const auto evidence = evidence_of(read_vector_bytes("tdx/dcap/tdx_quote"));
  const auto late = verify(evidence, with_collateral(), {}, parse_rfc3339("2025-09-01T00:00:00Z").value());
  ASSERT_TRUE(late) << to_string(late.error());
  EXPECT_EQ(*late->front().claims.find("collateral_expiration_status")->if_string(), "1");
  EXPECT_EQ(refusal(evidence, with_collateral(), {}, parse_rfc3339("2025-06-01T00:00:00Z").value()).code,
            dcap::DcapError::collateral_not_yet_valid);
}

TEST_F(TdxVectors, collateral_of_another_platform_is_refused) {
  COFFER_REQUIRE_VECTORS();
  const auto evidence = evidence_of(read_vector_bytes("tdx/dcap/tdx_quote"));
  EXPECT_EQ(refusal(evidence, with_collateral("sgx/dcap/sgx_quote_collateral.json")).code, dcap::DcapError::bad_crl);
  // The same CA, another FMSPC: taken as far as the TCB info.
  EXPECT_EQ(refusal(evidence_of(read_vector_bytes("tdx/tdx_quote_4.dat")), with_collateral()).code,
            dcap::DcapError::tcb_info_mismatch);
}

TEST_F(TdxVectors, a_quote_of_an_enclave_is_refused) {
  COFFER_REQUIRE_VECTORS();
  EXPECT_EQ(refusal(evidence_of(read_vector_bytes("sgx/dcap/sgx_quote")), with_collateral()).code, TdxError::not_a_td);
}

TEST_F(TdxVectors, every_changed_byte_of_the_recorded_quote_is_refused) {
  COFFER_REQUIRE_VECTORS();
  dcap::expect_every_changed_byte_of_quote_refused(TeeKind::tdx, with_collateral(),
                                                   read_vector_bytes("tdx/dcap/tdx_quote"));
}

}  // namespace
}  // namespace coffer::evidence::tdx
