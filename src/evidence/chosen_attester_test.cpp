#include "evidence/chosen_attester.h"

#include <gtest/gtest.h>

#include "codec/base64.h"
#include "evidence/eventlog/error.h"
#include "evidence/simulator_root.h"
#include "testing/temporary_directory.h"

namespace coffer::evidence {
namespace {

TEST(ChosenAttester, a_machine_without_a_tee_says_so_and_names_the_switch) {
  const auto none = ChosenAttester::choose({.root = "/nonexistent"});
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, EvidenceError::no_device);
  EXPECT_NE(none.error().message.find("--tee sample"), std::string::npos);
}

TEST(ChosenAttester, the_sample_tee_is_there_when_named_and_states_the_init_data) {
  auto init_data = *InitData::parse("version = \"0.1.0\"\nalgorithm = \"sha256\"\n[data]\n");
  const auto digest = init_data.digest();
  const auto chosen = ChosenAttester::choose({.tee = "sample", .init_data = std::move(init_data)});
  ASSERT_TRUE(chosen) << chosen.error().message;
  EXPECT_EQ(chosen->name(), "sample");
  EXPECT_EQ(chosen->attester().kind(), TeeKind::sample);
  const auto evidence = *chosen->attester().attest(Bytes(48));
  EXPECT_EQ(*evidence.find("init_data")->if_string(), codec::base64_encode(digest));
}

TEST(ChosenAttester, a_name_that_is_no_tee_is_refused) {
  EXPECT_EQ(ChosenAttester::choose({.tee = "simulated:sample"}).error().code, EvidenceError::unknown_tee);
}

// Evidence of a simulated machine, verified by its simulator's root.
class MeasuredAtRunTime : public testing::TestWithParam<std::string> {
 protected:
  MeasuredAtRunTime() {
    EXPECT_TRUE(write_simulator_root(directory_.path(), *make_simulator_root(system_clock().now())));
  }
  Result<ChosenAttester> choose(std::optional<unsigned> pcr = 17) {
    return ChosenAttester::choose(
        {.tee = "simulated:" + GetParam(), .simulator_directory = directory_.path(), .event_log_pcr = pcr});
  }
  Result<codec::json::Value> verified(const ChosenAttester& chosen) {
    const auto evidence = TRY(chosen.attester().attest(Bytes(32)));
    RegistryOptions options{.allow_tees = {chosen.name()}, .attesters = false};
    options.verifier.simulator_roots.push_back(TRY(load_simulator_root(directory_.path())).certificate);
    const auto collateral = directory_.path() / "dcap-collateral.json";
    if (std::filesystem::exists(collateral)) {
      const codec::json::Object dcap{{"collateral_service", "file://" + collateral.string()}};
      options.verifier.config = {{"dcap_verifier", dcap}};
    }
    const auto registry = TRY(Registry::create(options));
    const auto* verifier = TRY(registry.verifier(chosen.attester().kind()));
    auto claims = TRY(verifier->verify(evidence, {Bytes(32), {}}, system_clock().now()));
    return codec::json::Value{std::move(claims.front().claims)};
  }
  static std::vector<std::string> texts(const codec::json::Value& claims) {
    std::vector<std::string> out;
    for (const auto& event : *claims.find("uefi_event_logs")->if_array()) {
      const auto text = codec::json::serialize(event);
      if (text.find("example.com") != std::string::npos) out.push_back(text);
    }
    return out;
  }
  TemporaryDirectory directory_;
};

TEST_P(MeasuredAtRunTime, events_are_in_the_evidence_and_lead_to_its_registers) {
  const auto chosen = choose();
  ASSERT_TRUE(chosen) << to_string(chosen.error());
  EXPECT_TRUE(chosen->keeps_event_log());
  ASSERT_TRUE(chosen->attester().attest(Bytes(32)));
  ASSERT_TRUE(chosen->measure("example.com", "First", "one"));
  ASSERT_TRUE(chosen->measure("example.com", "Second", "two words"));
  const auto claims = verified(*chosen);
  ASSERT_TRUE(claims) << to_string(claims.error());
  const auto found = texts(*claims);
  ASSERT_EQ(found.size(), 2U);
  EXPECT_NE(found[1].find("Second"), std::string::npos);
}

TEST_P(MeasuredAtRunTime, an_event_that_was_extended_and_not_logged_is_found_out) {
  const auto chosen = choose();
  ASSERT_TRUE(chosen->measure("example.com", "First", "one"));
  const auto target = chosen->attester().runtime_register(17);
  ASSERT_TRUE(chosen->attester().extend_runtime_measurement(17, Bytes(crypto::digest_size(target->algorithm))));
  EXPECT_FALSE(verified(*chosen));
}

TEST_P(MeasuredAtRunTime, what_cannot_be_an_event_is_refused) {
  const auto chosen = choose();
  EXPECT_EQ(chosen->measure("example.com", "First", "two\nlines").error().code, eventlog::EventLogError::bad_entry);
  EXPECT_TRUE(texts(*verified(*chosen)).empty());
}

TEST_P(MeasuredAtRunTime, nothing_is_kept_unless_asked_for) {
  const auto chosen = choose(std::nullopt);
  EXPECT_FALSE(chosen->keeps_event_log());
  EXPECT_TRUE(chosen->measure("example.com", "First", "one"));
  EXPECT_TRUE(texts(*verified(*chosen)).empty());
}

INSTANTIATE_TEST_SUITE_P(Tees, MeasuredAtRunTime, testing::Values("tdx", "tpm"));

TEST(ChosenAttester, a_tee_without_registers_goes_on_without_a_log) {
  const auto chosen = ChosenAttester::choose({.tee = "sample", .event_log_pcr = 17});
  ASSERT_TRUE(chosen) << to_string(chosen.error());
  EXPECT_FALSE(chosen->keeps_event_log());
  EXPECT_TRUE(chosen->measure("example.com", "First", "one"));
}

}  // namespace
}  // namespace coffer::evidence
