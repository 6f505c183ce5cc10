#include "appraisal/ear.h"

#include <gtest/gtest.h>

#include "appraisal/error.h"
#include "testing/vectors.h"

namespace coffer::appraisal {
namespace {

namespace json = codec::json;
using evidence::TeeKind;

const auto now = from_unix_seconds(1'800'000'000);

json::Object object(std::string_view text) {
  auto value = json::parse(text);
  EXPECT_TRUE(value) << text;
  return value && value->is_object() ? *value->if_object() : json::Object{};
}

TrustVector vector(std::string_view text) {
  auto parsed = TrustVector::parse(object(text));
  EXPECT_TRUE(parsed) << to_string(parsed.error());
  return *parsed;
}

ErrorCode vector_refusal(const json::Value& value) {
  const auto parsed = TrustVector::parse(value);
  EXPECT_FALSE(parsed);
  return parsed ? ErrorCode{AppraisalError::unavailable} : parsed.error().code;
}

Submodule valid_submodule() {
  return {.name = "cpu0",
          .vector = vector(R"({"hardware":2,"executables":3})"),
          .policy_id = "default",
          .annotated_evidence = annotate({.tee = TeeKind::sample,
                                          .claims = {.claims = {{"svn", "1"}}, .report_data = "AAAA"},
                                          .runtime_data_claims = object(R"({"nonce":"n","additional-evidence":"x"})")}),
          .extensions = {{"ear.trustee.identifiers", -18, json::Object{{"validated", json::Object{}}}}}};
}

TEST(Tier, bands_are_those_of_ar4si_and_the_innermost_wins) {
  for (const auto value : {-1, 0, 1}) EXPECT_EQ(tier_of(static_cast<std::int8_t>(value)), Tier::none) << value;
  for (const auto value : {-32, -2, 2, 31}) {
    EXPECT_EQ(tier_of(static_cast<std::int8_t>(value)), Tier::affirming) << value;
  }
  for (const auto value : {-96, -33, 32, 95}) {
    EXPECT_EQ(tier_of(static_cast<std::int8_t>(value)), Tier::warning) << value;
  }
  for (const auto value : {-128, -97, 96, 127}) {
    EXPECT_EQ(tier_of(static_cast<std::int8_t>(value)), Tier::contraindicated) << value;
  }
}

TEST(Tier, names_are_read_back) {
  for (const auto tier : {Tier::none, Tier::affirming, Tier::warning, Tier::contraindicated}) {
    EXPECT_EQ(parse_tier(name_of(tier)), tier);
  }
  EXPECT_FALSE(parse_tier("affirmed"));
}

TEST(TrustVector, status_is_the_worst_claim_and_a_zero_does_not_spoil_it) {
  EXPECT_EQ(vector(R"({"hardware":2,"configuration":0})").status(), Tier::affirming);
  EXPECT_EQ(vector(R"({"hardware":2,"configuration":36})").status(), Tier::warning);
  EXPECT_EQ(vector(R"({"hardware":97,"configuration":36})").status(), Tier::contraindicated);
  EXPECT_EQ(TrustVector::zeros().status(), Tier::none);
}

TEST(TrustVector, only_set_members_are_written_and_an_undefined_rule_sets_all_to_zero) {
  EXPECT_EQ(json::serialize(json::Value{vector(R"({"hardware":-2})").to_json()}), R"({"hardware":-2})");
  EXPECT_EQ(TrustVector::zeros().to_json().size(), 8U);
}

TEST(TrustVector, what_a_policy_may_not_say_is_refused) {
  EXPECT_EQ(vector_refusal(json::Array{}), AppraisalError::bad_trust_claims);
  EXPECT_EQ(vector_refusal(json::Object{}), AppraisalError::bad_trust_claims);
  EXPECT_EQ(vector_refusal(object(R"({"software":2})")), AppraisalError::bad_trust_claims);
  EXPECT_EQ(vector_refusal(object(R"({"hardware":"2"})")), AppraisalError::bad_trust_claims);
  EXPECT_EQ(vector_refusal(object(R"({"hardware":2.5})")), AppraisalError::bad_trust_claims);
  EXPECT_EQ(vector_refusal(object(R"({"hardware":128})")), AppraisalError::bad_trust_claims);
  EXPECT_EQ(vector_refusal(object(R"({"hardware":-129})")), AppraisalError::bad_trust_claims);
}

TEST(Extensions, are_read_with_name_key_and_value) {
  const auto parsed = parse_extensions(json::Array{object(R"({"name":"ear.trustee.x","key":-18,"value":[1]})")});
  ASSERT_TRUE(parsed) << to_string(parsed.error());
  ASSERT_EQ(parsed->size(), 1U);
  EXPECT_EQ(parsed->front().name, "ear.trustee.x");
  EXPECT_EQ(parsed->front().key, -18);
}

TEST(Extensions, malformed_ones_are_refused) {
  for (const auto text : {R"({"key":1,"value":1})", R"({"name":"x","value":1})", R"({"name":"x","key":1})",
                          R"({"name":1,"key":1,"value":1})", R"({"name":"x","key":2147483648,"value":1})"}) {
    const auto parsed = parse_extensions(json::Array{object(text)});
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().code, AppraisalError::bad_trust_claims);
  }
  EXPECT_EQ(parse_extensions(json::Object{}).error().code, AppraisalError::bad_trust_claims);
}

TEST(Extensions, a_policy_cannot_forge_what_the_token_itself_states) {
  const auto parsed = parse_extensions(json::Array{object(R"({"name":"ear.status","key":1,"value":"affirming"})")});
  ASSERT_FALSE(parsed);
  EXPECT_EQ(parsed.error().code, AppraisalError::bad_trust_claims);
}

TEST(AnnotatedEvidence, report_data_and_init_data_become_siblings_of_the_tees_claims) {
  const json::Value annotated{
      annotate({.tee = TeeKind::az_snp_vtpm,
                .claims = {.claims = {{"measurement", "m"}}, .report_data = "aa", .init_data = "bb"},
                .init_data_claims = nullptr,
                .runtime_data_claims = object(R"({"nonce":"n"})")})};
  EXPECT_EQ(json::serialize(annotated),
            R"({"az-snp-vtpm":{"measurement":"m"},"report_data":"aa","runtime_data_claims":{"nonce":"n"},)"
            R"("init_data":"bb","init_data_claims":null})");
}

TEST(AnnotatedEvidence, without_them_the_claims_stand_alone) {
  const json::Value annotated{annotate({.tee = TeeKind::sample, .claims = {.claims = {}}})};
  EXPECT_EQ(json::serialize(annotated), R"({"sample":{}})");
}

TEST(EarClaims, have_upstreams_members_and_mark_the_sample_tee) {
  const json::Value claims{ear_claims({valid_submodule()}, {}, now)};
  EXPECT_EQ(
      json::serialize(claims),
      R"({"eat_profile":"tag:github.com,2024:confidential-containers/Trustee","iat":1800000000,)"
      R"("ear.verifier-id":{"developer":"https://confidentialcontainers.org","build":"attestation-service 0.1.0"},)"
      R"("submods":{"cpu0":{"ear.status":"affirming",)"
      R"("ear.trustworthiness-vector":{"executables":3,"hardware":2},"ear.appraisal-policy-id":"default",)"
      R"("ear.veraison.annotated-evidence":{"sample":{"svn":"1"},"report_data":"AAAA",)"
      R"("runtime_data_claims":{"nonce":"n","additional-evidence":"x"}},)"
      R"("ear.trustee.identifiers":{"validated":{}}}},"exp":1800000300,"iss":"CoCo-Attestation-Service",)"
      R"("coffer.sample":true})");
}

TEST(EarClaims, simulated_evidence_is_marked_for_policies_and_for_relying_parties) {
  evidence::Claims claims{.claims = {{"measurement", "ab"}}, .simulated_root = "CN=SIMULATED, NOT SECURE: SNP"};
  const Submodule submodule{.name = "cpu0",
                            .vector = TrustVector::zeros(),
                            .policy_id = "default",
                            .annotated_evidence = annotate({.tee = TeeKind::snp, .claims = std::move(claims)})};
  EXPECT_EQ(json::serialize(json::Value{submodule.annotated_evidence}),
            R"({"snp":{"measurement":"ab"},"simulated_root":"CN=SIMULATED, NOT SECURE: SNP"})");
  const auto token = ear_claims({submodule}, {}, now);
  EXPECT_EQ(json::serialize(*token.find("coffer.simulated")), R"(["CN=SIMULATED, NOT SECURE: SNP"])");
  EXPECT_FALSE(token.contains("coffer.sample"));
}

TEST(EarClaims, real_tees_carry_no_sample_mark) {
  auto submodule = valid_submodule();
  submodule.annotated_evidence = annotate({.tee = TeeKind::snp, .claims = {.claims = {}}});
  EXPECT_FALSE(ear_claims({submodule}, {}, now).contains("coffer.sample"));
  EXPECT_FALSE(ear_claims({submodule}, {}, now).contains("coffer.simulated"));
}

TEST(EarClaims, a_terse_token_drops_the_additional_evidence) {
  const json::Value claims{ear_claims({valid_submodule()}, {.verbose_token = false}, now)};
  const auto* runtime = claims.at_pointer("/submods/cpu0/ear.veraison.annotated-evidence/runtime_data_claims");
  ASSERT_NE(runtime, nullptr);
  EXPECT_EQ(json::serialize(*runtime), R"({"nonce":"n"})");
}

TEST(EarClaims, are_read_back) {
  const auto submodules = read_submodules(ear_claims({valid_submodule()}, {}, now));
  ASSERT_TRUE(submodules) << to_string(submodules.error());
  ASSERT_EQ(submodules->size(), 1U);
  EXPECT_EQ(submodules->front().name, "cpu0");
  EXPECT_EQ(submodules->front().status, Tier::affirming);
  EXPECT_EQ(submodules->front().vector.get("hardware"), 2);
  EXPECT_EQ(submodules->front().policy_id, "default");
}

TEST(EarClaims, without_submodules_or_with_an_unknown_status_they_are_refused) {
  for (const auto text :
       {R"({})", R"({"submods":{}})", R"({"submods":[]})", R"({"submods":{"cpu0":{}}})",
        R"({"submods":{"cpu0":{"ear.status":"fine"}}})", R"({"submods":{"cpu0":{"ear.status":2}}})"}) {
    const auto submodules = read_submodules(object(text));
    ASSERT_FALSE(submodules) << text;
    EXPECT_EQ(submodules.error().code, AppraisalError::bad_response);
  }
}

TEST(EarClaims, another_implementations_results_are_read) {
  COFFER_REQUIRE_VECTORS();
  for (const auto& [file, status] : {std::pair{"ear/ear-claims.json", Tier::affirming},
                                     {"ear/ear-claims-tv-ok.json", Tier::affirming},
                                     {"ear/ear-claims-extension-ok.json", Tier::affirming},
                                     {"ear/ear-claims-key-attestation-ok.json", Tier::affirming},
                                     {"ear/ear-claims-key-attestation-ko.json", Tier::contraindicated}}) {
    const auto submodules = read_submodules(object(coffer::testing::read_vector(file)));
    ASSERT_TRUE(submodules) << file << ": " << to_string(submodules.error());
    ASSERT_EQ(submodules->size(), 1U) << file;
    EXPECT_EQ(submodules->front().status, status) << file;
    // The status that we compute from the vector is the one that the other implementation wrote.
    if (!submodules->front().vector.to_json().empty()) {
      EXPECT_EQ(submodules->front().vector.status(), status) << file;
    }
  }
}

}  // namespace
}  // namespace coffer::appraisal
