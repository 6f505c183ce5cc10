#include "evidence/csv/csv.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/byte_reader.h"
#include "codec/base64.h"
#include "evidence/json_bytes.h"

namespace coffer::evidence::csv {
namespace {

namespace json = codec::json;
using testing::HasSubstr;

const std::string extension{"ATTESTATION_EXT\0", 16};

// A report whose measure is 0x22..., masked with `mask` in the older form.
Bytes page(bool extended, std::uint32_t mask) {
  ByteWriter writer;
  const auto masked = [&](std::size_t size, std::uint8_t value) {
    for (std::size_t i = 0; i < size; ++i) {
      writer.u8(static_cast<std::uint8_t>(value ^ static_cast<std::uint8_t>(mask >> (8 * (i % 4)))));
    }
  };
  masked(32, 0x11);
  masked(16, 0x12);
  masked(16, 0x13);
  masked(64, 0x14);
  masked(16, 0x15);
  masked(32, 0x22);
  writer.u32_le(0x02010005U ^ mask).u32_le(0x1000U ^ mask).u32_le(4U ^ mask);
  if (extended) {
    writer.u32_le(1234).u16_le(1).zeros(14);
    for (std::uint8_t i = 0; i < 5; ++i) writer.bytes(Bytes(32, std::byte{i}));
    writer.zeros(656);
  } else {
    writer.u32_le(mask);
  }
  writer.bytes(Bytes(144, std::byte{0x77}));
  writer.zeros(report_page - writer.view().size());
  return writer.take();
}

json::Object evidence(bool extended = false) {
  return {{"attestation_report", json::Object{{"data", integers_of(page(extended, extended ? 0 : 0x5d4c3b2a))},
                                              {"flags", extended ? 1 : 0},
                                              {"magic", integers_of(extended ? to_bytes(extension) : Bytes(16))}}},
          {"cert_chain", json::Object{{"pek", json::Object{}}}},
          {"serial_number", integers_of(to_bytes(std::string_view{"HGN1\0\0", 6}))},
          {"cc_eventlog", nullptr}};
}

ErrorCode refusal(const json::Value& value) {
  return (*make_verifier(TeeKind::csv, {}))->verify(value, {}, from_unix_seconds(0)).error().code;
}

TEST(Csv, evidence_is_read_but_never_accepted) {
  const auto claims = (*make_verifier(TeeKind::csv, {}))->verify(evidence(), {}, from_unix_seconds(0));
  ASSERT_FALSE(claims);
  EXPECT_EQ(claims.error().code, EvidenceError::not_supported);
  EXPECT_THAT(claims.error().message, HasSubstr("SM2"));
}

TEST(Csv, the_masked_report_is_shown_in_clear) {
  const auto shown = (*make_verifier(TeeKind::csv, {}))->inspect(evidence());
  ASSERT_TRUE(shown) << to_string(shown.error());
  EXPECT_EQ(*shown->find("version")->if_string(), "1");
  EXPECT_EQ(*shown->find("measure")->if_string(), codec::hex_encode(Bytes(32, std::byte{0x22})));
  EXPECT_EQ(shown->find("policy")->find("nodbg")->if_int64(), 1);
  EXPECT_EQ(shown->find("policy")->find("es")->if_int64(), 1);
  EXPECT_EQ(shown->find("policy")->find("api_minor")->if_int64(), 2);
  EXPECT_EQ(*shown->find("serial_number")->if_string(), "HGN1");
  EXPECT_FALSE(*shown->find("has_hsk_cek")->if_bool());
}

TEST(Csv, the_extended_report_has_registers) {
  auto value = evidence(true);
  value.set("cc_eventlog", "AAAA");
  const auto shown = (*make_verifier(TeeKind::csv, {}))->inspect(value);
  ASSERT_TRUE(shown) << to_string(shown.error());
  EXPECT_EQ(*shown->find("version")->if_string(), "2");
  EXPECT_EQ(*shown->find("rtmr4")->if_string(), codec::hex_encode(Bytes(32, std::byte{4})));
  EXPECT_EQ(shown->find("build")->if_int64(), 1234);
  EXPECT_EQ(shown->find("event_log_bytes")->if_int64(), 3);
}

TEST(Csv, what_is_no_evidence_is_malformed) {
  EXPECT_EQ(refusal(1), EvidenceError::malformed);
  for (const auto name : {"attestation_report", "cert_chain", "serial_number"}) {
    auto value = evidence();
    value.erase(name);
    EXPECT_EQ(refusal(value), EvidenceError::malformed) << name;
  }
  for (const auto name : {"data", "flags", "magic"}) {
    auto value = evidence();
    value.find("attestation_report")->if_object()->set(name, "x");
    EXPECT_EQ(refusal(value), EvidenceError::malformed) << name;
  }
  auto value = evidence();
  value.find("attestation_report")->if_object()->set("magic", integers_of(Bytes(16, std::byte{1})));
  EXPECT_EQ(refusal(value), EvidenceError::malformed);
  value = evidence();
  value.find("attestation_report")->if_object()->set("data", integers_of(Bytes(4095)));
  EXPECT_EQ(refusal(value), EvidenceError::malformed);
  value = evidence();
  value.set("cert_chain", json::Object{});
  EXPECT_EQ(refusal(value), EvidenceError::malformed);
  value = evidence();
  value.set("serial_number", integers_of(Bytes(65)));
  EXPECT_EQ(refusal(value), EvidenceError::malformed);
  value = evidence();
  value.set("cc_eventlog", "*");
  EXPECT_EQ(refusal(value), EvidenceError::malformed);
  EXPECT_EQ(parse_report(Bytes(10), Bytes(16), 0).error().code, EvidenceError::malformed);
  EXPECT_EQ(parse_report(page(true, 0), to_bytes(extension), 2).error().code, EvidenceError::malformed);
}

}  // namespace
}  // namespace coffer::evidence::csv
