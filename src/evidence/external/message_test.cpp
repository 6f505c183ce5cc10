#include "evidence/external/message.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "codec/base64.h"

namespace coffer::evidence::external {
namespace {

namespace json = codec::json;
using testing::HasSubstr;
using testing::Not;

const Bytes digest(48, std::byte{1});
const Bytes init_digest(32, std::byte{2});
const Call call{7, "acme"};
const Binding bound{digest, init_digest};

json::Object valid() {
  return {{"version", 1},
          {"id", 7},
          {"type", "acme"},
          {"result", json::Object{{"claims", json::Object{{"svn", 3}}},
                                  {"report_data", codec::base64_encode(digest)},
                                  {"init_data_digest", codec::base64_encode(init_digest)}}}};
}

Result<json::Object> verify(const json::Object& answer, const Binding& binding = bound) {
  return parse_verify_answer(json::serialize(answer), call, binding);
}

Error refusal(const json::Object& answer, const Binding& binding = bound) {
  const auto claims = verify(answer, binding);
  EXPECT_FALSE(claims);
  return claims ? Error{EvidenceError::no_device, "accepted"} : claims.error();
}

json::Object with_result(std::string_view name, json::Value value) {
  auto answer = valid();
  answer.find("result")->if_object()->set(name, std::move(value));
  return answer;
}

TEST(ExternalType, is_a_short_name_and_never_a_tee_of_ours) {
  EXPECT_EQ(*parse_type("acme-2"), "acme-2");
  for (const auto name : {"", "2x", "-x", "Acme", "a_b", "a.b", "a/b", "nitro", "snp", "sample", "external",
                          "abcdefghijklmnopqrstuvwxyzabcdefg"}) {
    EXPECT_EQ(parse_type(name).error().code, ExternalError::bad_type) << name;
  }
}

TEST(ExternalRequest, carries_what_the_protocol_says) {
  EXPECT_EQ(encode_verify(call, json::Object{{"x", 1}}, {Bytes(3), {}}, from_unix_seconds(0)),
            R"({"version":1,"id":7,"method":"verify","type":"acme","evidence":{"x":1},"report_data":"AAAA",)"
            R"("init_data_digest":null,"now":"1970-01-01T00:00:00Z"})");
  EXPECT_EQ(encode_attest(call, Bytes(3)),
            R"({"version":1,"id":7,"method":"attest","type":"acme","report_data":"AAAA"})");
  EXPECT_EQ(encode_bind_init_data(call, Bytes(3)),
            R"({"version":1,"id":7,"method":"bind_init_data","type":"acme","init_data_digest":"AAAA"})");
}

TEST(ExternalVerifyAnswer, gives_its_claims) {
  const auto claims = verify(valid());
  ASSERT_TRUE(claims) << to_string(claims.error());
  EXPECT_EQ(claims->find("svn")->if_int64(), 3);
}

TEST(ExternalVerifyAnswer, must_state_what_was_held) {
  EXPECT_EQ(refusal(with_result("report_data", codec::base64_encode(init_digest))).code,
            EvidenceError::report_data_mismatch);
  EXPECT_EQ(refusal(with_result("report_data", nullptr)).code, EvidenceError::report_data_mismatch);
  EXPECT_EQ(refusal(with_result("report_data", true)).code, EvidenceError::report_data_mismatch);
  EXPECT_EQ(refusal(with_result("init_data_digest", nullptr)).code, EvidenceError::init_data_mismatch);
  EXPECT_TRUE(verify(with_result("report_data", nullptr), {{}, init_digest})) << "where none is bound";
}

TEST(ExternalVerifyAnswer, another_envelope_is_a_bad_answer) {
  for (const auto& [name, value] : {std::pair<std::string, json::Value>{"version", 2},
                                    {"version", "1"},
                                    {"id", 8},
                                    {"id", nullptr},
                                    {"type", "snp"},
                                    {"type", nullptr},
                                    {"result", 1},
                                    {"error", json::Object{}}}) {
    auto answer = valid();
    answer.set(name, value);
    EXPECT_EQ(refusal(answer).code, ExternalError::bad_answer) << name;
    if (name == "error") continue;
    answer.erase(name);
    EXPECT_EQ(refusal(answer).code, ExternalError::bad_answer) << name;
  }
  EXPECT_EQ(refusal(with_result("claims", json::Array{})).code, ExternalError::bad_answer);
  auto failed = valid();
  failed.erase("result");
  failed.set("error", "text");
  EXPECT_EQ(refusal(failed).code, ExternalError::bad_answer);
}

TEST(ExternalVerifyAnswer, is_bounded) {
  const auto code = [](const std::string& text) { return parse_verify_answer(text, call, bound).error().code; };
  EXPECT_EQ(code(""), ExternalError::bad_answer);
  EXPECT_EQ(code(std::string(20, '[')), ExternalError::bad_answer);
  EXPECT_EQ(code(json::serialize(with_result("claims", json::Array(1U << 15, json::Value{0})))),
            ExternalError::bad_answer);
  EXPECT_EQ(code(R"({"version":1,"version":1})"), ExternalError::bad_answer);
}

TEST(ExternalVerifyAnswer, a_refusal_keeps_the_verifiers_words_in_one_line) {
  const json::Object answer{
      {"version", 1},
      {"id", 7},
      {"type", "acme"},
      {"error", json::Object{{"code", "bad_svn"}, {"message", "svn 1\nis \x1b[31mold" + std::string(900, 'x')}}}};
  const auto error = refusal(answer);
  EXPECT_EQ(error.code, ExternalError::refused);
  EXPECT_THAT(error.message, HasSubstr("bad_svn"));
  EXPECT_THAT(error.message, Not(HasSubstr("\n")));
  EXPECT_THAT(error.message, Not(HasSubstr("\x1b")));
  EXPECT_LT(error.message.size(), 700U);
}

TEST(ExternalAttestAnswer, gives_evidence_or_the_attesters_words) {
  json::Object answer{{"version", 1}, {"id", 7}, {"type", "acme"}, {"result", json::Object{{"evidence", "text"}}}};
  EXPECT_EQ(*parse_attest_answer(json::serialize(answer), call), json::Value{"text"});
  EXPECT_TRUE(parse_bind_init_data_answer(json::serialize(answer), call));
  answer.set("result", json::Object{});
  EXPECT_EQ(parse_attest_answer(json::serialize(answer), call).error().code, ExternalError::bad_answer);
  answer.erase("result");
  answer.set("error", json::Object{{"code", "busy"}});
  EXPECT_EQ(parse_attest_answer(json::serialize(answer), call).error().code, EvidenceError::device_failed);
  answer.set("error", json::Object{{"code", "not_supported"}});
  EXPECT_EQ(parse_bind_init_data_answer(json::serialize(answer), call).error().code, EvidenceError::not_supported);
}

}  // namespace
}  // namespace coffer::evidence::external
