#include "evidence/measure/ovmf.h"

#include <gtest/gtest.h>

#include "codec/base64.h"
#include "evidence/measure/ovmf_testing.h"

namespace coffer::evidence::measure {
namespace {

template <class T>
void expect_refused(const Result<T>& result, std::string_view text) {
  ASSERT_FALSE(result);
  if (result.error().code == ErrorCode{ReadError::truncated}) return;
  EXPECT_EQ(result.error().code, ErrorCode{MeasureError::bad_firmware});
  EXPECT_NE(result.error().message.find(text), std::string::npos) << result.error().message;
}

Bytes sev_image(const std::vector<SevRow>& rows) {
  return OvmfBuilder{}
      .entry(hash_table_guid, ByteWriter{}.u32_le(0x810c00).u32_le(0x400).take())
      .entry(reset_block_guid, ByteWriter{}.u32_le(0x80b004).take())
      .descriptor(sev_metadata_guid, sev_metadata(rows))
      .build();
}

TEST(Guid, lies_in_memory_with_its_first_groups_reversed) {
  EXPECT_EQ(codec::hex_encode(guid_of("00112233-4455-6677-8899-aabbccddeeff")), "33221100554477668899aabbccddeeff");
}

TEST(SevFirmware, is_read_with_sections_and_addresses) {
  const auto firmware = read_sev_firmware(sev_image({{0x800000, 0x9000, 1}, {0x810000, 0x1000, 0x10}}));
  ASSERT_TRUE(firmware) << to_string(firmware.error());
  ASSERT_EQ(firmware->sections.size(), 2U);
  EXPECT_EQ(firmware->sections[1].type, SevSection::Type::kernel_hashes);
  EXPECT_EQ(firmware->hash_table_address, 0x810c00U);
  EXPECT_EQ(firmware->reset_eip, 0x80b004U);
}

TEST(SevFirmware, sections_are_whole_pages) {
  expect_refused(read_sev_firmware(sev_image({{0x800001, 0x1000, 1}})), "whole number of pages");
  expect_refused(read_sev_firmware(sev_image({{0x800000, 0x1001, 1}})), "whole number of pages");
  expect_refused(read_sev_firmware(sev_image({{0x800000, 0x80000000, 1}})), "whole number of pages");
}

TEST(SevFirmware, descriptors_that_contradict_the_image_are_refused) {
  expect_refused(read_sev_firmware(Bytes(4096)), "table");
  expect_refused(read_sev_firmware({}), "too small");
  expect_refused(read_sev_firmware(OvmfBuilder{}.build()), "no SEV metadata");
  expect_refused(read_sev_firmware(OvmfBuilder{}.entry(sev_metadata_guid, ByteWriter{}.u32_le(5000).take()).build()),
                 "points before");
  expect_refused(read_sev_firmware(OvmfBuilder{}.descriptor(sev_metadata_guid, to_bytes("XSEV")).build()), "ASEV");
  auto metadata = sev_metadata({});
  metadata[12] = metadata[13] = std::byte{0xff};
  expect_refused(read_sev_firmware(OvmfBuilder{}.descriptor(sev_metadata_guid, metadata).build()), "65535 sections");
}

TEST(OvmfTable, broken_entries_are_refused) {
  const auto twice = OvmfBuilder{}.entry(hash_table_guid, {}).entry(hash_table_guid, {}).build();
  expect_refused(OvmfTable::parse(twice), "twice");
  auto image = OvmfBuilder{}.entry(hash_table_guid, Bytes(4)).build();
  // The entry's length, before the footer's header.
  image[image.size() - 32 - 18 - 18] = std::byte{17};
  expect_refused(OvmfTable::parse(image), "17 bytes long");
  image[image.size() - 32 - 18 - 18] = std::byte{200};
  expect_refused(OvmfTable::parse(image), "200 bytes long");
}

TEST(TdxFirmware, is_read_with_its_sections) {
  const auto image =
      OvmfBuilder{}.descriptor(tdx_metadata_guid, tdx_metadata({{0, 4096, 0xfffff000, 4096, 0, 1}})).build();
  const auto sections = read_tdx_sections(image);
  ASSERT_TRUE(sections) << to_string(sections.error());
  ASSERT_EQ(sections->size(), 1U);
  EXPECT_TRUE(sections->front().measured());
  EXPECT_FALSE(sections->front().added_later());
}

TEST(TdxFirmware, sections_that_contradict_the_image_are_refused) {
  const auto read = [](const TdxRow& row) {
    return read_tdx_sections(OvmfBuilder{}.descriptor(tdx_metadata_guid, tdx_metadata({row})).build());
  };
  expect_refused(read({1, 4096, 0, 4096, 0, 1}), "behind the image");
  expect_refused(read({0, 4096, 1, 4096, 0, 1}), "whole number");
  expect_refused(read({0, 4096, 0, 0, 0, 1}), "smaller than its data");
  expect_refused(read({0, 0, 0, std::uint64_t{1} << 40, 0, 1}), "whole number");
  expect_refused(read_tdx_sections(OvmfBuilder{}.build()), "no TDX metadata");
  expect_refused(read_tdx_sections(OvmfBuilder{}.descriptor(tdx_metadata_guid, tdx_metadata({}, 2)).build()),
                 "version 1");
}

TEST(OvmfTable, each_changed_byte_of_the_last_page_is_read_or_refused) {
  const auto image = sev_image({{0x800000, 0x9000, 1}});
  for (std::size_t i = image.size() - 2100; i < image.size(); ++i) {
    auto copy = image;
    for (const auto value : {0x00, 0xff, 0x7f}) {
      copy[i] = static_cast<std::byte>(value);
      (void)read_sev_firmware(copy);
      (void)read_tdx_sections(copy);
    }
  }
}

}  // namespace
}  // namespace coffer::evidence::measure
