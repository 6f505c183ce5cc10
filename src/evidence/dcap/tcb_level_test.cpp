#include "evidence/dcap/tcb_level.h"

#include <gmock/gmock.h>

#include "evidence/dcap/platform_testing.h"

namespace coffer::evidence::dcap {
namespace {

using ::testing::ElementsAre;

using enum TcbStatus;

PlatformOptions platform(bool old = false) {
  PlatformOptions out{.now = test_now};
  out.extensions = simulated_extensions(old);
  return out;
}

CollateralRequest request_with(std::string_view from, std::string_view to) {
  auto request = test_request();
  for (auto* text : {&request.texts.tdx_tcb_info, &request.texts.sgx_tcb_info}) {
    if (text->find(from) != std::string::npos) *text = replaced(*text, from, to);
  }
  return request;
}

TestTd td(std::uint8_t svn, std::uint8_t version, std::uint8_t loader) {
  return {.tee_tcb_svn = {svn, version, loader}};
}

TEST(TcbStatus, names_are_intels) {
  EXPECT_EQ(name_of(configuration_and_sw_hardening_needed), "ConfigurationAndSWHardeningNeeded");
  EXPECT_EQ(parse_tcb_status("OutOfDateConfigurationNeeded"), out_of_date_configuration_needed);
  EXPECT_FALSE(parse_tcb_status("uptodate"));
  EXPECT_FALSE(parse_tcb_status("TDRelaunchAdvised"));
}

TEST(TcbStatus, a_part_out_of_date_makes_the_whole_out_of_date) {
  EXPECT_EQ(converge(up_to_date, up_to_date), up_to_date);
  EXPECT_EQ(converge(sw_hardening_needed, up_to_date), sw_hardening_needed);
  EXPECT_EQ(converge(up_to_date, out_of_date), out_of_date);
  EXPECT_EQ(converge(sw_hardening_needed, out_of_date), out_of_date);
  EXPECT_EQ(converge(configuration_needed, out_of_date), out_of_date_configuration_needed);
  EXPECT_EQ(converge(configuration_and_sw_hardening_needed, out_of_date), out_of_date_configuration_needed);
  EXPECT_EQ(converge(out_of_date, out_of_date), out_of_date);
  EXPECT_EQ(converge(up_to_date, revoked), revoked);
  EXPECT_EQ(converge(revoked, up_to_date), revoked);
}

TEST(TcbLevel, every_component_counts) {
  for (std::size_t i = 0; i < 8; ++i) {
    auto options = platform();
    if (options.extensions.components[i] == 0) continue;
    options.extensions.components[i] = 0;
    EXPECT_EQ(refusal(test_quote(Tee::sgx, options)).code, DcapError::tcb_unsupported) << i;
  }
  auto options = platform();
  options.extensions.pce_svn = 1;
  EXPECT_EQ(refusal(test_quote(Tee::sgx, options)).code, DcapError::tcb_unsupported);
  options = platform();
  options.extensions.components[15] = 255;
  EXPECT_TRUE(appraise(test_quote(Tee::sgx, options)));
}

TEST(TcbLevel, a_quoting_enclave_older_than_every_level_is_refused) {
  auto options = platform();
  options.qe_isv_svn = 3;
  EXPECT_EQ(refusal(test_quote(Tee::sgx, options)).code, DcapError::tcb_unsupported);
}

TEST(TcbLevel, a_revoked_level_is_refused) {
  const auto revoked_level = test_options(request_with("\"OutOfDate\"", "\"Revoked\""));
  EXPECT_EQ(refusal(test_quote(Tee::sgx, platform(true)), revoked_level).code, DcapError::tcb_revoked);
  EXPECT_EQ(refusal(test_quote(Tee::tdx, platform(true)), revoked_level).code, DcapError::tcb_revoked);
  EXPECT_TRUE(appraise(test_quote(Tee::sgx), revoked_level));
  auto request = test_request();
  request.texts.qe_identity = replaced(request.texts.qe_identity, "\"OutOfDate\"", "\"Revoked\"");
  auto options = platform();
  options.qe_isv_svn = 4;
  EXPECT_EQ(refusal(test_quote(Tee::sgx, options), test_options(request)).code, DcapError::tcb_revoked);
}

TEST(TcbLevel, statuses_other_than_revoked_are_left_to_policy) {
  for (const auto status : {sw_hardening_needed, configuration_needed, configuration_and_sw_hardening_needed,
                            out_of_date_configuration_needed}) {
    const auto options = test_options(request_with("\"UpToDate\"", "\"" + std::string{name_of(status)} + "\""));
    const auto appraisal = appraise(test_quote(Tee::sgx), options);
    ASSERT_TRUE(appraisal) << name_of(status) << to_string(appraisal.error());
    EXPECT_EQ(appraisal->tcb.status, status);
  }
}

TEST(TdxModule, its_own_level_joins_the_platforms) {
  const auto appraisal = appraise(test_quote(Tee::tdx, platform(), 4, td(3, 1, 3)));
  ASSERT_TRUE(appraisal) << to_string(appraisal.error());
  EXPECT_EQ(appraisal->tcb.status, out_of_date);
  EXPECT_THAT(appraisal->tcb.advisories, ElementsAre("SIMULATED-SA-00002"));
  const auto both = appraise(test_quote(Tee::tdx, platform(true), 4, td(3, 1, 3)));
  EXPECT_THAT(both->tcb.advisories, ElementsAre("SIMULATED-SA-00001", "SIMULATED-SA-00002"));
}

TEST(TdxModule, one_of_version_0_is_judged_by_the_components) {
  const auto appraisal = appraise(test_quote(Tee::tdx, platform(), 4, td(5, 0, 3)));
  ASSERT_TRUE(appraisal) << to_string(appraisal.error());
  EXPECT_EQ(appraisal->tcb.status, up_to_date);
  EXPECT_EQ(refusal(test_quote(Tee::tdx, platform(), 4, td(4, 0, 3))).code, DcapError::tcb_unsupported);
}

TEST(TdxModule, one_older_than_every_level_is_refused) {
  EXPECT_EQ(refusal(test_quote(Tee::tdx, platform(), 4, td(1, 1, 3))).code, DcapError::tcb_unsupported);
  EXPECT_EQ(refusal(test_quote(Tee::tdx, platform(), 4, td(5, 1, 2))).code, DcapError::tcb_unsupported);
}

TEST(TdxModule, one_that_intel_does_not_describe_is_refused) {
  EXPECT_EQ(refusal(test_quote(Tee::tdx, platform(), 4, td(5, 9, 3))).code, DcapError::tdx_module_mismatch);
  const auto maker = SimulatedPlatform::create(test_authority(), Tee::tdx, platform()).value();
  constexpr std::size_t mr_signer_seam = 64;
  constexpr std::size_t seam_attributes = 112;
  for (const auto at : {mr_signer_seam, seam_attributes}) {
    auto body = TestTd{}.body();
    body[at] = std::byte{1};
    EXPECT_EQ(refusal(maker.quote(4, body).value()).code, DcapError::tdx_module_mismatch) << at;
  }
}

// A TD of TDX 1.5 whose module was updated after its launch.
Bytes updated(std::array<std::uint8_t, 16> launched, std::array<std::uint8_t, 16> now, PlatformOptions options) {
  return test_quote(Tee::tdx, std::move(options), 5, {.tee_tcb_svn = launched, .tee_tcb_svn2 = now});
}

TEST(TdRelaunch, is_advised_where_the_module_alone_was_old_at_launch) {
  const auto appraisal = appraise(updated({3, 1, 3}, {5, 1, 3}, platform()));
  ASSERT_TRUE(appraisal) << to_string(appraisal.error());
  EXPECT_EQ(appraisal->tcb.status, td_relaunch_advised);
}

TEST(TdRelaunch, with_configuration_where_that_is_needed_too) {
  auto request = test_request();
  auto& text = request.texts.tdx_tcb_info;
  const auto levels = text.rfind("\"tcbLevels\"");
  text = text.substr(0, levels) + replaced(text.substr(levels), "\"UpToDate\"", "\"ConfigurationNeeded\"");
  const auto appraisal = appraise(updated({3, 1, 3}, {5, 1, 3}, platform()), test_options(request));
  ASSERT_TRUE(appraisal) << to_string(appraisal.error());
  EXPECT_EQ(appraisal->tcb.status, td_relaunch_advised_configuration_needed);
}

TEST(TdRelaunch, is_not_advised_where_it_would_not_help) {
  const auto status = [](const Bytes& quote) { return appraise(quote).value().tcb.status; };
  EXPECT_EQ(status(updated({3, 1, 3}, {4, 1, 3}, platform())), out_of_date);
  EXPECT_EQ(status(updated({3, 1, 3}, {5, 1, 2}, platform())), out_of_date);
  EXPECT_EQ(status(updated({3, 1, 3}, {5, 1, 3}, platform(true))), out_of_date);
  auto options = platform();
  options.qe_isv_svn = 4;
  EXPECT_EQ(status(updated({3, 1, 3}, {5, 1, 3}, options)), out_of_date);
  EXPECT_EQ(status(updated({5, 1, 3}, {5, 1, 3}, platform())), up_to_date);
  EXPECT_EQ(refusal(updated({3, 1, 3}, {5, 7, 3}, platform())).code, DcapError::tdx_module_mismatch);
}

}  // namespace
}  // namespace coffer::evidence::dcap
