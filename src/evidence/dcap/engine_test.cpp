#include "evidence/dcap/engine.h"

#include <gmock/gmock.h>

#include "evidence/dcap/platform_testing.h"

namespace coffer::evidence::dcap {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

PlatformOptions platform() {
  return {.now = test_now};
}

// Where a view of the parsed quote lies in it.
std::size_t offset_of(ByteView quote, ByteView part) {
  return static_cast<std::size_t>(part.data() - quote.data());
}

Bytes flipped(Bytes quote, ByteView Quote::* part, std::size_t at = 0) {
  const auto parsed = parse_quote(quote).value();
  quote[offset_of(quote, parsed.*part) + at] ^= std::byte{1};
  return quote;
}

TEST(Engine, a_current_platform_is_up_to_date) {
  for (const auto tee : {Tee::sgx, Tee::tdx}) {
    const auto appraisal = appraise(test_quote(tee));
    ASSERT_TRUE(appraisal) << to_string(appraisal.error());
    EXPECT_EQ(appraisal->tcb.status, TcbStatus::up_to_date);
    EXPECT_THAT(appraisal->tcb.advisories, ElementsAre());
    EXPECT_FALSE(appraisal->expired);
    EXPECT_THAT(appraisal->simulated_root.value_or(""), HasSubstr("SIMULATED, NOT SECURE"));
  }
}

TEST(Engine, each_version_and_body_verifies) {
  for (const std::uint16_t version : {3, 4, 5}) EXPECT_TRUE(appraise(test_quote(Tee::sgx, platform(), version)));
  for (const std::uint16_t version : {4, 5}) EXPECT_TRUE(appraise(test_quote(Tee::tdx, platform(), version)));
  const TestTd tdx15{.tee_tcb_svn2 = detail::current_tdx};
  const auto appraisal = appraise(test_quote(Tee::tdx, platform(), 5, tdx15));
  EXPECT_TRUE(appraisal) << to_string(appraisal.error());
}

TEST(Engine, an_old_platform_is_out_of_date_and_accepted) {
  auto options = platform();
  options.extensions = simulated_extensions(true);
  for (const auto tee : {Tee::sgx, Tee::tdx}) {
    const auto appraisal = appraise(test_quote(tee, options));
    ASSERT_TRUE(appraisal) << to_string(appraisal.error());
    EXPECT_EQ(appraisal->tcb.status, TcbStatus::out_of_date);
    EXPECT_THAT(appraisal->tcb.advisories, ElementsAre("SIMULATED-SA-00001"));
    EXPECT_EQ(format_rfc3339(appraisal->tcb.date), "2023-08-09T00:00:00Z");
  }
}

TEST(Engine, an_old_quoting_enclave_makes_the_platform_out_of_date) {
  auto options = platform();
  options.qe_isv_svn = 4;
  const auto appraisal = appraise(test_quote(Tee::sgx, options));
  ASSERT_TRUE(appraisal) << to_string(appraisal.error());
  EXPECT_EQ(appraisal->tcb.status, TcbStatus::out_of_date);
  EXPECT_THAT(appraisal->tcb.advisories, ElementsAre("SIMULATED-SA-00003"));
}

TEST(Engine, authentication_data_of_any_length_is_bound) {
  for (const std::size_t size : {0U, 1U, 1000U}) {
    auto options = platform();
    options.authentication_data = Bytes(size, std::byte{7});
    EXPECT_TRUE(appraise(test_quote(Tee::sgx, options))) << size;
  }
}

TEST(Engine, a_changed_quote_is_refused) {
  const auto quote = test_quote(Tee::tdx);
  EXPECT_EQ(refusal(flipped(quote, &Quote::signed_part, 100)).code, DcapError::bad_quote_signature);
  EXPECT_EQ(refusal(flipped(quote, &Quote::signature)).code, DcapError::bad_quote_signature);
  EXPECT_EQ(refusal(flipped(quote, &Quote::qe_report_bytes)).code, DcapError::bad_qe_signature);
  EXPECT_EQ(refusal(flipped(quote, &Quote::qe_report_signature, 63)).code, DcapError::bad_qe_signature);
}

TEST(Engine, an_attestation_key_that_the_quoting_enclave_did_not_bind_is_refused) {
  const auto quote = test_quote(Tee::tdx);
  const auto error = refusal(flipped(quote, &Quote::qe_authentication_data));
  EXPECT_EQ(error.code, DcapError::qe_key_mismatch);
  EXPECT_THAT(error.message, HasSubstr("expected to be"));
  EXPECT_EQ(refusal(flipped(quote, &Quote::attestation_key)).code, DcapError::qe_key_mismatch);
}

TEST(Engine, a_simulated_root_that_was_not_chosen_is_refused) {
  auto options = test_options();
  options.simulated_tees = {TeeKind::sgx};
  EXPECT_EQ(refusal(test_quote(Tee::tdx), options).code, EvidenceError::simulated_refused);
  EXPECT_TRUE(appraise(test_quote(Tee::sgx), options));
}

TEST(Engine, collateral_of_another_root_is_refused) {
  const auto other = make_simulated_authority(make_simulator_root(test_now).value()).value();
  auto options = test_options(test_request(), other);
  options.simulator_roots.push_back(test_authority().root.certificate);
  EXPECT_EQ(refusal(test_quote(Tee::tdx), options).code, DcapError::mixed_roots);
}

TEST(Engine, without_collateral_nothing_is_verified) {
  auto options = test_options();
  options.collateral = nullptr;
  EXPECT_EQ(refusal(test_quote(Tee::tdx), options).code, EvidenceError::collateral_missing);
}

TEST(Engine, an_item_that_cannot_be_had_is_named) {
  struct Gone final : Collateral {
    Result<std::shared_ptr<const CollateralBlob>> get(const CollateralItem&, TimePoint) override {
      return fail(CollateralError::rate_limited, "try again at noon");
    }
  };
  auto options = test_options();
  options.collateral = std::make_shared<Gone>();
  const auto error = refusal(test_quote(Tee::tdx), options);
  EXPECT_EQ(error.code, CollateralError::rate_limited);
  EXPECT_THAT(to_string(error), HasSubstr("intel-tcb-info"));
  EXPECT_THAT(to_string(error), HasSubstr("collateral.rate_limited"));
}

TEST(Engine, a_revoked_pck_is_refused) {
  auto options = platform();
  options.revoked = true;
  const auto error = refusal(test_quote(Tee::tdx, options));
  EXPECT_EQ(error.code, DcapError::pck_revoked);
  EXPECT_THAT(error.message, HasSubstr(std::string{simulated_revoked_serial}));
}

TEST(Engine, a_revoked_ca_or_signer_is_refused) {
  auto request = test_request();
  request.revoked_by_root.push_back(test_authority().pck_ca.certificate.serial_number());
  EXPECT_EQ(refusal(test_quote(Tee::tdx), test_options(request)).code, DcapError::ca_revoked);
  request = test_request();
  request.revoke_signer = true;
  EXPECT_EQ(refusal(test_quote(Tee::tdx), test_options(request)).code, DcapError::ca_revoked);
}

TEST(Engine, expired_collateral_is_claimed_and_refused_only_on_demand) {
  const auto later = test_now + test_validity + 1h;
  auto options = test_options();
  const auto quote = test_quote(Tee::tdx);
  const auto appraisal = appraise(quote, options, later);
  ASSERT_TRUE(appraisal) << to_string(appraisal.error());
  EXPECT_TRUE(appraisal->expired);
  EXPECT_EQ(*appraisal_claims(*appraisal).find("collateral_expiration_status")->if_string(), "1");
  options.config = {{"dcap_verifier", codec::json::Object{{"reject_expired_collateral", true}}}};
  EXPECT_TRUE(appraise(quote, options, test_now));
  EXPECT_EQ(refusal(quote, options, later).code, DcapError::collateral_expired);
  // At the very end it holds no more (as Intel's library counts).
  EXPECT_TRUE(appraise(quote, options, test_now + test_validity - 1s));
  EXPECT_EQ(refusal(quote, options, test_now + test_validity).code, DcapError::collateral_expired);
}

TEST(Engine, an_expired_pck_certificate_counts_as_expired_collateral) {
  auto options = platform();
  options.expired = true;
  const auto appraisal = appraise(test_quote(Tee::sgx, options));
  ASSERT_TRUE(appraisal) << to_string(appraisal.error());
  EXPECT_TRUE(appraisal->expired);
  EXPECT_EQ(appraisal->dates.earliest_expiration, test_now - 1min);
}

TEST(Engine, collateral_of_the_future_is_refused) {
  EXPECT_EQ(refusal(test_quote(Tee::tdx), test_options(), test_now - 31min).code, DcapError::collateral_not_yet_valid);
}

TEST(Engine, one_engine_judges_the_times_anew_for_each_quote) {
  auto options = test_options();
  options.config = {{"dcap_verifier", codec::json::Object{{"reject_expired_collateral", true}}}};
  const auto engine = Engine::create(TeeKind::tdx, options).value();
  const auto bytes = test_quote(Tee::tdx);
  const auto quote = parse_quote(bytes).value();
  EXPECT_TRUE(engine->appraise(quote, test_now));
  const auto late = engine->appraise(quote, test_now + test_validity + 1h);
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, DcapError::collateral_expired);
  EXPECT_TRUE(engine->appraise(quote, test_now));
}

