#include "evidence/nvidia/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/byte_reader.h"
#include "codec/base64.h"

namespace coffer::evidence::nvidia {
namespace {

namespace json = codec::json;
using testing::HasSubstr;

OpaqueData::Item item(unsigned type, std::string_view hex) {
  return {static_cast<std::uint16_t>(type), *codec::hex_decode(hex)};
}

std::vector<OpaqueData::Item> valid_items() {
  return {item(3, "3535302e39302e303700"), item(6, "009f009601000000"), item(20, std::string(96, 'f'))};
}

Report valid() {
  Report out{.nonce = Bytes(nonce_size, std::byte{7}),
             .measurements = {{1, 1, Bytes(48)}, {2, 1, Bytes(48, std::byte{2})}},
             .responder_nonce = Bytes(nonce_size, std::byte{8})};
  out.opaque_data = OpaqueData::of(valid_items());
  return out;
}

Bytes bytes_of(const Report& report) {
  return concat({encode_unsigned(report), Bytes(signature_size, std::byte{0x55})});
}

void expect_refused(const Bytes& bytes, NvidiaError code, std::string_view text) {
  const auto report = parse_report(bytes);
  ASSERT_FALSE(report) << text;
  EXPECT_EQ(report.error().code, code);
  EXPECT_THAT(report.error().message, HasSubstr(text));
}

TEST(GpuReport, is_read_as_it_was_written) {
  const auto bytes = bytes_of(valid());
  const auto report = parse_report(bytes);
  ASSERT_TRUE(report) << to_string(report.error());
  EXPECT_EQ(report->nonce, valid().nonce);
  EXPECT_EQ(report->measurements[1].value, valid().measurements[1].value);
  EXPECT_EQ(report->signed_size, bytes.size() - signature_size);
  EXPECT_EQ(report->signature, Bytes(signature_size, std::byte{0x55}));
  EXPECT_EQ(concat({encode_unsigned(*report), report->signature}), bytes);
}

TEST(GpuReport, zeros_behind_it_are_passed_over_and_nothing_else) {
  auto bytes = bytes_of(valid());
  bytes.resize(bytes.size() + 100);
  EXPECT_TRUE(parse_report(bytes));
  bytes.back() = std::byte{1};
  expect_refused(bytes, NvidiaError::bad_report, "nothing but zeros is expected behind the signature");
  bytes.assign(max_report + 1, std::byte{0});
  expect_refused(bytes, NvidiaError::bad_report, "at most 16384 bytes");
}

TEST(GpuReport, every_prefix_is_refused) {
  const auto bytes = bytes_of(valid());
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const auto report = parse_report(ByteView{bytes}.first(size));
    ASSERT_FALSE(report) << size;
    EXPECT_EQ(report.error().code, NvidiaError::bad_report);
  }
}

TEST(GpuReport, each_fixed_byte_is_held) {
  struct Case {
    std::size_t offset;
    const char* text;
  };
  for (const auto& [offset, text] : {Case{0, "the request's SPDM version"},
                                     {1, "the request's code"},
                                     {2, "a signature"},
                                     {3, "all measurements"},
                                     {37, "the response's SPDM version"},
                                     {38, "the response's code"},
                                     {46, "a measurement's specification"}}) {
    auto bytes = bytes_of(valid());
    bytes[offset] ^= std::byte{0x40};
    expect_refused(bytes, NvidiaError::bad_report, text);
  }
}

TEST(GpuReport, lengths_that_disagree_are_refused) {
  auto bytes = bytes_of(valid());
  bytes[41] = std::byte{1};  // one measurement in a record of two
  expect_refused(bytes, NvidiaError::bad_report, "the measurement record");
  bytes = bytes_of(valid());
  bytes[41] = std::byte{3};
  expect_refused(bytes, NvidiaError::bad_report, "a measurement's index");
  bytes = bytes_of(valid());
  bytes[44] = std::byte{0xff};  // 16 MiB of measurements
  expect_refused(bytes, NvidiaError::bad_report, "the measurement record");
  bytes = bytes_of(valid());
  bytes[50] = std::byte{47};
  expect_refused(bytes, NvidiaError::bad_report, "a value of three bytes less, found 47");
  auto empty = valid();
  empty.measurements[0].value.clear();
  expect_refused(bytes_of(empty), NvidiaError::bad_report, "measurement 1");
}

TEST(GpuReport, one_index_is_measured_once) {
  auto report = valid();
  report.measurements[1].index = 1;
  expect_refused(bytes_of(report), NvidiaError::bad_report, "measurement 1 is there twice");
}

void expect_items_refused(std::vector<OpaqueData::Item> items, std::string_view text) {
  auto report = valid();
  report.opaque_data = OpaqueData::of(std::move(items));
  expect_refused(bytes_of(report), NvidiaError::bad_opaque_data, text);
}

TEST(OpaqueData, each_field_is_there_once_and_in_its_form) {
  for (std::size_t missing = 0; missing < 3; ++missing) {
    auto items = valid_items();
    items.erase(items.begin() + static_cast<std::ptrdiff_t>(missing));
    expect_items_refused(items, "is missing");
  }
  auto twice = valid_items();
  twice.push_back(item(3, "31"));
  expect_items_refused(twice, "driver_version is there twice");
  auto short_digest = valid_items();
  short_digest[2].value.pop_back();
  expect_items_refused(short_digest, "fwid has 47 bytes");
  auto short_version = valid_items();
  short_version[1].value.resize(1);
  expect_items_refused(short_version, "vbios_version has 1 bytes");
  for (const auto& bad : {item(12, "010203"), item(22, "01020304"), item(34, "010203040506070809"),
                          item(36, "010203040506070809"), item(15, std::string(130, '3'))}) {
    auto items = valid_items();
    items.push_back(bad);
    expect_items_refused(items, "do not fit it");
  }
}

TEST(OpaqueData, is_cut_at_no_place) {
  const auto bytes = OpaqueData::of(valid_items()).encode();
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const auto data = OpaqueData::parse(ByteView{bytes}.first(size));
    ASSERT_FALSE(data) << size;
    EXPECT_EQ(data.error().code, NvidiaError::bad_opaque_data);
  }
}

