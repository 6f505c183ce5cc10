#include "evidence/init_data.h"

#include <gtest/gtest.h>

#include "codec/base64.h"

namespace coffer::evidence {
namespace {

namespace json = codec::json;

const std::string valid = R"(version = "0.1.0"
algorithm = "sha384"
[data]
"aa.toml" = '''
[token_configs.kbs]
url = "http://127.0.0.1:8080"
'''
"cdh.toml" = '''
socket = "unix:///run/cdh.sock"
'''
"policy.rego" = '''
package agent_policy
policy_data := {"containers": [{"name": "a } \" b"}]}
'''
"my-note" = "kept as it is"
)";

std::string with(std::string_view from, std::string_view to) {
  auto text = valid;
  const auto at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

Error refusal(const Result<InitData>& data) {
  EXPECT_FALSE(data);
  return data ? Error{EvidenceError::no_device, "accepted"} : data.error();
}

TEST(InitData, digest_is_over_the_raw_text) {
  const auto data = InitData::parse(valid);
  ASSERT_TRUE(data) << to_string(data.error());
  EXPECT_EQ(data->digest(), crypto::sha384(as_bytes(valid)));
  const auto spaced = InitData::parse(valid + "\n");
  ASSERT_TRUE(spaced);
  EXPECT_NE(spaced->digest(), data->digest());
}

TEST(InitData, each_algorithm_by_its_exact_name) {
  for (const auto& [name, size] : {std::pair{"sha256", 32U}, {"sha384", 48U}, {"sha512", 64U}, {"sm3", 32U}}) {
    const auto data = InitData::parse(with("sha384", name));
    ASSERT_TRUE(data) << name;
    EXPECT_EQ(data->digest().size(), size);
  }
  for (const auto name : {"sha-256", "SHA256", "sha1", ""}) {
    EXPECT_EQ(refusal(InitData::parse(with("sha384", name))).code, EvidenceError::bad_init_data) << name;
  }
}

TEST(InitData, claims_show_configuration_as_objects_and_policy_data_as_claims) {
  const auto claims = InitData::parse(valid)->claims();
  ASSERT_TRUE(claims) << to_string(claims.error());
  const json::Value value{*claims};
  EXPECT_EQ(*value.at_pointer("/aa.toml/token_configs/kbs/url")->if_string(), "http://127.0.0.1:8080");
  EXPECT_EQ(*value.at_pointer("/cdh.toml/socket")->if_string(), "unix:///run/cdh.sock");
  EXPECT_EQ(*value.at_pointer("/agent_policy_claims/containers/0/name")->if_string(), "a } \" b");
  EXPECT_EQ(*value.find("my-note")->if_string(), "kept as it is");
  EXPECT_EQ(value.find("policy.rego"), nullptr);
}

TEST(InitData, the_last_policy_data_counts) {
  const auto claims =
      InitData::parse(with("policy_data := ", "policy_data := {\"old\": 1}\npolicy_data := "))->claims();
  ASSERT_TRUE(claims) << to_string(claims.error());
  EXPECT_FALSE(claims->find("agent_policy_claims")->if_object()->contains("old"));
}

TEST(InitData, a_policy_without_policy_data_makes_no_claims) {
  const auto claims = InitData::parse(with("policy_data := ", "other := "))->claims();
  ASSERT_TRUE(claims);
  EXPECT_FALSE(claims->contains("agent_policy_claims"));
  EXPECT_FALSE(claims->contains("policy.rego"));
}

TEST(InitData, entries_that_do_not_parse_are_refused_when_shown) {
  for (const auto& text : {with("socket = ", "socket = = "), with("url = ", "= "), with("[{\"name\"", "[{name")}) {
    const auto claims = InitData::parse(text)->claims();
    ASSERT_FALSE(claims);
    EXPECT_EQ(claims.error().code, EvidenceError::bad_init_data);
  }
}

TEST(InitData, missing_or_mistyped_members_are_refused) {
  EXPECT_EQ(refusal(InitData::parse(with("version = \"0.1.0\"", ""))).code, EvidenceError::bad_init_data);
  EXPECT_EQ(refusal(InitData::parse(with("version = \"0.1.0\"", "version = 1"))).code, EvidenceError::bad_init_data);
  EXPECT_EQ(refusal(InitData::parse(with("algorithm", "algo"))).code, EvidenceError::bad_init_data);
  EXPECT_EQ(refusal(InitData::parse(with("[data]", "[dates]"))).code, EvidenceError::bad_init_data);
  const auto error = refusal(InitData::parse(with("\"kept as it is\"", "7")));
  EXPECT_EQ(error.code, EvidenceError::bad_init_data);
  EXPECT_NE(error.message.find("my-note"), std::string::npos);
}

TEST(InitData, text_that_is_no_toml_is_refused_with_its_place) {
  const auto error = refusal(InitData::parse("version = \n"));
  EXPECT_EQ(error.code, EvidenceError::bad_init_data);
  EXPECT_EQ(error.message.rfind("init-data:1:", 0), 0U) << error.message;
}

TEST(InitData, the_wire_form_round_trips) {
  const auto data = InitData::from_wire(InitData::parse(valid)->to_wire());
  ASSERT_TRUE(data);
  EXPECT_EQ(data->text(), valid);
}

TEST(InitData, other_wire_forms_are_refused) {
  for (const auto& wire : {json::Object{{"format", "json"}, {"body", valid}}, json::Object{{"body", valid}},
                           json::Object{{"format", "toml"}}, json::Object{{"format", "toml"}, {"body", 1}}}) {
    EXPECT_EQ(refusal(InitData::from_wire(wire)).code, EvidenceError::bad_init_data);
  }
}

TEST(InitData, digests_fit_fields_by_cutting_or_padding_on_the_right) {
  const auto digest = to_bytes("abcd");
  EXPECT_EQ(fit_digest(digest, 2), to_bytes("ab"));
  EXPECT_EQ(codec::hex_encode(fit_digest(digest, 6)), "616263640000");
}

}  // namespace
}  // namespace coffer::evidence
