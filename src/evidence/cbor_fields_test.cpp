#include "evidence/cbor_fields.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "evidence/tee.h"

namespace coffer::evidence {
namespace {

namespace cbor = codec::cbor;
using testing::HasSubstr;

const cbor::Value map{cbor::Map{{1, Bytes(4)}, {2, "text"}, {3, 7}, {4, cbor::Value{}}, {"name", Bytes(32)}}};

CborFields fields() {
  return *CborFields::open(map, EvidenceError::malformed, "the token");
}

template <typename T>
std::string message(const Result<T>& result) {
  EXPECT_FALSE(result);
  if (result) return "accepted";
  EXPECT_EQ(result.error().code, EvidenceError::malformed);
  return result.error().message;
}

TEST(CborFields, members_are_read_by_integer_or_text) {
  EXPECT_EQ(*fields().bytes(fields().find(1), "one", {1, 4}), Bytes(4));
  EXPECT_EQ(*fields().text(fields().find(2), "two", {4, 4}), "text");
  EXPECT_EQ(*fields().number(fields().find(3), "three", 7), 7U);
  EXPECT_EQ(*fields().hash(fields().find("name"), "name"), Bytes(32));
  EXPECT_EQ(fields().find(4), nullptr) << "null is as absent";
  EXPECT_EQ(fields().find(5), nullptr);
}

TEST(CborFields, absent_members_are_nothing_where_they_are_optional) {
  EXPECT_EQ(*fields().optional_bytes(nullptr, "five", {1, 4}), std::nullopt);
  EXPECT_EQ(*fields().optional_text(nullptr, "five", {1, 4}), std::nullopt);
  EXPECT_EQ(*fields().optional_bytes(fields().find(1), "one", {1, 4}), Bytes(4));
  EXPECT_THAT(message(fields().bytes(nullptr, "five", {1, 4})),
              HasSubstr("the token: five is expected to be 1 to 4 bytes, found nothing"));
}

TEST(CborFields, other_sizes_and_types_are_named) {
  EXPECT_THAT(message(fields().bytes(fields().find(1), "one", {5, 5})), HasSubstr("5 bytes, found 4 bytes"));
  EXPECT_THAT(message(fields().bytes(fields().find(2), "two", {1, 5})), HasSubstr("found text"));
  EXPECT_THAT(message(fields().text(fields().find(2), "two", {0, 3})), HasSubstr("found 4 bytes"));
  EXPECT_THAT(message(fields().text(fields().find(1), "one", {0, 9})), HasSubstr("found bytes"));
  EXPECT_THAT(message(fields().number(fields().find(3), "three", 6)), HasSubstr("from 0 to 6, found 7"));
  EXPECT_THAT(message(fields().number(fields().find(2), "two", 6)), HasSubstr("found text"));
  EXPECT_THAT(message(fields().hash(fields().find(1), "one")), HasSubstr("32, 48 or 64 bytes, found 4"));
  EXPECT_THAT(message(fields().hash(nullptr, "one")), HasSubstr("found nothing"));
}

TEST(CborFields, only_a_map_has_members) {
  for (const auto& [value, name] : {std::pair<cbor::Value, std::string>{cbor::Array{}, "an array"},
                                    {Bytes(1), "bytes"},
                                    {1, "an integer"},
                                    {cbor::Value{}, "null"},
                                    {true, "a simple value"},
                                    {cbor::Value::tagged(9, 1), "a tag"}}) {
    EXPECT_THAT(message(CborFields::open(value, EvidenceError::malformed, "the token")), HasSubstr("found " + name));
  }
}

}  // namespace
}  // namespace coffer::evidence
