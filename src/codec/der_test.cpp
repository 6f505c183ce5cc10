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

TEST(der, integers_of_any_size_lose_their_sign_octet) {
  EXPECT_EQ(to_bytes(unsigned_bytes(hex("00ffffffffffffffffff")).value()), hex("ffffffffffffffffff"));
  EXPECT_EQ(to_bytes(unsigned_bytes(hex("00")).value()), hex("00"));
  EXPECT_EQ(to_bytes(unsigned_bytes(hex("7f01")).value()), hex("7f01"));
  for (const auto* text : {"", "80", "0001", "0000"}) EXPECT_FALSE(unsigned_bytes(hex(text))) << text;
}

TEST(der, booleans_are_all_bits_or_none) {
  EXPECT_EQ(boolean(hex("00")).value(), false);
  EXPECT_EQ(boolean(hex("ff")).value(), true);
  for (const auto* text : {"", "01", "0000", "ffff"}) EXPECT_FALSE(boolean(hex(text))) << text;
}

TEST(der, bit_strings_of_whole_octets_are_read) {
  EXPECT_EQ(to_bytes(bit_string_octets(hex("00abcd")).value()), hex("abcd"));
  EXPECT_TRUE(bit_string_octets(hex("00")).value().empty());
  for (const auto* text : {"", "01ab", "08"}) EXPECT_FALSE(bit_string_octets(hex(text))) << text;
}

TEST(der, elements_are_written_with_the_shortest_length) {
  EXPECT_EQ(encode_octet_string(hex("abcd")), hex("0402abcd"));
  for (const std::size_t size : {0U, 0x7fU, 0x80U, 0xffU, 0x100U, 0xffffU, 0x10000U}) {
    const auto element = encode(0x04, Bytes(size));
    EXPECT_EQ(Reader(element).next().value().content.size(), size);
    EXPECT_EQ(element.size() - size, size < 0x80 ? 2U : size < 0x100 ? 3U : size < 0x10000 ? 4U : 5U);
  }
  EXPECT_EQ(encode_sequence({hex("0500"), hex("020101")}), hex("30050500020101"));
}

TEST(der, integers_are_written_in_the_fewest_octets) {
  EXPECT_EQ(encode_integer(0), hex("020100"));
  EXPECT_EQ(encode_integer(127), hex("02017f"));
  EXPECT_EQ(encode_integer(128), hex("02020080"));
  EXPECT_EQ(encode_integer(0xffffffffffffffff), hex("020900ffffffffffffffff"));
  EXPECT_EQ(encode_integer(hex("0000010203")), hex("0203010203"));
  EXPECT_EQ(encode_integer(ByteView{}), hex("020100"));
}

TEST(der, oids_are_written_as_they_are_read) {
  for (const auto* text : {"1.2.840.113741.1.13.1", "2.999.3", "0.0", "0.39", "1.2.18446744073709551615"}) {
    const auto element = encode_oid(text).value();
    EXPECT_EQ(oid_text(Reader(element).expect(0x06, "oid").value().content).value(), text);
  }
  for (const auto* text : {"", "1", "3.1", "1.40", "1.2.", ".1.2", "1..2", "1.02", "1.-2", "1.2a",
                           "1.2.18446744073709551616", "2.18446744073709551615"}) {
    EXPECT_FALSE(encode_oid(text)) << text;
  }
}

}  // namespace
}  // namespace coffer::codec::der
