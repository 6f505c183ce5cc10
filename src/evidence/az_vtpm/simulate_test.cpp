#include "evidence/az_vtpm/simulate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "codec/base64.h"
#include "evidence/az_vtpm/evidence.h"
#include "evidence/dcap/collateral.h"
#include "evidence/dcap/error.h"
#include "evidence/dcap/simulate.h"
#include "evidence/mutation_testing.h"
#include "evidence/snp/error.h"
#include "evidence/tpm/error.h"
#include "evidence/tpm/quote.h"
#include "testing/temporary_directory.h"

namespace coffer::evidence::az_vtpm {
namespace {

namespace json = codec::json;

const Bytes report_data(48, std::byte{0x33});

class AzSimulator : public testing::TestWithParam<TeeKind> {
 protected:
  AzSimulator() {
    EXPECT_TRUE(write_simulator_root(directory_.path(), root_));
    options_.simulator_roots = {root_.certificate};
    options_.simulated_tees = {GetParam()};
    options_.config.set("dcap_verifier",
                        json::Object{{"collateral_service",
                                      "file://" + (directory_.path() / dcap::simulated_collateral_file).string()}});
  }
  std::unique_ptr<Attester> attester() {
    return *make_simulator(GetParam(), {.simulator_directory = directory_.path()});
  }
  Result<json::Value> attest(const SimulatorSettings& settings = {}) {
    EXPECT_TRUE(save_simulator_settings(directory_.path(), GetParam(), settings));
    return attester()->attest(report_data);
  }
  Result<std::vector<Claims>> verify(const json::Value& evidence, const Binding& binding = {report_data, {}}) {
    if (GetParam() == TeeKind::az_tdx_vtpm) EXPECT_TRUE(dcap::open_simulated_authority(directory_.path()));
    const auto verifier = make_verifier(GetParam(), options_);
    if (!verifier) return fail(verifier.error());
    return (*verifier)->verify(evidence, binding, system_clock().now());
  }
  bool is_snp() const { return GetParam() == TeeKind::az_snp_vtpm; }

