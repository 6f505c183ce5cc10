#include "evidence/sgx/simulate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "codec/base64.h"
#include "evidence/dcap/simulated_tee_testing.h"
#include "evidence/sgx/sgx.h"

namespace coffer::evidence::sgx {
namespace {

namespace json = codec::json;
using ::testing::HasSubstr;

using SimulatedSgx = dcap::SimulatedTee<TeeKind::sgx, make_simulator, make_verifier>;

TEST_F(SimulatedSgx, evidence_verifies_in_each_version_and_says_that_it_is_simulated) {
  for (const int version : {3, 4, 5}) {
    dial({}, {{"quote_version", version}, {"isv_svn", 0x0102}});
    const auto found = verify();
    ASSERT_TRUE(found) << version << to_string(found.error());
    const json::Value all{found->front().claims};
    EXPECT_EQ(*all.at_pointer("/header/version"), json::Value{"0" + std::to_string(version) + "00"});
    EXPECT_EQ(*all.at_pointer("/body/isv_svn"), json::Value{"0201"});
    EXPECT_EQ(*all.find("tcb_status"), json::Value{"UpToDate"});
    EXPECT_THAT(found->front().simulated_root.value_or(""), HasSubstr("SIMULATED, NOT SECURE"));
  }
}

TEST_F(SimulatedSgx, init_data_is_bound) {
  const Bytes init_data(32, std::byte{0x33});
  ASSERT_TRUE(attester_->bind_init_data(init_data));
  EXPECT_TRUE(verify({digest, init_data}));
  EXPECT_EQ(refusal({digest, Bytes(32, std::byte{0x44})}).code, EvidenceError::init_data_mismatch);
  dial({}, {{"config_id", std::string(128, '7')}});
  EXPECT_EQ(attester_->bind_init_data(init_data).error().code, EvidenceError::init_data_mismatch);
}

TEST_F(SimulatedSgx, faults_that_policy_decides_are_claimed) {
  dial({"old-tcb"});
  EXPECT_EQ(*claims().find("tcb_status"), json::Value{"OutOfDate"});
  dial({"expired"});
  EXPECT_EQ(*claims().find("collateral_expiration_status"), json::Value{"1"});
  dial({"debug"});
  EXPECT_EQ(*claims().at_pointer("/body/attributes.flags"), json::Value{"0700000000000000"});
  dial({"wrong-measurement"});
  EXPECT_EQ(*claims().at_pointer("/body/mr_enclave"),
            json::Value{"e4" + codec::hex_encode(Bytes(31, std::byte{0xe5}))});
}

TEST_F(SimulatedSgx, the_other_faults_have_each_their_code) {
  dial({"revoked"});
  EXPECT_EQ(refusal().code, dcap::DcapError::pck_revoked);
  dial({"wrong-nonce"});
  EXPECT_EQ(refusal().code, EvidenceError::report_data_mismatch);
  dial({"bad-signature"});
  EXPECT_EQ(refusal().code, dcap::DcapError::bad_quote_signature);
}

TEST_F(SimulatedSgx, dials_that_are_not_known_are_refused) {
  for (const auto& [faults, values] : std::initializer_list<std::pair<std::vector<std::string>, json::Object>>{
           {{"old-module"}, {}}, {{}, {{"mr_td", "00"}}}, {{}, {{"quote_version", 2}}}, {{}, {{"mr_enclave", "00"}}}}) {
    expect_bad_config(faults, values);
  }
}

TEST_F(SimulatedSgx, malformed_evidence_is_refused) {
  const auto broker = verifier();
  for (const auto& evidence : {json::Value{"text"}, json::Value{json::Object{}},
                               json::Value{json::Object{{"quote", 1}}}, json::Value{json::Object{{"quote", "%"}}}}) {
    EXPECT_EQ(broker->verify(evidence, {}, system_clock().now()).error().code, EvidenceError::malformed);
    EXPECT_EQ(broker->inspect(evidence).error().code, EvidenceError::malformed);
  }
}

TEST_F(SimulatedSgx, inspection_and_raw_quotes) {
  const auto broker = verifier();
  const auto evidence = attester_->attest(digest).value();
  EXPECT_NE(json::Value{broker->inspect(evidence).value()}.at_pointer("/qe_report/isv_svn"), nullptr);
  const auto quote = codec::base64_decode(*evidence.find("quote")->if_string()).value();
  EXPECT_TRUE(broker->verify(broker->from_raw(quote, {}).value(), {digest, {}}, system_clock().now()));
}

}  // namespace
}  // namespace coffer::evidence::sgx
