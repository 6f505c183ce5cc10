#include "evidence/az_vtpm/hcl_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "codec/base64.h"
#include "testing/vectors.h"

namespace coffer::evidence::az_vtpm {
namespace {

namespace json = codec::json;
using ::testing::HasSubstr;

std::string runtime_data(const std::string& kid = "HCLAkPub", const std::string& user_data = "AABB") {
  static const auto key = crypto::PrivateKey::generate(crypto::KeyKind::rsa)->public_key().rsa_components();
  return json::serialize(json::Object{{"keys", json::Array{json::Object{{"kid", kid},
                                                                        {"kty", "RSA"},
                                                                        {"e", codec::base64url_encode(key->exponent)},
                                                                        {"n", codec::base64url_encode(key->modulus)}}}},
                                      {"user-data", user_data}});
}

Bytes valid() {
  static const auto data = runtime_data();
  const Bytes hardware(hardware_report_size, std::byte{0x77});
  return HclReport{Hardware::snp, hardware, as_bytes(data)}.encode(4000);
}

Bytes with_byte(Bytes bytes, std::size_t at, unsigned value) {
  bytes.at(at) = static_cast<std::byte>(value);
  return bytes;
}

ErrorCode refusal(ByteView bytes) {
  const auto report = HclReport::parse(bytes);
  EXPECT_FALSE(report);
  return report ? ErrorCode{AzVtpmError::bad_vcek} : report.error().code;
}

TEST(HclReport, is_read_as_it_was_written) {
  const auto bytes = valid();
  EXPECT_EQ(bytes.size(), 4000U);
  const auto report = HclReport::parse(bytes);
  ASSERT_TRUE(report) << to_string(report.error());
  EXPECT_EQ(report->hardware, Hardware::snp);
  EXPECT_EQ(report->hardware_report.size(), hardware_report_size);
  EXPECT_EQ(as_text(report->runtime_data), runtime_data());
  EXPECT_EQ(report->encode(4000), bytes);
}

TEST(HclReport, whose_parts_contradict_each_other_is_refused) {
  const auto bytes = valid();
  constexpr std::size_t request = 32 + hardware_report_size;
  for (const std::size_t at : {0U, 5U, 8U, 9U}) {
    EXPECT_EQ(refusal(with_byte(bytes, at, 0xee)), AzVtpmError::bad_hcl_report) << at;
  }
  // Sizes, version, hardware type, hash type, size of the runtime data.
  for (std::size_t at = request; at < request + 20; ++at) {
    EXPECT_EQ(refusal(with_byte(bytes, at, 0xee)), AzVtpmError::bad_hcl_report) << at;
  }
  EXPECT_EQ(refusal(with_byte(bytes, 4, 0)), AzVtpmError::bad_hcl_report);
  EXPECT_EQ(refusal(Bytes(70000)), AzVtpmError::bad_hcl_report);
}

TEST(HclReport, cut_anywhere_before_the_end_of_its_runtime_data_is_refused) {
  const auto bytes = valid();
  const auto end = 32 + hardware_report_size + 20 + runtime_data().size();
  for (std::size_t size = 0; size < end; size += 7) {
    EXPECT_EQ(refusal(ByteView{bytes}.first(size)), AzVtpmError::bad_hcl_report) << size;
  }
  EXPECT_TRUE(HclReport::parse(ByteView{bytes}.first(end)));
}

TEST(RuntimeClaims, hold_key_and_user_data) {
  const auto text = runtime_data();
  const auto claims = RuntimeClaims::parse(as_bytes(text));
  ASSERT_TRUE(claims) << to_string(claims.error());
  EXPECT_EQ(claims->user_data, (Bytes{std::byte{0xaa}, std::byte{0xbb}}));
  EXPECT_EQ(claims->attestation_key.kind(), crypto::KeyKind::rsa);
}

TEST(RuntimeClaims, that_are_incomplete_are_refused) {
  const auto code = [](const std::string& text) {
    const auto claims = RuntimeClaims::parse(as_bytes(text));
    EXPECT_FALSE(claims) << text;
    return claims ? ErrorCode{AzVtpmError::bad_vcek} : claims.error().code;
  };
  EXPECT_EQ(code("no JSON"), AzVtpmError::bad_runtime_data);
  EXPECT_EQ(code("{}"), AzVtpmError::bad_runtime_data);
  EXPECT_EQ(code(R"({"keys":[]})"), AzVtpmError::bad_runtime_data);
  EXPECT_EQ(code(R"({"keys":[1,{"kid":1}]})"), AzVtpmError::bad_runtime_data);
  EXPECT_EQ(code(runtime_data("HCLEkPub")), AzVtpmError::bad_runtime_data);
  EXPECT_EQ(code(runtime_data("HCLAkPub", "no hex")), AzVtpmError::bad_runtime_data);
  EXPECT_EQ(code(R"({"keys":[{"kid":"HCLAkPub"}]})"), AzVtpmError::bad_runtime_data);
  EXPECT_EQ(code(R"({"keys":[{"kid":"HCLAkPub"}],"user-data":""})"), AzVtpmError::bad_runtime_data);
  EXPECT_EQ(code(R"({"keys":[{"kid":"HCLAkPub","e":"AQAB","n":"AQAB"}],"user-data":""})"),
            AzVtpmError::bad_runtime_data);
}

TEST(RuntimeData, must_hash_to_the_first_half_of_the_report_data) {
  auto report_data = crypto::sha256(as_bytes("data"));
  report_data.resize(64);
  EXPECT_TRUE(check_runtime_data(as_bytes("data"), report_data));
  const auto other = check_runtime_data(as_bytes("other"), report_data);
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code, AzVtpmError::runtime_data_mismatch);
  EXPECT_THAT(other.error().message, HasSubstr(codec::hex_encode(crypto::sha256(as_bytes("other")))));
}

TEST(HclVectors, recorded_reports_are_read) {
  COFFER_REQUIRE_VECTORS();
  for (const auto& [folder, hardware] : {std::pair{"az-snp-vtpm", Hardware::snp}, {"az-tdx-vtpm", Hardware::tdx}}) {
    const auto bytes = coffer::testing::read_vector_bytes(std::string{folder} + "/hcl-report.bin");
    const auto report = HclReport::parse(bytes);
    ASSERT_TRUE(report) << to_string(report.error());
    EXPECT_EQ(report->hardware, hardware);
    EXPECT_TRUE(RuntimeClaims::parse(report->runtime_data));
    EXPECT_EQ(report->encode(bytes.size()), bytes);
  }
}

}  // namespace
}  // namespace coffer::evidence::az_vtpm
