#include "evidence/measure/pe.h"

#include <gtest/gtest.h>

#include "evidence/measure/pe_testing.h"

namespace coffer::evidence::measure {
namespace {

using crypto::HashAlgorithm;

Bytes digest(const Bytes& image) {
  const auto result = authenticode_digest(HashAlgorithm::sha256, image);
  EXPECT_TRUE(result) << to_string(result.error());
  return result.value_or(Bytes{});
}

void expect_refused(const Bytes& image, std::string_view text) {
  const auto result = authenticode_digest(HashAlgorithm::sha256, image);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode{MeasureError::bad_pe});
  EXPECT_NE(result.error().message.find(text), std::string::npos) << result.error().message;
}

TEST(Authenticode, checksum_certificate_entry_and_certificates_are_left_out) {
  for (const std::uint16_t magic : {std::uint16_t{0x10b}, std::uint16_t{0x20b}}) {
    const PeBuilder builder{.magic = magic};
    const auto image = builder.build();
    const ByteView all{image};
    const auto left =
        concat({all.first(builder.checksum()),
                all.subspan(builder.checksum() + 4, builder.certificate_entry() - builder.checksum() - 4),
                all.subspan(builder.certificate_entry() + 8, all.size() - 32 - builder.certificate_entry() - 8)});
    EXPECT_EQ(digest(image), crypto::sha256(left));
  }
}

TEST(Authenticode, each_measured_byte_counts_and_no_other) {
  const PeBuilder builder;
  const auto image = builder.build();
  const auto whole = digest(image);
  const auto changed = [&](std::size_t offset) {
    auto copy = image;
    copy[offset] ^= std::byte{1};
    return digest(copy);
  };
  EXPECT_NE(changed(0x40), whole);
  EXPECT_NE(changed(600), whole);
  EXPECT_NE(changed(800), whole);
  EXPECT_EQ(changed(builder.checksum()), whole);
  EXPECT_EQ(changed(image.size() - 1), whole);
}

TEST(Authenticode, an_image_without_a_certificate_entry_is_measured_whole_but_for_the_checksum) {
  const PeBuilder builder{.directories = 4};
  const auto image = builder.build();
  const ByteView all{image};
  EXPECT_EQ(digest(image),
            crypto::sha256(concat({all.first(builder.checksum()), all.subspan(builder.checksum() + 4)})));
}

TEST(Authenticode, what_is_no_image_is_refused) {
  expect_refused({}, "MS-DOS");
  expect_refused(to_bytes("#!/bin/sh"), "MS-DOS");
  auto image = PeBuilder{}.build();
  image[0x81] = std::byte{'X'};
  expect_refused(image, "PE signature");
  expect_refused(PeBuilder{.magic = 0x107}.build(), "unknown form");
}

TEST(Authenticode, headers_that_contradict_the_size_are_refused) {
  expect_refused(PeBuilder{.headers = 4096}.build(), "SizeOfHeaders");
  expect_refused(PeBuilder{.headers = 16}.build(), "SizeOfHeaders");
  expect_refused(PeBuilder{.section_size = 0xffffffff}.build(), "section ends");
  expect_refused(PeBuilder{.certificates = 1 << 20}.build(), "certificate table");
  expect_refused(PeBuilder{.sections = 97}.build(), "at most 96");
}

TEST(Authenticode, a_cut_image_is_refused_at_every_length_of_its_headers) {
  const auto image = PeBuilder{}.build();
  for (std::size_t size = 0; size < 512; ++size) {
    EXPECT_FALSE(authenticode_digest(HashAlgorithm::sha256, ByteView{image}.first(size))) << size;
  }
}

}  // namespace
}  // namespace coffer::evidence::measure
