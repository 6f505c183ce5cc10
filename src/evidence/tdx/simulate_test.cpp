#include "evidence/tdx/simulate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "codec/base64.h"
#include "evidence/dcap/simulated_tee_testing.h"
#include "evidence/eventlog/error.h"
#include "evidence/tdx/tdx.h"

namespace coffer::evidence::tdx {
namespace {

namespace json = codec::json;
using ::testing::HasSubstr;

// By the file that a broker's `collateral_service` names.
class SimulatedTdx : public dcap::SimulatedTee<TeeKind::tdx, make_simulator, make_verifier> {
 protected:
  void SetUp() override {
    SimulatedTee::SetUp();
    options_.collateral.reset();
    const json::Object service{{"collateral_service", "file://" + collateral_file().string()}};
    options_.config = {{"dcap_verifier", service}};
  }
};

TEST_F(SimulatedTdx, evidence_verifies_and_says_that_it_is_simulated) {
  const auto found = verify();
  ASSERT_TRUE(found) << to_string(found.error());
  const auto& claims = found->front();
  EXPECT_EQ(*claims.claims.find("tcb_status")->if_string(), "UpToDate");
  EXPECT_EQ(*claims.claims.find("collateral_expiration_status")->if_string(), "0");
  EXPECT_EQ(claims.report_data, codec::hex_encode(digest) + std::string(32, '0'));
  EXPECT_THAT(claims.simulated_root.value_or(""), HasSubstr("SIMULATED, NOT SECURE"));
}

TEST_F(SimulatedTdx, the_event_log_names_kernel_command_line_and_initrd) {
  const auto all = claims();
  const auto* events = all.find("uefi_event_logs")->if_array();
  ASSERT_NE(events, nullptr);
  ASSERT_EQ(events->size(), 6U);
  EXPECT_EQ(*(*events)[3].at_pointer("/details/device_paths/0"), json::Value{"File(kernel)"});
  EXPECT_EQ(*(*events)[4].at_pointer("/details/string"), json::Value{"LOADED_IMAGE::LoadOptions"});
}

TEST_F(SimulatedTdx, each_version_of_quote_verifies) {
  dial({}, {{"quote_version", 5}});
  EXPECT_EQ(*claims().at_pointer("/quote/type"), json::Value{"0200"});
  dial({}, {{"quote_version", 5}, {"tdx15", 1}});
  const auto all = claims();
  EXPECT_EQ(*all.at_pointer("/quote/type"), json::Value{"0300"});
  EXPECT_EQ(*all.at_pointer("/quote/size"), json::Value{"88020000"});
  EXPECT_EQ(*all.at_pointer("/quote/body/mr_servicetd"), json::Value{std::string(96, '0')});
}

TEST_F(SimulatedTdx, init_data_is_bound) {
  const Bytes init_data(32, std::byte{0x33});
  ASSERT_TRUE(attester_->bind_init_data(init_data));
  EXPECT_TRUE(verify({digest, init_data}));
  EXPECT_EQ(refusal({digest, Bytes(32, std::byte{0x44})}).code, EvidenceError::init_data_mismatch);
  dial({}, {{"mr_config_id", std::string(96, '7')}});
  EXPECT_EQ(attester_->bind_init_data(init_data).error().code, EvidenceError::init_data_mismatch);
}

TEST_F(SimulatedTdx, faults_that_policy_decides_are_claimed) {
  dial({"old-tcb"});
  auto found = claims();
  EXPECT_EQ(*found.find("tcb_status")->if_string(), "OutOfDate");
  EXPECT_EQ(json::serialize(*found.find("advisory_ids")), R"(["SIMULATED-SA-00001"])");
  dial({"old-module"});
  EXPECT_EQ(*claims().find("tcb_status")->if_string(), "OutOfDate");
  dial({"old-module"}, {{"quote_version", 5}, {"tdx15", 1}});
  EXPECT_EQ(*claims().find("tcb_status")->if_string(), "TDRelaunchAdvised");
  dial({"expired"});
  EXPECT_EQ(*claims().find("collateral_expiration_status")->if_string(), "1");
  dial({"debug"});
  EXPECT_EQ(*claims().at_pointer("/td_attributes/debug"), json::Value{true});
  dial({});
  const auto honest = *claims().at_pointer("/quote/body/mr_td")->if_string();
  dial({"wrong-measurement"});
  EXPECT_NE(*claims().at_pointer("/quote/body/mr_td")->if_string(), honest);
}

TEST_F(SimulatedTdx, the_other_faults_have_each_their_code) {
  dial({"revoked"});
  EXPECT_EQ(refusal().code, dcap::DcapError::pck_revoked);
  dial({"wrong-nonce"});
  EXPECT_EQ(refusal().code, EvidenceError::report_data_mismatch);
  dial({"bad-signature"});
  EXPECT_EQ(refusal().code, dcap::DcapError::bad_quote_signature);
  dial({"wrong-event"});
  const auto event = refusal();
  EXPECT_EQ(event.code, eventlog::EventLogError::replay_mismatch);
  EXPECT_THAT(event.message, HasSubstr("RTMR1"));
}

TEST_F(SimulatedTdx, dials_that_are_not_known_are_refused) {
  for (const auto& [faults, values] : std::initializer_list<std::pair<std::vector<std::string>, json::Object>>{
           {{"no-such-fault"}, {}},
           {{}, {{"no_such_value", 1}}},
           {{}, {{"kernel", 1}}},
           {{}, {{"quote_version", 3}}},
           {{}, {{"quote_version", 4}, {"tdx15", 1}}},
           {{}, {{"mr_td", "00"}}}}) {
    expect_bad_config(faults, values);
  }
}

TEST_F(SimulatedTdx, report_data_over_64_bytes_is_refused) {
  EXPECT_EQ(attester_->attest(Bytes(65)).error().code, EvidenceError::bad_runtime_data);
}

TEST_F(SimulatedTdx, evidence_without_event_log_verifies_without_its_claims) {
  auto evidence = *attester_->attest(digest)->if_object();
  evidence.set("cc_eventlog", nullptr);
  const auto found = verifier()->verify(evidence, {digest, {}}, system_clock().now());
  ASSERT_TRUE(found) << to_string(found.error());
  EXPECT_FALSE(found->front().claims.contains("uefi_event_logs"));
}

TEST_F(SimulatedTdx, malformed_evidence_is_refused) {
  const auto broker = verifier();
  const auto valid = *attester_->attest(digest)->if_object();
  for (const auto& [member, value] : std::initializer_list<std::pair<std::string_view, json::Value>>{
           {"quote", nullptr}, {"quote", 1}, {"quote", "%"}, {"cc_eventlog", 1}, {"cc_eventlog", "%"}}) {
    auto evidence = valid;
    evidence.set(member, value);
    const auto found = broker->verify(evidence, {}, system_clock().now());
    ASSERT_FALSE(found) << member;
    EXPECT_EQ(found.error().code, EvidenceError::malformed) << member;
  }
  EXPECT_EQ(broker->verify("text", {}, system_clock().now()).error().code, EvidenceError::malformed);
}

TEST_F(SimulatedTdx, inspection_shows_every_field_without_judging_it) {
  dial({"bad-signature", "revoked"});
  const auto evidence = attester_->attest(digest).value();
  const auto shown = make_verifier(TeeKind::tdx, {}).value()->inspect(evidence);
  ASSERT_TRUE(shown) << to_string(shown.error());
  const json::Value all{*shown};
  EXPECT_NE(all.at_pointer("/quote/qe_report/mr_signer"), nullptr);
  EXPECT_NE(all.at_pointer("/uefi_event_logs/5"), nullptr);
  EXPECT_THAT(*all.at_pointer("/quote/pck_chain")->if_string(), HasSubstr("BEGIN CERTIFICATE"));
}

TEST_F(SimulatedTdx, a_raw_quote_becomes_evidence) {
  const auto evidence = attester_->attest(digest).value();
  const auto quote = codec::base64_decode(*evidence.find("quote")->if_string()).value();
  const auto broker = verifier();
  const auto around = broker->from_raw(quote, {}).value();
  EXPECT_TRUE(broker->verify(around, {digest, {}}, system_clock().now()));
}

}  // namespace
}  // namespace coffer::evidence::tdx
