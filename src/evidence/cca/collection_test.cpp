#include "evidence/cca/collection.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "evidence/cca/token.h"

namespace coffer::evidence::cca {
namespace {

namespace cbor = codec::cbor;
using testing::HasSubstr;

const Bytes one(1, std::byte{1});
const Bytes two(2, std::byte{2});

Result<Collection> read(const cbor::Value& value) {
  return parse_collection(cbor::encode(value));
}

void expect_refused(const cbor::Value& value, std::string_view text) {
  const auto found = read(value);
  ASSERT_FALSE(found) << text;
  EXPECT_EQ(found.error().code, CcaError::not_a_token);
  EXPECT_THAT(found.error().message, HasSubstr(text));
}

cbor::Value cmw(cbor::Value platform, cbor::Value realm) {
  return cbor::Value::tagged(907, cbor::Map{{44234, std::move(platform)}, {44241, std::move(realm)}});
}

TEST(CcaCollection, is_read_in_both_wrappings) {
  for (const auto wrapping : {Wrapping::plain, Wrapping::cmw}) {
    const auto found = parse_collection(encode({one, two}, wrapping));
    ASSERT_TRUE(found) << to_string(found.error());
    EXPECT_EQ(found->platform, one);
    EXPECT_EQ(found->realm, two);
  }
}

TEST(CcaCollection, has_its_tag_and_two_tokens) {
  expect_refused(cbor::Map{{44234, one}, {44241, one}}, "found none");
  expect_refused(cbor::Value::tagged(398, cbor::Map{{44234, one}, {44241, one}}), "found 398");
  for (const std::uint64_t tag : {399U, 907U}) {
    expect_refused(cbor::Value::tagged(tag, cbor::Array{}), "a map");
    expect_refused(cbor::Value::tagged(tag, cbor::Map{{44234, one}}), "two tokens, found 1");
    expect_refused(cbor::Value::tagged(tag, cbor::Map{{44234, one}, {44241, one}, {44258, one}}), "found 3");
  }
  expect_refused(cbor::Value::tagged(399, cbor::Map{{44234, one}, {44242, one}}), "the realm token (44241)");
  expect_refused(cbor::Value::tagged(399, cbor::Map{{44234, one}, {44241, "text"}}), "the realm token (44241)");
  expect_refused(cbor::Value::tagged(399, cbor::Map{{44234, Bytes{}}, {44241, one}}), "the platform token (44234)");
  EXPECT_EQ(parse_collection({}).error().code, CcaError::not_a_token);
  EXPECT_EQ(parse_collection(Bytes(max_token + 1)).error().code, CcaError::not_a_token);
  EXPECT_EQ(parse_token(encode({one, one}, Wrapping::plain)).error().code, CcaError::bad_platform_token);
}

TEST(CcaCollection, a_record_names_its_media_type_by_number_or_text) {
  const cbor::Array numbered{263, two};
  EXPECT_TRUE(read(cmw(cbor::Array{263, one}, numbered)));
  EXPECT_TRUE(read(cmw(cbor::Array{"application/eat+cwt", one}, numbered)));
  EXPECT_TRUE(read(
      cmw(cbor::Array{"application/eat+cwt; eat_profile=\"tag:arm.com,2023:cca_platform#1.0.0\"", one}, numbered)));
  EXPECT_TRUE(read(cmw(cbor::Array{263, one, 4}, numbered))) << "with what it holds: evidence";
  for (const cbor::Value& odd :
       {cbor::Value{one}, cbor::Value{cbor::Array{}}, cbor::Value{cbor::Array{263}}, cbor::Value{cbor::Array{264, one}},
        cbor::Value{cbor::Array{"application/eat+cwtx", one}}, cbor::Value{cbor::Array{one, 263}},
        cbor::Value{cbor::Array{263, one, 4, 4}}}) {
    expect_refused(cmw(odd, numbered), "a CMW record");
    expect_refused(cmw(numbered, odd), "a CMW record");
  }
  expect_refused(cmw(cbor::Array{263, "text"}, numbered), "the platform token (44234)");
}

TEST(CcaCollection, may_name_its_own_kind) {
  const cbor::Array record{263, one};
  const cbor::Map named{{44234, record}, {44241, record}, {"__cmwc_t", "tag:arm.com,2025:cca"}};
  EXPECT_TRUE(read(cbor::Value::tagged(907, named)));
  expect_refused(cbor::Value::tagged(399, cbor::Map{{44234, one}, {44241, one}, {"__cmwc_t", "x"}}), "found 3");
}

}  // namespace
}  // namespace coffer::evidence::cca
