#include <algorithm>

#include "codec/base64.h"
#include "keybroker/broker_testing.h"
#include "keybroker/resource_policies.h"

namespace coffer::keybroker::testing {
namespace {

constexpr std::string_view allow = "package policy\nimport rego.v1\ndefault allow := true\n";

std::string sample_message(std::string_view payload) {
  return codec::json::serialize(
      Object{{"version", "0.1.0"}, {"type", "sample"}, {"payload", codec::base64_encode(as_bytes(payload))}});
}

TEST(PolicyEndpoints, a_resource_policy_is_set_listed_by_id_and_read_back) {
  TestBroker broker;
  broker.set_resource_policy(allow);
  EXPECT_EQ(text_of(broker.get("/kbs/v0/resource-policy")), R"(["resource-policy"])");
  EXPECT_EQ(text_of(broker.get("/kbs/v0/resource-policy/resource-policy")), allow);
  EXPECT_EQ(text_of(broker.get("/kbs/v0/resource-policy?text=1")), allow);
  EXPECT_EQ(refusal(broker.get("/kbs/v0/resource-policy/other")), "404 broker.policy_not_found PluginInternalError");
}

TEST(PolicyEndpoints, the_default_policy_is_in_force_until_one_is_set_and_after_it_is_deleted) {
  TestBroker broker;
  const auto text = std::string{builtin_policy_text(DefaultPolicy::allow_all)};
  EXPECT_EQ(text_of(broker.get("/kbs/v0/resource-policy/resource-policy")), text);
  broker.set_resource_policy(allow);
  EXPECT_EQ(broker.send("DELETE", "/kbs/v0/resource-policy").status, 200);
  EXPECT_EQ(text_of(broker.get("/kbs/v0/resource-policy/resource-policy")), text);
}

TEST(PolicyEndpoints, deleting_a_policy_of_another_name_does_not_touch_the_one_in_force) {
  TestBroker broker;
  broker.set_resource_policy(allow);
  EXPECT_EQ(refusal(broker.send("DELETE", "/kbs/v0/resource-policy/other")),
            "404 broker.policy_not_found PluginInternalError");
  EXPECT_EQ(text_of(broker.get("/kbs/v0/resource-policy/resource-policy")), allow);
}

TEST(PolicyEndpoints, a_policy_that_does_not_parse_is_refused_and_the_old_one_stays) {
  TestBroker broker;
  broker.set_resource_policy(allow);
  const auto response = broker.post("/kbs/v0/resource-policy", policy_upload("package policy\nallow if {"));
  EXPECT_EQ(refusal(response), "401 broker.policy_invalid ParsePolicyError");
  EXPECT_TRUE(detail_of(response).starts_with("Failed to parse policy: ")) << detail_of(response);
  EXPECT_EQ(text_of(broker.get("/kbs/v0/resource-policy/resource-policy")), allow);
}

TEST(PolicyEndpoints, a_policy_of_another_package_is_refused) {
  TestBroker broker;
  EXPECT_EQ(refusal(broker.post("/kbs/v0/resource-policy", policy_upload("package other\nallow := true\n"))),
            "401 broker.policy_invalid ParsePolicyError");
}

TEST(PolicyEndpoints, an_upload_that_is_no_json_or_no_base64_is_refused) {
  TestBroker broker;
  for (const auto* body : {"", "{", "[]", "{}", R"({"policy":1})", R"({"policy":"***"})"}) {
    EXPECT_EQ(refusal(broker.post("/kbs/v0/resource-policy", body)), "401 broker.bad_request SerdeError") << body;
  }
}

TEST(PolicyEndpoints, members_of_older_clients_are_ignored_and_padded_base64_is_read) {
  TestBroker broker;
  const Object body{{"type", "rego"}, {"policy", codec::base64_encode(as_bytes(allow))}};
  EXPECT_EQ(broker.post("/kbs/v0/resource-policy", codec::json::serialize(body)).status, 200);
}

TEST(PolicyEndpoints, attestation_policies_are_set_listed_read_back_and_deleted) {
  TestBroker broker;
  constexpr std::string_view text = "package policy\nimport rego.v1\ntrust_claims := {\"executables\": 3}\n";
  EXPECT_EQ(broker.post("/kbs/v0/attestation-policy", policy_upload(text, "mine_cpu")).status, 200);
  const auto ids = json_of(broker.get("/kbs/v0/attestation-policy"));
  EXPECT_EQ(std::count(ids.if_array()->begin(), ids.if_array()->end(), Value{"mine_cpu"}), 1);
  EXPECT_EQ(std::count(ids.if_array()->begin(), ids.if_array()->end(), Value{"default_cpu"}), 1);
  EXPECT_EQ(text_of(broker.get("/kbs/v0/attestation-policy/mine_cpu")), text);
  EXPECT_EQ(broker.send("DELETE", "/kbs/v0/attestation-policy/mine_cpu").status, 200);
  EXPECT_EQ(refusal(broker.get("/kbs/v0/attestation-policy/mine_cpu")),
            "404 broker.policy_not_found PluginInternalError");
  EXPECT_EQ(refusal(broker.send("DELETE", "/kbs/v0/attestation-policy/mine_cpu")),
            "404 broker.policy_not_found PluginInternalError");
}

TEST(PolicyEndpoints, an_attestation_policy_needs_an_id_and_must_parse) {
  TestBroker broker;
  EXPECT_EQ(refusal(broker.post("/kbs/v0/attestation-policy", policy_upload(allow))),
            "401 broker.bad_request SerdeError");
  EXPECT_EQ(refusal(broker.post("/kbs/v0/attestation-policy", policy_upload("nonsense", "x_cpu"))),
            "401 broker.policy_invalid ParsePolicyError");
}

TEST(ReferenceValues, are_registered_with_an_empty_answer_and_queried) {
  TestBroker broker;
  const auto response = broker.post("/kbs/v0/reference-value", sample_message(R"({"launch_digest":["abcde"]})"));
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.headers.get("Content-Type"), "application/json");
  EXPECT_TRUE(response.body.empty());
  EXPECT_EQ(text_of(broker.get("/kbs/v0/reference-value/launch_digest")), R"(["abcde"])");
  const auto list = json_of(broker.get("/kbs/v0/reference-value"));
  ASSERT_EQ(list.if_array()->size(), 1U);
  EXPECT_EQ(*list.at_pointer("/0/name")->if_string(), "launch_digest");
}

TEST(ReferenceValues, that_are_unknown_answer_as_upstream_does) {
  TestBroker broker;
  EXPECT_EQ(refusal(broker.get("/kbs/v0/reference-value/none")), "401 broker.reference_value_not_found RvpsError");
}

TEST(ReferenceValues, can_be_deleted) {
  TestBroker broker;
  broker.post("/kbs/v0/reference-value", sample_message(R"({"svn":["1"]})"));
  EXPECT_EQ(broker.send("DELETE", "/kbs/v0/reference-value/svn").status, 200);
  EXPECT_EQ(refusal(broker.send("DELETE", "/kbs/v0/reference-value/svn")),
            "401 broker.reference_value_not_found RvpsError");
}

TEST(ReferenceValues, that_somebody_else_has_changed_are_a_conflict) {
  TestBroker broker;
  broker.post("/kbs/v0/reference-value", sample_message(R"({"svn":["1"]})"));
  auto message = codec::json::parse(sample_message(R"({"svn":["1","2"]})")).value();
  message.if_object()->set("expected", codec::json::Object{{"svn", nullptr}});
  EXPECT_EQ(refusal(broker.post("/kbs/v0/reference-value", codec::json::serialize(message))),
            "409 broker.reference_value_conflict RvpsError");
  EXPECT_EQ(text_of(broker.get("/kbs/v0/reference-value/svn")), R"(["1"])");
  message.if_object()->set("expected", codec::json::Object{{"svn", codec::json::Array{"1"}}});
  EXPECT_EQ(broker.post("/kbs/v0/reference-value", codec::json::serialize(message)).status, 200);
}

TEST(ReferenceValues, that_do_not_parse_are_refused) {
  TestBroker broker;
  for (const auto& body : {std::string{"{"}, sample_message("[1]"), std::string{R"({"type":"corim","payload":""})"}}) {
    EXPECT_EQ(refusal(broker.post("/kbs/v0/reference-value", body)), "401 broker.reference_value_invalid RvpsError")
        << body;
  }
}

TEST(ResourcePolicies, every_builtin_parses_and_has_a_name) {
  for (const auto policy :
       {DefaultPolicy::upstream, DefaultPolicy::affirming, DefaultPolicy::allow_all, DefaultPolicy::deny_all}) {
    EXPECT_TRUE(policy::Policy::parse("p.rego", std::string{builtin_policy_text(policy)})) << name_of(policy);
    EXPECT_EQ(parse_default_policy(name_of(policy)), policy);
  }
  EXPECT_FALSE(parse_default_policy("lenient"));
}

PolicyVerdict verdict(DefaultPolicy policy, std::string_view claims) {
  const auto policies = ResourcePolicies::create(storage::make_memory_store(), policy, std::nullopt);
  const auto verdict = (*policies)->evaluate({.claims = *codec::json::parse(claims), .path = {"a", "b", "c"}});
  EXPECT_TRUE(verdict) << to_string(verdict.error());
  return *verdict;
}

TEST(ResourcePolicies, default_denies_sample_and_claims_without_evidence_and_does_not_look_at_the_status) {
  constexpr auto snp =
      R"({"submods":{"cpu0":{"ear.status":"contraindicated","ear.veraison.annotated-evidence":{"snp":{}}}}})";
  constexpr auto sample =
      R"({"submods":{"cpu0":{"ear.status":"affirming","ear.veraison.annotated-evidence":{"sample":{}}}}})";
  EXPECT_TRUE(verdict(DefaultPolicy::upstream, snp).allowed);
  EXPECT_FALSE(verdict(DefaultPolicy::upstream, sample).allowed);
  EXPECT_FALSE(verdict(DefaultPolicy::upstream, "{}").allowed);
}

TEST(ResourcePolicies, affirming_wants_every_part_affirming_and_at_least_one) {
  EXPECT_TRUE(verdict(DefaultPolicy::affirming, R"({"submods":{"cpu0":{"ear.status":"affirming"}}})").allowed);
  EXPECT_FALSE(verdict(DefaultPolicy::affirming,
                       R"({"submods":{"cpu0":{"ear.status":"affirming"},"gpu0":{"ear.status":"warning"}}})")
                   .allowed);
  EXPECT_FALSE(verdict(DefaultPolicy::affirming, R"({"submods":{}})").allowed);
  EXPECT_FALSE(verdict(DefaultPolicy::affirming, "{}").allowed);
}

TEST(ResourcePolicies, allow_all_and_deny_all_do_what_they_say) {
  EXPECT_TRUE(verdict(DefaultPolicy::allow_all, "{}").allowed);
  EXPECT_FALSE(verdict(DefaultPolicy::deny_all, "{}").allowed);
}

}  // namespace
}  // namespace coffer::keybroker::testing
