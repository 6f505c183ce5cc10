#include "appraisal/builtin_service.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "appraisal/token_verifier.h"
#include "codec/base64.h"
#include "evidence/composite.h"
#include "evidence/sample/sample.h"

namespace coffer::appraisal {
namespace {

namespace json = codec::json;
using evidence::EvidenceError;
using evidence::TeeKind;
using ::testing::HasSubstr;

const std::string init_data_text = "version = \"0.1.0\"\nalgorithm = \"sha256\"\n[data]\n\"aa.toml\" = \"x = 1\"\n";

json::Object tee_key() {
  return {{"kty", "EC"},
          {"crv", "P-256"},
          {"alg", "ECDH-ES+A256KW"},
          {"x", "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"},
          {"y", "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}};
}

class BuiltinService : public ::testing::Test {
 protected:
  void SetUp() override {
    auto registry = evidence::Registry::create({.allow_tees = {"sample", "sampledevice"}});
    ASSERT_TRUE(registry) << to_string(registry.error());
    registry_ = std::make_shared<const evidence::Registry>(*std::move(registry));
    auto service = BuiltinAttestationService::create({.store = store_, .registry = registry_, .clock = clock_});
    ASSERT_TRUE(service) << to_string(service.error());
    service_ = *service;
  }

  void set_reference_values() {
    for (const auto& [name, value] : json::Object{{"launch_digest", json::Array{"abcde"}},
                                                  {"svn", json::Array{"1"}},
                                                  {"major_version", 1},
                                                  {"minimum_minor_version", 1}}) {
      ASSERT_TRUE(service_->register_reference_values(sample_reference_message(name, value)));
    }
  }

  // What an honest guest sends, with a sample device beside it where asked for.
  EvaluationRequest valid_request(bool device = false, std::optional<evidence::InitData> init_data = std::nullopt) {
    auto runtime = *evidence::RuntimeData::create("nonce", tee_key());
    if (device) {
      const auto attester = evidence::sample::make_attester(TeeKind::sampledevice);
      const evidence::Attester* const devices[] = {attester.get()};
      runtime =
          *runtime.with_additional_evidence(*evidence::collect_additional_evidence(devices, runtime.device_digest()));
    }
    const auto digest = init_data ? std::optional{init_data->digest()} : std::nullopt;
    auto quote = *evidence::sample::make_attester(TeeKind::sample, digest)->attest(runtime.primary_digest());
    auto request = rcar_evaluation(TeeKind::sample, std::move(quote), runtime, std::move(init_data));
    EXPECT_TRUE(request) << to_string(request.error());
    return *std::move(request);
  }

  Error refusal(const EvaluationRequest& request) {
    const auto outcome = service_->evaluate(request);
    EXPECT_FALSE(outcome);
    return outcome ? Error{AppraisalError::unavailable, "accepted"} : outcome.error();
  }

  FixedClock clock_{from_unix_seconds(1'800'000'000)};
  std::shared_ptr<storage::KeyValueStore> store_ = storage::make_memory_store();
  std::shared_ptr<const evidence::Registry> registry_;
  std::shared_ptr<BuiltinAttestationService> service_;
};

TEST_F(BuiltinService, a_challenge_is_32_random_bytes_and_empty_extra_parameters) {
  const auto first = service_->challenge(TeeKind::sample, evidence::offered_hash_algorithms());
  const auto second = service_->challenge(TeeKind::sample, evidence::offered_hash_algorithms());
  ASSERT_TRUE(first && second);
  EXPECT_EQ(codec::base64_decode(first->nonce)->size(), 32U);
  EXPECT_NE(first->nonce, second->nonce);
  EXPECT_EQ(first->extra_params, json::Value{""});
}

TEST_F(BuiltinService, a_tee_without_a_chance_learns_it_at_the_challenge) {
  EXPECT_EQ(service_->challenge(TeeKind::csv, "").error().code, EvidenceError::not_supported);
  const auto strict = BuiltinAttestationService::create(
      {.store = store_,
       .registry = std::make_shared<const evidence::Registry>(*evidence::Registry::create()),
       .clock = clock_});
  ASSERT_TRUE(strict);
  EXPECT_EQ((*strict)->challenge(TeeKind::sample, "").error().code, EvidenceError::tee_not_allowed);
  EXPECT_EQ((*strict)->evaluate(valid_request()).error().code, EvidenceError::tee_not_allowed);
}

TEST_F(BuiltinService, with_reference_values_the_sample_tee_is_affirmed_and_the_token_verifies) {
  set_reference_values();
  const auto outcome = service_->evaluate(valid_request());
  ASSERT_TRUE(outcome) << to_string(outcome.error());
  EXPECT_EQ(outcome->status, Tier::affirming);
  EXPECT_TRUE(outcome->sample);
  ASSERT_EQ(outcome->submodules.size(), 1U);
  EXPECT_EQ(outcome->submodules[0].name, "cpu0");
  EXPECT_EQ(outcome->submodules[0].tee, "sample");
  EXPECT_EQ(outcome->submodules[0].policy, "default_cpu");
  EXPECT_TRUE(outcome->submodules[0].explanation.empty());

  const auto verifier = TokenVerifier::create({.trusted_certificates = service_->signer().chain()});
  ASSERT_TRUE(verifier);
  const auto token = (*verifier)->verify(outcome->token, clock_.now());
  ASSERT_TRUE(token) << to_string(token.error());
  const json::Value claims{(*token)->claims()};
  EXPECT_EQ(*claims.at_pointer("/submods/cpu0/ear.status")->if_string(), "affirming");
  EXPECT_EQ(*claims.at_pointer("/submods/cpu0/ear.appraisal-policy-id")->if_string(), "default");
  EXPECT_EQ(claims.at_pointer("/submods/cpu0/ear.trustworthiness-vector/executables")->if_int64(), 3);
  EXPECT_NE(claims.at_pointer("/submods/cpu0/ear.trustee.identifiers/validated"), nullptr);
  EXPECT_EQ(*claims.at_pointer("/submods/cpu0/ear.veraison.annotated-evidence/runtime_data_claims/nonce")->if_string(),
            "nonce");
  EXPECT_EQ(**(*token)->tee_public_key(), tee_key());
  EXPECT_EQ(claims.find("exp")->if_int64(), 1'800'000'300);
}

TEST_F(BuiltinService, without_reference_values_it_is_contraindicated_and_says_which_claim_found_what) {
  const auto outcome = service_->evaluate(valid_request());
  ASSERT_TRUE(outcome) << to_string(outcome.error());
  EXPECT_EQ(outcome->status, Tier::contraindicated);
  ASSERT_EQ(outcome->submodules.size(), 1U);
  EXPECT_EQ(outcome->submodules[0].vector.get("hardware"), 97);
  EXPECT_EQ(outcome->submodules[0].vector.get("configuration"), 2);
  const auto& conditions = outcome->submodules[0].explanation;
  const auto about = [&](std::string_view claim) {
    return std::ranges::find_if(conditions, [&](const auto& condition) { return condition.claim == claim; });
  };
  const auto digest = about("input.sample.launch_digest");
  ASSERT_NE(digest, conditions.end()) << json::serialize(json::Value{outcome->to_json()});
  EXPECT_EQ(digest->rule, "executables");
  EXPECT_EQ(digest->actual, json::Value{"abcde"});
  EXPECT_EQ(digest->expected, json::Value{nullptr});
  EXPECT_NE(about("input.sample.svn"), conditions.end());
  for (const auto& condition : conditions) EXPECT_THAT(condition.claim.value_or(""), ::testing::Not(HasSubstr("snp")));
}

TEST_F(BuiltinService, a_wrong_reference_value_is_explained_with_expected_and_actual) {
  set_reference_values();
  ASSERT_TRUE(service_->register_reference_values(sample_reference_message("svn", json::Array{"7", "8"})));
  const auto outcome = service_->evaluate(valid_request());
  ASSERT_TRUE(outcome);
  ASSERT_EQ(outcome->submodules[0].explanation.size(), 1U) << json::serialize(json::Value{outcome->to_json()});
  const auto& condition = outcome->submodules[0].explanation[0];
  EXPECT_EQ(condition.rule, "hardware");
  EXPECT_EQ(condition.claim, "input.sample.svn");
  EXPECT_EQ(condition.actual, json::Value{"1"});
  EXPECT_EQ(condition.expected, (json::Value{json::Array{"7", "8"}}));
  const auto shown = json::serialize(json::Value{outcome->to_json()});
  EXPECT_THAT(shown, HasSubstr(R"("claim":"input.sample.svn","actual":"1","expected":["7","8"])"));
}

TEST_F(BuiltinService, a_device_is_a_submodule_of_its_own_bound_to_the_device_form) {
  set_reference_values();
  const auto outcome = service_->evaluate(valid_request(true));
  ASSERT_TRUE(outcome) << to_string(outcome.error());
  ASSERT_EQ(outcome->submodules.size(), 2U);
  EXPECT_EQ(outcome->submodules[1].name, "gpu0");
  EXPECT_EQ(outcome->submodules[1].policy, "default_gpu");
  EXPECT_EQ(outcome->submodules[0].status, Tier::affirming);
  EXPECT_EQ(outcome->submodules[1].status, Tier::contraindicated);
  EXPECT_EQ(outcome->status, Tier::contraindicated);
}

TEST_F(BuiltinService, device_evidence_bound_to_the_primary_form_is_refused) {
  auto request = valid_request(true);
  request.evidence[1].runtime_data = request.evidence[0].runtime_data;
  EXPECT_EQ(refusal(request).code, EvidenceError::report_data_mismatch);
}

TEST_F(BuiltinService, several_devices_of_one_class_are_numbered) {
  auto request = valid_request(true);
  request.evidence.push_back(request.evidence[1]);
  const auto outcome = service_->evaluate(request);
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->submodules[2].name, "gpu1");
}

TEST_F(BuiltinService, init_data_stands_in_the_token_as_claims) {
  const auto outcome = service_->evaluate(valid_request(false, *evidence::InitData::parse(init_data_text)));
  ASSERT_TRUE(outcome) << to_string(outcome.error());
  const auto payload = outcome->token.substr(outcome->token.find('.') + 1);
  const auto token = json::parse(as_text(*codec::base64url_decode(payload.substr(0, payload.find('.')))));
  ASSERT_TRUE(token);
  const auto* annotated = token->at_pointer("/submods/cpu0/ear.veraison.annotated-evidence");
  ASSERT_NE(annotated, nullptr);
  EXPECT_EQ(*annotated->find("init_data")->if_string(), codec::hex_encode(crypto::sha256(as_bytes(init_data_text))));
  EXPECT_EQ(annotated->at_pointer("/init_data_claims/aa.toml/x")->if_int64(), 1);
}

TEST_F(BuiltinService, another_init_data_than_the_evidences_is_refused) {
  auto request = valid_request(false, *evidence::InitData::parse(init_data_text));
  request.evidence[0].init_data = *evidence::InitData::parse(init_data_text + "# changed by the host\n");
  const auto error = refusal(request);
  EXPECT_EQ(error.code, EvidenceError::init_data_mismatch);
  EXPECT_THAT(error.message, HasSubstr(codec::hex_encode(crypto::sha256(as_bytes(init_data_text)))));
}

TEST_F(BuiltinService, init_data_whose_entries_do_not_parse_is_refused) {
  auto request = valid_request();
  request.evidence[0].init_data =
      *evidence::InitData::parse("version = \"1\"\nalgorithm = \"sha256\"\n[data]\n\"aa.toml\" = \"= =\"\n");
  EXPECT_EQ(refusal(request).code, EvidenceError::bad_init_data);
}

TEST_F(BuiltinService, evidence_of_another_session_is_refused_with_expected_and_actual) {
  auto request = valid_request();
  request.evidence[0].runtime_data =
      json::Value{evidence::RuntimeData::create("other nonce", tee_key())->primary_form()};
  const auto error = refusal(request);
  EXPECT_EQ(error.code, EvidenceError::report_data_mismatch);
  EXPECT_THAT(error.message, HasSubstr("expected to be"));
  EXPECT_EQ(error.context.back(), (std::pair<std::string, std::string>{"tee", "sample"}));
}

TEST_F(BuiltinService, malformed_evidence_and_none_at_all_are_told_apart) {
  auto request = valid_request();
  request.evidence[0].evidence = "text";
  EXPECT_EQ(refusal(request).code, EvidenceError::malformed);
  request.evidence.clear();
  EXPECT_EQ(refusal(request).code, AppraisalError::bad_request);
}

TEST_F(BuiltinService, runtime_data_without_a_canonical_form_is_refused) {
  auto request = valid_request();
  request.evidence[0].runtime_data = json::Value{json::Object{{"n", std::uint64_t{1} << 60}}};
  EXPECT_EQ(refusal(request).code, EvidenceError::bad_runtime_data);
}

TEST_F(BuiltinService, raw_runtime_data_goes_to_the_verifier_unhashed) {
  const auto quote = evidence::sample::make_attester(TeeKind::sample)->attest(as_bytes("raw"));
  const auto outcome =
      service_->evaluate({.evidence = {{.tee = TeeKind::sample, .evidence = *quote, .runtime_data = to_bytes("raw")}}});
  ASSERT_TRUE(outcome) << to_string(outcome.error());
  auto other =
      EvaluationRequest{.evidence = {{.tee = TeeKind::sample, .evidence = *quote, .runtime_data = to_bytes("other")}}};
  EXPECT_EQ(refusal(other).code, EvidenceError::report_data_mismatch);
}

TEST_F(BuiltinService, the_first_policy_id_decides_and_must_exist_for_the_class) {
  ASSERT_TRUE(service_->set_policy("lax_cpu", "package policy\n\ntrust_claims := {\"hardware\": 2}\n"));
  auto request = valid_request();
  request.policy_ids = {"lax", "default"};
  const auto outcome = service_->evaluate(request);
  ASSERT_TRUE(outcome) << to_string(outcome.error());
  EXPECT_EQ(outcome->status, Tier::affirming);
  EXPECT_EQ(outcome->submodules[0].policy, "lax_cpu");
  request.policy_ids = {"absent"};
  EXPECT_EQ(refusal(request).code, AppraisalError::unknown_policy);
}

TEST_F(BuiltinService, a_policy_without_trust_claims_affirms_nothing) {
  ASSERT_TRUE(service_->set_policy("empty_cpu", "package policy\n\nother := 1\n"));
  auto request = valid_request();
  request.policy_ids = {"empty"};
  const auto outcome = service_->evaluate(request);
  ASSERT_TRUE(outcome) << to_string(outcome.error());
  EXPECT_EQ(outcome->status, Tier::none);
}

TEST_F(BuiltinService, a_policy_of_the_wrong_shape_is_an_error_and_no_crash) {
  ASSERT_TRUE(service_->set_policy("odd_cpu", "package policy\n\ntrust_claims := {\"software\": 2}\n"));
  auto request = valid_request();
  request.policy_ids = {"odd"};
  EXPECT_EQ(refusal(request).code, AppraisalError::bad_trust_claims);
  ASSERT_TRUE(service_->set_policy(
      "odd_cpu", "package policy\n\ntrust_claims := {\"hardware\": 2}\n\nextensions := {\"name\": 1}\n"));
  EXPECT_EQ(refusal(request).code, AppraisalError::bad_trust_claims);
}

// The claims count nanoseconds, so that no two evaluations within half a second agree.
TEST_F(BuiltinService, a_policy_that_answers_otherwise_when_asked_for_its_reasons_is_no_verdict) {
  ASSERT_TRUE(service_->set_policy("moody_cpu", R"(package policy

now := time.now_ns()

trust_claims := {
  "hardware": 33 + (now % 60),
  "executables": 33 + (now % 61),
  "configuration": 33 + (now % 59),
  "file-system": 33 + (now % 53),
  "instance-identity": 33 + (now % 47),
}
)"));
  auto request = valid_request();
  request.policy_ids = {"moody"};
  const auto error = refusal(request);
  EXPECT_EQ(error.code, AppraisalError::undecided) << to_string(error);
  EXPECT_THAT(error.message, HasSubstr("moody_cpu"));
}

TEST_F(BuiltinService, policies_and_reference_values_are_managed) {
  EXPECT_EQ(service_->list_policies()->size(), 4U);
  EXPECT_TRUE(service_->get_policy("default_cpu")->has_value());
  EXPECT_TRUE(*service_->delete_policy("default_gpu"));
  EXPECT_EQ(service_->list_policies()->size(), 3U);
  set_reference_values();
  EXPECT_EQ(service_->list_reference_values()->size(), 4U);
  EXPECT_EQ(service_->query_reference_value("svn")->value(), (json::Value{json::Array{"1"}}));
  EXPECT_TRUE(*service_->delete_reference_value("svn"));
  EXPECT_FALSE(service_->query_reference_value("svn")->has_value());
}

TEST_F(BuiltinService, two_replicas_on_one_store_sign_with_one_key) {
  const auto replica = BuiltinAttestationService::create({.store = store_, .registry = registry_, .clock = clock_});
  ASSERT_TRUE(replica);
  EXPECT_EQ((*replica)->signer().public_key(), service_->signer().public_key());
}

TEST_F(BuiltinService, a_request_with_unreadable_additional_evidence_is_not_made) {
  const auto runtime = evidence::RuntimeData::create("nonce", tee_key(), "{not json");
  ASSERT_TRUE(runtime);
  const auto request = rcar_evaluation(TeeKind::sample, json::Object{}, *runtime);
  ASSERT_FALSE(request);
  EXPECT_EQ(request.error().code, EvidenceError::malformed);
}

}  // namespace
}  // namespace coffer::appraisal