TEST(Engine, a_verified_quoting_enclave_is_no_pass_for_another_quote) {
  const auto engine = Engine::create(TeeKind::tdx, test_options()).value();
  const auto bytes = test_quote(Tee::tdx);
  EXPECT_TRUE(engine->appraise(parse_quote(bytes).value(), test_now));
  const auto forged = flipped(bytes, &Quote::signed_part, 200);
  const auto result = engine->appraise(parse_quote(forged).value(), test_now);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, DcapError::bad_quote_signature);
}

// Serves what the test has put in last.
struct Changing final : Collateral {
  std::shared_ptr<Collateral> now;
  Result<std::shared_ptr<const CollateralBlob>> get(const CollateralItem& item, TimePoint at) override {
    return now->get(item, at);
  }
};

TEST(Engine, new_collateral_takes_the_place_of_what_was_verified) {
  auto options = test_options();
  auto source = std::make_shared<Changing>();
  source->now = options.collateral;
  options.collateral = source;
  const auto engine = Engine::create(TeeKind::tdx, options).value();
  const auto bytes = test_quote(Tee::tdx);
  const auto quote = parse_quote(bytes).value();
  EXPECT_TRUE(engine->appraise(quote, test_now));
  const auto serial = crypto::Certificate::from_pem(as_text(quote.pck_chain)).value().serial_number();
  auto request = test_request();
  request.revoked_by_ca.push_back(serial);
  source->now = test_options(request).collateral;
  const auto revoked = engine->appraise(quote, test_now);
  ASSERT_FALSE(revoked);
  EXPECT_EQ(revoked.error().code, DcapError::pck_revoked);
}

