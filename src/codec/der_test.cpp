#include "codec/der.h"

#include <gtest/gtest.h>

#include "codec/base64.h"

namespace coffer::codec::der {
namespace {

Bytes hex(std::string_view text) {
  return hex_decode(text).value();
}

void expect_malformed(std::string_view text) {
  const auto data = hex(text);
  const auto element = Reader(data).next();
  ASSERT_FALSE(element) << text;
  EXPECT_EQ(element.error().code, DerError::malformed) << text;
}

TEST(der, nested_elements_are_read_in_order) {
  const auto data = hex("300a02010504030102030600");
  Reader outer(data);
  const auto sequence = outer.expect(0x30, "sequence").value();
  EXPECT_EQ(sequence.whole.size(), 12U);
  EXPECT_EQ(sequence.content.size(), 10U);
  EXPECT_TRUE(outer.at_end());
  EXPECT_TRUE(outer.expect_end("sequence"));
  Reader inner(sequence.content);
  EXPECT_EQ(unsigned_integer(inner.expect(0x02, "number").value().content).value(), 5U);
  EXPECT_EQ(inner.expect(0x04, "bytes").value().content.size(), 3U);
  EXPECT_EQ(inner.next().value().tag, 0x06);
  EXPECT_TRUE(inner.at_end());
}

TEST(der, long_lengths_are_read) {
  Bytes data = hex("048180");
  data.resize(3 + 0x80);
  EXPECT_EQ(Reader(data).next().value().content.size(), 0x80U);
  data = hex("04820100");
  data.resize(4 + 0x100);
  const auto element = Reader(data).next().value();
  EXPECT_EQ(element.content.size(), 0x100U);
  EXPECT_EQ(element.whole.size(), 0x104U);
}

TEST(der, another_tag_than_expected_is_named) {
  const auto data = hex("020105");
  Reader reader(data);
  const auto element = reader.expect(0x30, "the report");
  ASSERT_FALSE(element);
  EXPECT_EQ(element.error().code, DerError::wrong_tag);
  EXPECT_EQ(element.error().message, "the report must have the tag 0x30, and has 0x02");
}

TEST(der, truncated_elements_are_refused) {
  for (const auto* text : {"", "30", "3005", "300201", "3081", "308201", "0401"}) expect_malformed(text);
}

TEST(der, lengths_that_are_not_minimal_are_refused) {
  expect_malformed("04810100");
  expect_malformed("048200010000");
  expect_malformed("04817f");
}

TEST(der, indefinite_and_huge_lengths_are_refused) {
  expect_malformed("30800000");
  expect_malformed("3085010000000000");
  expect_malformed("3084ffffffff00");
  expect_malformed("30ff");
}

TEST(der, tags_of_several_octets_are_refused) {
  expect_malformed("1f8101ff");
}

TEST(der, bytes_after_the_end_are_found) {
  const auto data = hex("02010500");
  Reader reader(data);
  ASSERT_TRUE(reader.next());
  EXPECT_FALSE(reader.expect_end("number"));
}

TEST(der, oids_become_dotted_text) {
  EXPECT_EQ(oid_text(hex("2a8648ce3d030107")).value(), "1.2.840.10045.3.1.7");
  EXPECT_EQ(oid_text(hex("2a864886f84d010d01")).value(), "1.2.840.113741.1.13.1");
  EXPECT_EQ(oid_text(hex("883703")).value(), "2.999.3");
  EXPECT_EQ(oid_text(hex("00")).value(), "0.0");
  EXPECT_EQ(oid_text(hex("27")).value(), "0.39");
  EXPECT_EQ(oid_text(hex("2a81ffffffffffffffff7f")).value(), "1.2.18446744073709551615");
}

TEST(der, malformed_oids_are_refused) {
  for (const auto* text : {"", "2a86", "2a8001", "80", "2a8280808080808080808000", "2a83ffffffffffffffff7f"}) {
    EXPECT_FALSE(oid_text(hex(text))) << text;
  }
  EXPECT_FALSE(oid_text(Bytes(65, std::byte{1})));
}

TEST(der, unsigned_integers_are_read_up_to_64_bits) {
  EXPECT_EQ(unsigned_integer(hex("00")).value(), 0U);
  EXPECT_EQ(unsigned_integer(hex("7f")).value(), 127U);
  EXPECT_EQ(unsigned_integer(hex("0080")).value(), 128U);
  EXPECT_EQ(unsigned_integer(hex("00ffffffffffffffff")).value(), 0xffffffffffffffffU);
}

TEST(der, other_integers_are_refused) {
  for (const auto* text : {"", "80", "ff", "0001", "0000", "010000000000000000", "00ffffffffffffffffff"}) {
    EXPECT_FALSE(unsigned_integer(hex(text))) << text;
  }
}

}  // namespace
}  // namespace coffer::codec::der
