// Recorded reports of H100 GPUs. Their certificates hold until the year 9999.
#include "testing/vectors.h"

#include <gtest/gtest.h>

#include "codec/base64.h"
#include "evidence/mutation_testing.h"
#include "evidence/nvidia/evidence.h"
#include "evidence/nvidia/nvidia.h"

namespace coffer::evidence::nvidia {
namespace {

namespace json = codec::json;
using coffer::testing::read_vector;

const TimePoint at = *parse_rfc3339("2025-06-01T00:00:00Z");
constexpr auto uuid = "1111-2222-33333-444444-555555";
const Bytes hopper_nonce = *codec::hex_decode("931d8dd0add203ac3d8b4fbde75e115278eefcdceac5b87671a748f32364dfcb");
// The 48 bytes that were bound; the report has the first 32.
const Bytes coco_report_data = *codec::hex_decode(
    "87d8e24ab336adafe228d49e83d745f6dba4ae505372b6a5704820856b343fece279b616efefc2aae21da80cf5581250");

json::Value evidence_around(const json::Value& report, std::string_view pem) {
  const json::Value device{json::Object{
      {"arch", "HOPPER"}, {"uuid", uuid}, {"evidence", report}, {"certificate", codec::base64_encode(as_bytes(pem))}}};
  return evidence_of(std::span{&device, 1});
}

Result<std::vector<Claims>> verify(const json::Value& evidence, const Binding& binding) {
  return (*make_verifier(TeeKind::nvidia, {}))->verify(evidence, binding, at);
}

TEST(NvidiaVectors, a_recorded_report_holds_with_the_claims_that_upstream_derives) {
  COFFER_REQUIRE_VECTORS();
  const auto claims = verify(evidence_around(read_vector("nvidia/hopperAttestationReport.txt"),
                                             read_vector("nvidia/hopper_cert_chain_case1.txt")),
                             {hopper_nonce, {}});
  ASSERT_TRUE(claims) << to_string(claims.error());
  ASSERT_EQ(claims->size(), 1U);
  auto mine = claims->front().claims;
  EXPECT_EQ(*mine.find("ueid")->if_string(), "478176379286082186618948445787393647364802107249");
  EXPECT_TRUE(mine.erase("ueid"));  // a later version of upstream's has it
  EXPECT_EQ(json::Value{mine}, json::parse(read_vector("nvidia/hopperAttestationReport-claims.txt")).value());
  EXPECT_FALSE(claims->front().simulated_root);
  EXPECT_TRUE(claims->front().device_class.empty()) << "gpu, as the table says";
}

TEST(NvidiaVectors, another_recorded_report_holds_with_the_first_32_bytes_of_its_report_data) {
  COFFER_REQUIRE_VECTORS();
  const auto report = read_vector("nvidia/hopper_coco_report1.txt");
  const auto pem = read_vector("nvidia/hopper_coco_certs1.txt");
  const auto claims = verify(evidence_around(report, pem), {coco_report_data, {}});
  ASSERT_TRUE(claims) << to_string(claims.error());
  const json::Value shown{claims->front().claims};
  EXPECT_EQ(*shown.at_pointer("/config/driver_version")->if_string(), "580.95.05");
  EXPECT_EQ(*shown.at_pointer("/config/feature_flag")->if_string(), "SPT");
  const auto in_base64 = codec::base64_encode(*codec::hex_decode(report));
  EXPECT_TRUE(verify(evidence_around(in_base64, pem), {coco_report_data, {}}));
  const auto other = verify(evidence_around(report, pem), {hopper_nonce, {}});
  EXPECT_EQ(other.error().code, EvidenceError::report_data_mismatch);
}

TEST(NvidiaVectors, chains_that_do_not_reach_from_device_to_root_are_refused) {
  COFFER_REQUIRE_VECTORS();
  const auto report = read_vector("nvidia/hopperAttestationReport.txt");
  const auto refused = [&](std::string_view pem) {
    const auto claims = verify(evidence_around(report, pem), {hopper_nonce, {}});
    EXPECT_FALSE(claims);
    return claims ? ErrorCode{EvidenceError::malformed} : claims.error().code;
  };
  // The root alone: the report is not signed by it.
  EXPECT_EQ(refused(read_vector("nvidia/hopper_cert_chain_case2.txt")), NvidiaError::bad_signature);
  EXPECT_EQ(refused(read_vector("nvidia/hopper_coco_certs1.txt")), NvidiaError::bad_signature);
  const auto chain = crypto::Certificate::chain_from_pem(read_vector("nvidia/hopper_cert_chain_case1.txt")).value();
  const auto without = [&](std::size_t missing) {
    std::string pem;
    for (std::size_t i = 0; i < chain.size(); ++i) pem += i == missing ? "" : chain[i].to_pem();
    return pem;
  };
  EXPECT_EQ(refused(without(0)), NvidiaError::bad_signature);
  for (const std::size_t missing : {1U, 2U, 3U}) EXPECT_EQ(refused(without(missing)), NvidiaError::untrusted);
  EXPECT_EQ(refused(without(4)), NvidiaError::unknown_root);
}

TEST(NvidiaVectors, every_changed_byte_of_a_report_is_refused) {
  COFFER_REQUIRE_VECTORS();
  const auto pem = read_vector("nvidia/hopper_coco_certs1.txt");
  const auto key = crypto::Certificate::from_pem(pem)->public_key().value();
  const auto signature_holds = [&](ByteView bytes) {
    const auto report = parse_report(bytes);
    return report && key.verify(crypto::SignatureAlgorithm::es384, bytes.first(report->signed_size), report->signature);
  };
  auto report = *codec::hex_decode(read_vector("nvidia/hopper_coco_report1.txt"));
  expect_every_changed_byte_refused(report, signature_holds);  // the zero behind the signature included
  const auto verifier = *make_verifier(TeeKind::nvidia, {});
  const auto accepts = [&](ByteView bytes) {
    return verifier->verify(evidence_around(codec::base64_encode(bytes), pem), {coco_report_data, {}}, at).has_value();
  };
  expect_every_changed_byte_refused(report, accepts, {}, 41);
  report.pop_back();
  ASSERT_TRUE(accepts(report));
  for (std::size_t size = 0; size < report.size(); ++size) {
    ASSERT_FALSE(parse_report(ByteView{report}.first(size))) << size;
  }
}

TEST(NvidiaVectors, every_changed_byte_of_a_certificate_is_refused) {
  COFFER_REQUIRE_VECTORS();
  const auto chain = crypto::Certificate::chain_from_pem(read_vector("nvidia/hopper_coco_certs1.txt")).value();
  const auto verifier = *make_verifier(TeeKind::nvidia, {});
  const auto report = *codec::hex_decode(read_vector("nvidia/hopper_coco_report1.txt"));
  for (std::size_t changed = 0; changed < chain.size(); ++changed) {
    const auto accepts = [&](ByteView der) {
      std::vector<Bytes> ders;
      for (const auto& certificate : chain) ders.push_back(certificate.der());
      ders[changed].assign(der.begin(), der.end());
      const auto evidence = verifier->from_raw(report, ders);
      return evidence && verifier->verify(*evidence, {coco_report_data, {}}, at).has_value();
    };
    expect_every_changed_byte_refused(chain[changed].der(), accepts, {}, 9);
  }
}

}  // namespace
}  // namespace coffer::evidence::nvidia
