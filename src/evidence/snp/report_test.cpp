#include "evidence/snp/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "evidence/mutation_testing.h"
#include "evidence/snp/snp_testing.h"

namespace coffer::evidence::snp {
namespace {

namespace json = codec::json;
using testing::HasSubstr;

struct Layout {
  std::uint32_t version;
  Product product;
};

class Layouts : public testing::TestWithParam<Layout> {
 protected:
  Report report() const { return valid({}, GetParam().version, platform(GetParam().product)).report; }
};

TEST_P(Layouts, bytes_and_json_hold_the_same) {
  const auto original = report();
  const auto raw = original.encode();
  ASSERT_EQ(raw.size(), report_size);
  const auto from_bytes = Report::parse(raw);
  ASSERT_TRUE(from_bytes) << to_string(from_bytes.error());
  EXPECT_EQ(*from_bytes, original);
  const auto from_json = Report::from_json(json::parse(json::serialize(original.to_json())).value());
  ASSERT_TRUE(from_json) << to_string(from_json.error());
  EXPECT_EQ(*from_json, original);
  EXPECT_EQ(from_json->encode(), raw);
  EXPECT_EQ(original.turin_layout(), GetParam().product == Product::turin);
}

TEST_P(Layouts, each_byte_is_read_and_written_or_must_be_zero) {
  const auto raw = report().encode();
  for (std::size_t offset = 4; offset < raw.size(); ++offset) {
    auto changed = raw;
    changed[offset] ^= std::byte{0x01};
    const auto parsed = Report::parse(changed);
    if (parsed) {
      EXPECT_EQ(parsed->encode(), changed) << offset;
    } else {
      EXPECT_EQ(parsed.error().code, SnpError::reserved_not_zero) << offset;
    }
  }
}

TEST_P(Layouts, other_lengths_are_refused) {
  expect_every_other_length_refused(report().encode(), [](ByteView raw) { return Report::parse(raw).has_value(); });
}

TEST_P(Layouts, the_description_names_every_field) {
  const auto shown = describe(report());
  for (const auto& [name, value] : report().to_json()) EXPECT_TRUE(shown.contains(name)) << name;
  EXPECT_EQ(*shown.find("signing_key"), json::Value{"VCEK"});
  EXPECT_EQ(*shown.find("measurement"), json::Value{std::string(96, '1')});
}

INSTANTIATE_TEST_SUITE_P(Report, Layouts,
                         testing::Values(Layout{2, Product::milan}, Layout{2, Product::turin},
                                         Layout{3, Product::milan}, Layout{3, Product::genoa},
                                         Layout{3, Product::turin}, Layout{4, Product::genoa},
                                         Layout{5, Product::milan}, Layout{5, Product::turin}));

TEST(Report, versions_outside_two_to_five_are_refused) {
  auto raw = valid().report.encode();
  for (const unsigned char version : {0, 1, 6, 255}) {
    raw[0] = std::byte{version};
    EXPECT_EQ(Report::parse(raw).error().code, SnpError::unsupported_version) << int{version};
    auto value = valid().report.to_json();
    value.set("version", int{version});
    EXPECT_EQ(Report::from_json(value).error().code, SnpError::unsupported_version) << int{version};
  }
}

TEST(Report, another_size_is_a_bad_report) {
  EXPECT_EQ(Report::parse(Bytes(1183)).error().code, SnpError::bad_report);
}

void expect_bad_json(std::uint32_t version, std::string_view member, const json::Value& value, ErrorCode code,
                     const SimulatedPlatform& on = platform()) {
  auto object = valid({}, version, on).report.to_json();
  ASSERT_TRUE(Report::from_json(object));
  object.set(member, value);
  const auto read = Report::from_json(object);
  ASSERT_FALSE(read) << member;
  EXPECT_EQ(read.error().code, code) << member;
}

TEST(Report, json_with_fields_that_its_version_lacks_is_refused) {
  for (const auto* member : {"cpuid_fam_id", "cpuid_mod_id", "cpuid_step"}) {
    expect_bad_json(2, member, 25, SnpError::bad_report);
    expect_bad_json(3, member, nullptr, SnpError::bad_report);
  }
  for (const auto* member : {"launch_mit_vector", "current_mit_vector"}) {
    expect_bad_json(4, member, 0, SnpError::bad_report);
    expect_bad_json(5, member, nullptr, SnpError::bad_report);
  }
}

TEST(Report, tcb_versions_have_the_layout_of_the_processor) {
  const json::Object turin{{"fmc", 1}, {"bootloader", 4}, {"tee", 0}, {"snp", 24}, {"microcode", 219}};
  auto older = turin;
  older.set("fmc", nullptr);
  for (const auto* member : {"current_tcb", "reported_tcb", "committed_tcb", "launch_tcb"}) {
    expect_bad_json(3, member, turin, SnpError::bad_report);
    expect_bad_json(3, member, older, SnpError::bad_report, platform(Product::turin));
  }
  expect_bad_json(2, "launch_tcb", turin, SnpError::bad_report);
}

TEST(Report, json_of_another_shape_is_malformed) {
  EXPECT_EQ(Report::from_json("text").error().code, EvidenceError::malformed);
  for (const auto& [name, value] : valid().report.to_json()) {
    if (value.is_null()) continue;
    expect_bad_json(3, name, "text", EvidenceError::malformed);
  }
  expect_bad_json(3, "version", -1, EvidenceError::malformed);
  expect_bad_json(3, "vmpl", 0x1'0000'0000, EvidenceError::malformed);
  expect_bad_json(3, "cpuid_step", 256, EvidenceError::malformed);
  expect_bad_json(3, "policy", 1.5, EvidenceError::malformed);
  expect_bad_json(3, "measurement", json::Array(47, json::Value{1}), EvidenceError::malformed);
  expect_bad_json(3, "measurement", json::Array(48, json::Value{256}), EvidenceError::malformed);
  expect_bad_json(3, "signature", json::Object{{"r", json::Array{}}}, EvidenceError::malformed);
}

TEST(Report, absent_optional_members_are_as_null_and_unknown_ones_are_passed_over) {
  auto object = valid().report.to_json();
  for (const auto* name : {"launch_mit_vector", "current_mit_vector"}) object.erase(name);
  object.set("later_field", 1);
  const auto read = Report::from_json(object);
  ASSERT_TRUE(read) << to_string(read.error());
  EXPECT_FALSE(read->launch_mit_vector);
}

TEST(Product, is_found_by_cpuid) {
  EXPECT_EQ(product_of_cpuid(0x19, 0x01), Product::milan);
  EXPECT_EQ(product_of_cpuid(0x19, 0x11), Product::genoa);
  EXPECT_EQ(product_of_cpuid(0x19, 0xa0), Product::genoa);
  EXPECT_EQ(product_of_cpuid(0x19, 0xaf), Product::genoa);
  EXPECT_EQ(product_of_cpuid(0x1a, 0x02), Product::turin);
  EXPECT_EQ(product_of_cpuid(0x1a, 0x11), Product::turin);
  EXPECT_EQ(product_of_cpuid(0x19, 0x20), std::nullopt);
  EXPECT_EQ(product_of_cpuid(0x1a, 0x50), std::nullopt);
  EXPECT_EQ(product_of_cpuid(0x17, 0x31), std::nullopt);
  EXPECT_EQ(product_of_text("Milan-B0"), Product::milan);
  EXPECT_EQ(product_of_text("Genoa"), Product::genoa);
  EXPECT_EQ(product_of_text("Milano"), std::nullopt);
  EXPECT_EQ(product_of_text(""), std::nullopt);
}

}  // namespace
}  // namespace coffer::evidence::snp
