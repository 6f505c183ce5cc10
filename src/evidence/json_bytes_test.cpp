#include "evidence/json_bytes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace coffer::evidence {
namespace {

namespace json = codec::json;
using testing::HasSubstr;

std::string message(const Result<Bytes>& result) {
  EXPECT_FALSE(result);
  if (result) return "accepted";
  EXPECT_EQ(result.error().code, EvidenceError::malformed);
  return result.error().message;
}

TEST(JsonBytes, integers_are_bytes_and_back) {
  const Bytes bytes{std::byte{0}, std::byte{255}};
  const json::Value array{integers_of(bytes)};
  EXPECT_EQ(json::serialize(array), "[0,255]");
  EXPECT_EQ(*bytes_of_integers(&array, "it", 2), bytes);
  EXPECT_EQ(*bytes_of_integers(&array, "it", std::nullopt, 2), bytes);
}

TEST(JsonBytes, what_is_no_array_of_bytes_of_that_size_is_malformed) {
  const json::Value array{integers_of(Bytes(3))};
  const json::Value text{"AAAA"};
  EXPECT_THAT(message(bytes_of_integers(nullptr, "it", 2)), HasSubstr("found nothing"));
  EXPECT_THAT(message(bytes_of_integers(&text, "it", 2)), HasSubstr("found string"));
  EXPECT_THAT(message(bytes_of_integers(&array, "it", 2)), HasSubstr("it is expected to be 2 bytes, found 3"));
  EXPECT_THAT(message(bytes_of_integers(&array, "it", std::nullopt, 2)), HasSubstr("at most 2 bytes, found 3"));
  for (const json::Value& odd : {json::Value{256}, json::Value{-1}, json::Value{1.5}, json::Value{"1"}}) {
    const json::Value value{json::Array{odd}};
    EXPECT_THAT(message(bytes_of_integers(&value, "it", 1)), HasSubstr("integers from 0 to 255"));
  }
}

TEST(JsonBytes, base64_members_are_read_in_either_alphabet) {
  const json::Object object{{"one", "-_8="}, {"two", "*"}, {"three", 3}};
  EXPECT_EQ(base64_member(object, "one", "it")->size(), 2U);
  EXPECT_THAT(message(base64_member(object, "two", "it")), HasSubstr("it.two"));
  EXPECT_THAT(message(base64_member(object, "three", "it")), HasSubstr("it.three"));
  EXPECT_THAT(message(base64_member(object, "four", "it")), HasSubstr("it.four"));
}

}  // namespace
}  // namespace coffer::evidence