  TemporaryDirectory directory_;
  SimulatorRoot root_ = *make_simulator_root(system_clock().now());
  VerifierOptions options_;
};

std::string name_of_case(const testing::TestParamInfo<TeeKind>& info) {
  return info.param == TeeKind::az_snp_vtpm ? "snp" : "tdx";
}
INSTANTIATE_TEST_SUITE_P(Kinds, AzSimulator, testing::Values(TeeKind::az_snp_vtpm, TeeKind::az_tdx_vtpm), name_of_case);

TEST_P(AzSimulator, its_evidence_is_verified_under_the_root_in_its_directory) {
  const auto evidence = attest({.values = {{"measurement", std::string(96, 'b')}}});
  ASSERT_TRUE(evidence) << to_string(evidence.error());
  const auto claims = verify(*evidence);
  ASSERT_TRUE(claims) << to_string(claims.error());
  const auto& out = claims->front();
  EXPECT_THAT(out.simulated_root.value_or(""), testing::HasSubstr(simulator_mark));
  EXPECT_EQ(out.report_data, codec::hex_encode(report_data));
  const json::Value shown{out.claims};
  EXPECT_NE(*shown.at_pointer("/tpm/pcr11")->if_string(), std::string(64, '0'));
  const auto* measured = shown.at_pointer(is_snp() ? "/measurement" : "/quote/body/mr_td");
  ASSERT_NE(measured, nullptr);
  EXPECT_EQ(is_snp() ? codec::hex_encode(*codec::base64_decode(*measured->if_string())) : *measured->if_string(),
            std::string(96, 'b'));
}

TEST_P(AzSimulator, a_simulator_that_was_not_chosen_is_refused_by_name) {
  const auto evidence = attest();
  options_.simulated_tees.clear();
  const auto claims = verify(*evidence);
  ASSERT_FALSE(claims);
  EXPECT_EQ(claims.error().code, EvidenceError::simulated_refused) << to_string(claims.error());
}

TEST_P(AzSimulator, each_fault_that_the_verifier_sees_has_its_own_code) {
  std::vector<std::pair<std::string, ErrorCode>> faults{{"wrong-nonce", EvidenceError::report_data_mismatch},
                                                        {"wrong-pcr", tpm::TpmError::pcr_digest_mismatch},
                                                        {"wrong-runtime-data", AzVtpmError::runtime_data_mismatch},
                                                        {"old-report", AzVtpmError::user_data_mismatch},
                                                        {"bad-signature", tpm::TpmError::bad_signature}};
  if (is_snp()) {
    faults.emplace_back("old-tcb", snp::SnpError::wrong_tcb);
    faults.emplace_back("expired", snp::SnpError::not_valid_at_time);
  }
  for (const auto& [fault, code] : faults) {
    const auto evidence = attest({.faults = {fault}});
    ASSERT_TRUE(evidence) << fault << ": " << to_string(evidence.error());
    const auto claims = verify(*evidence);
    ASSERT_FALSE(claims) << fault;
    EXPECT_EQ(claims.error().code, code) << fault << ": " << to_string(claims.error());
  }
}

TEST_P(AzSimulator, each_fault_that_is_the_policys_changes_its_claim) {
  std::vector<std::pair<std::string, const char*>> faults{{"wrong-kernel", "/tpm/pcr11"}};
  faults.emplace_back("wrong-measurement", is_snp() ? "/measurement" : "/quote/body/mr_td");
  faults.emplace_back("debug", is_snp() ? "/policy_debug_allowed" : "/td_attributes/debug");
  if (!is_snp()) {
    faults.emplace_back("old-tcb", "/tcb_status");
    faults.emplace_back("expired", "/collateral_expiration_status");
  }
  const auto claim = [&](const SimulatorSettings& settings, const char* pointer) {
    const auto claims = verify(*attest(settings));
    EXPECT_TRUE(claims) << pointer << ": " << (claims ? "" : to_string(claims.error()));
    const auto shown = claims ? json::Value{claims->front().claims} : json::Value{};
    const auto* found = shown.at_pointer(pointer);
    return found == nullptr ? std::string{"none"} : json::serialize(*found);
  };
  for (const auto& [fault, pointer] : faults) {
    EXPECT_NE(claim({}, pointer), claim({.faults = {fault}}, pointer)) << fault;
    EXPECT_NE(claim({}, pointer), "none") << pointer;
  }
}

TEST_P(AzSimulator, init_data_and_runtime_measurements_stay_in_the_machines_tpm) {
  const auto guest = attester();
  const Bytes digest(32, std::byte{5});
  ASSERT_TRUE(guest->bind_init_data(digest));
  ASSERT_TRUE(guest->extend_runtime_measurement(17, Bytes(32)));
  EXPECT_EQ(*guest->read_runtime_measurement(17), tpm::extended_once(Bytes(32)));
  EXPECT_EQ(guest->runtime_register(17)->index, 15U);
  const auto evidence = guest->attest(report_data);
  ASSERT_TRUE(evidence) << to_string(evidence.error());
  EXPECT_TRUE(verify(*evidence, {report_data, digest}));
  EXPECT_EQ(verify(*evidence, {report_data, Bytes(32)}).error().code, EvidenceError::init_data_mismatch);
}

TEST_P(AzSimulator, dials_are_read_for_each_piece_of_evidence) {
  const auto guest = attester();
  ASSERT_TRUE(guest->attest(report_data));
  ASSERT_TRUE(save_simulator_settings(directory_.path(), GetParam(), {.faults = {"wrong-nonce"}}));
  EXPECT_EQ(verify(*guest->attest(report_data)).error().code, EvidenceError::report_data_mismatch);
  ASSERT_TRUE(save_simulator_settings(directory_.path(), GetParam(), {}));
  EXPECT_TRUE(verify(*guest->attest(report_data)));
}

TEST_P(AzSimulator, a_dial_or_a_directory_that_does_not_exist_is_an_error) {
  for (const auto& settings : {SimulatorSettings{.faults = {"no-such-fault"}},
                               {.values = {{"color", "green"}}},
                               {.values = {{"kernel", 7}}},
                               {.values = {{"measurement", "aa"}}}}) {
    EXPECT_EQ(attest(settings).error().code, EvidenceError::bad_config);
  }
  const auto nowhere = *make_simulator(GetParam(), {.simulator_directory = directory_.path() / "none"});
  EXPECT_EQ(nowhere->attest(report_data).error().code, EvidenceError::bad_config);
  EXPECT_EQ(nowhere->bind_init_data(Bytes(32)).error().code, EvidenceError::bad_config);
}

}  // namespace
}  // namespace coffer::evidence::az_vtpm