TEST(Engine, settings_that_do_not_fit_are_refused) {
  const auto with = [](codec::json::Object section) {
    VerifierOptions options;
    options.config = {{"dcap_verifier", std::move(section)}};
    return Engine::create(TeeKind::tdx, options);
  };
  EXPECT_TRUE(with({{"collateral_service", "https://api.trustedservices.intel.com/sgx/certification/v4/"},
                    {"tcb_update_type", "standard"},
                    {"use_secure_cert", false}}));
  EXPECT_EQ(with({{"use_secure_cert", "no"}}).error().code, EvidenceError::bad_config);
  EXPECT_EQ(with({{"tcb_update_type", "late"}}).error().code, EvidenceError::bad_config);
  EXPECT_EQ(with({{"collateral_service", 1}}).error().code, EvidenceError::bad_config);
  EXPECT_EQ(with({{"collateral_service", "no url"}}).error().code, EvidenceError::bad_config);
  EXPECT_EQ(with({{"collateral_service", "file:///nonexistent/file"}}).error().code, DcapError::bad_config);
}

TEST(Engine, claims_have_upstreams_names_and_types) {
  const auto appraisal = appraise(test_quote(Tee::sgx)).value();
  auto claims = appraisal_claims(appraisal);
  for (const auto* date : {"earliest_issue_date", "latest_issue_date", "earliest_expiration_date"}) {
    EXPECT_TRUE(parse_rfc3339(*claims.find(date)->if_string())) << date;
    claims.erase(date);
  }
  EXPECT_EQ(claims.find("root_key_id")->if_string()->size(), 96U);
  claims.erase("root_key_id");
  EXPECT_EQ(codec::json::Value{claims}, codec::json::parse(R"({
    "tcb_status": "UpToDate", "tcb_date": "2025-05-14T00:00:00Z", "advisory_ids": [],
    "collateral_expiration_status": "0", "tcb_eval_num": 20, "pck_crl_num": 1, "root_ca_crl_num": 1,
    "platform_provider_id": "51515151515151515151515151515151", "sgx_type": "Scalable",
    "is_dynamic_platform": true, "is_cached_keys": true, "is_smt_enabled": true,
    "platform_instance_id": "1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d"})")
                                            .value())
      << codec::json::serialize_pretty(codec::json::Value{claims});
}

}  // namespace
}  // namespace coffer::evidence::dcap