TEST(OpaqueData, is_named_as_upstream_names_it) {
  auto items = valid_items();
  for (const auto& more : {item(11, "aa"), item(12, "0100000082000000"), item(15, "383832000000"),
                           item(22, "01020304050607080000000000000000"), item(34, "0100"), item(36, "0200"),
                           item(35, "474232303200"), item(300, "0102")}) {
    items.push_back(more);
  }
  const json::Value shown{OpaqueData::of(items).to_json()};
  EXPECT_EQ(*shown.find("driver_version")->if_string(), "550.90.07");
  EXPECT_EQ(*shown.find("vbios_version")->if_string(), "96.00.9f.00.01");
  EXPECT_EQ(*shown.find("fwid")->if_string(), std::string(96, 'f'));
  EXPECT_EQ(*shown.find("nvdec0_status")->if_string(), "aa") << "what is no text stays hex";
  EXPECT_EQ(shown.at_pointer("/measurement_count/2")->if_uint64(), 130U);
  EXPECT_EQ(*shown.find("chip_sku")->if_string(), "882");
  EXPECT_EQ(*shown.at_pointer("/switch_pdi/0")->if_string(), "0102030405060708");
  EXPECT_EQ(shown.find("opaque_data_version")->if_uint64(), 1U);
  EXPECT_EQ(*shown.find("feature_flag")->if_string(), "PPCIE");
  EXPECT_EQ(*shown.find("chip_info")->if_string(), "GB202");
  EXPECT_EQ(*shown.find("type_300")->if_string(), "0102");
}

}  // namespace
}  // namespace coffer::evidence::nvidia
