// Reports of real hardware, at times when their certificates held.
#include "testing/vectors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "codec/base64.h"
#include "evidence/mutation_testing.h"
#include "evidence/snp/amd_roots.h"
#include "evidence/snp/endorsement.h"
#include "evidence/snp/snp_testing.h"
#include "evidence/snp/sources.h"

namespace coffer::evidence::snp {
namespace {

namespace json = codec::json;
using coffer::testing::read_vector;
using coffer::testing::read_vector_bytes;
using ::testing::HasSubstr;

const TimePoint year_2024 = from_unix_seconds(1'704'067'200);
const TimePoint year_2025 = from_unix_seconds(1'750'000'000);

Result<json::Value> raw_evidence(const Verifier& verifier, const std::string& report, const std::string& certificate) {
  const std::vector<Bytes> certificates{read_vector_bytes("snp/" + certificate)};
  return verifier.from_raw(read_vector_bytes("snp/" + report), certificates);
}

class Vectors : public ::testing::Test {
 protected:
  void SetUp() override { COFFER_REQUIRE_VECTORS(); }

  Result<std::vector<Claims>> verify(const std::string& report, const std::string& certificate, TimePoint at) {
    return verifier->verify(TRY(raw_evidence(*verifier, report, certificate)), {}, at);
  }

  std::shared_ptr<FakeCollateral> collateral = std::make_shared<FakeCollateral>();
  std::unique_ptr<Verifier> verifier = make_verifier(TeeKind::snp, {.collateral = collateral}).value();
};

TEST_F(Vectors, a_version_2_report_of_milan_holds_offline_with_its_vcek_alone) {
  const auto claims = verify("test-report.bin", "test-vcek.der", year_2024);
  ASSERT_TRUE(claims) << to_string(claims.error());
  EXPECT_TRUE(collateral->asked.empty());
  EXPECT_FALSE(claims->front().simulated_root);
  const auto& c = claims->front().claims;
  EXPECT_EQ(*c.find("reported_tcb_bootloader"), json::Value{3});
  EXPECT_EQ(*c.find("reported_tcb_tee"), json::Value{0});
  EXPECT_EQ(*c.find("reported_tcb_snp"), json::Value{8});
  EXPECT_EQ(*c.find("reported_tcb_microcode"), json::Value{115});
  EXPECT_EQ(*c.find("policy_abi_minor"), json::Value{31});
  EXPECT_THAT(*c.find("chip_id")->if_string(), ::testing::StartsWith("c38427a30d4c7af9"));
  EXPECT_EQ(c.size(), 14U);
}

TEST_F(Vectors, genoas_evidence_holds_with_upstreams_claims) {
  const auto value = json::parse(read_vector("snp/genoa-v3-evidence.json")).value();
  const auto claims = verifier->verify(value, {}, year_2025);
  ASSERT_TRUE(claims) << to_string(claims.error());
  const auto report = value.find("attestation_report");
  const auto hex = [&](const char* name) {
    Bytes bytes;
    for (const auto& byte : *report->find(name)->if_array()) bytes.push_back(static_cast<std::byte>(*byte.if_uint64()));
    return codec::hex_encode(bytes);
  };
  EXPECT_EQ(json::Value{claims->front().claims}, (json::Value{json::Object{{"policy_abi_major", 0},
                                                                           {"policy_abi_minor", 0},
                                                                           {"policy_smt_allowed", true},
                                                                           {"policy_migrate_ma", false},
                                                                           {"policy_debug_allowed", false},
                                                                           {"policy_single_socket", false},
                                                                           {"reported_tcb_bootloader", 10},
                                                                           {"reported_tcb_tee", 0},
                                                                           {"reported_tcb_snp", 23},
                                                                           {"reported_tcb_microcode", 25},
                                                                           {"platform_tsme_enabled", false},
                                                                           {"platform_smt_enabled", true},
                                                                           {"measurement", hex("measurement")},
                                                                           {"chip_id", hex("chip_id")}}}));
  EXPECT_EQ(claims->front().report_data, hex("report_data"));
  EXPECT_EQ(claims->front().init_data, hex("host_data"));
}

TEST_F(Vectors, json_and_bytes_of_real_reports_are_exact) {
  const auto value = json::parse(read_vector("snp/genoa-v3-evidence.json")).value();
  const auto evidence = Evidence::from_json(value).value();
  // This guest's crate had no mitigation vectors yet.
  auto again = evidence.to_json();
  again.if_object()->find("attestation_report")->if_object()->erase("launch_mit_vector");
  again.if_object()->find("attestation_report")->if_object()->erase("current_mit_vector");
  EXPECT_EQ(json::serialize(again), json::serialize(value));
  for (const auto* name : {"snp/test-report.bin", "snp/test-vlek-report.bin"}) {
    const auto raw = read_vector_bytes(name);
    const auto report = Report::parse(raw).value();
    EXPECT_EQ(report.encode(), raw);
    EXPECT_EQ(Report::from_json(report.to_json())->encode(), raw);
  }
}

// The report was asked for at VMPL 1, which is the last thing looked at: all before it holds.
TEST_F(Vectors, the_vlek_report_holds_but_for_its_privilege_level) {
  collateral->items["amd-vlek-chain/Milan"] = read_vector_bytes("snp/roots/milan_ask_ark_asvk.pem");
  const auto refused = verify("test-vlek-report.bin", "test-vlek.der", year_2025);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, SnpError::wrong_vmpl);
  auto changed = raw_evidence(*verifier, "test-vlek-report.bin", "test-vlek.der").value();
  changed.if_object()->find("attestation_report")->if_object()->set("guest_svn", 1);
  EXPECT_EQ(verifier->verify(changed, {}, year_2025).error().code, SnpError::bad_signature);
}

TEST_F(Vectors, a_vlek_without_its_signing_key_is_missing_collateral) {
  EXPECT_EQ(verify("test-vlek-report.bin", "test-vlek.der", year_2025).error().code, CollateralError::not_found);
  collateral->items["amd-vlek-chain/Milan"] = read_vector_bytes("snp/roots/genoa_ask_ark_asvk.pem");
  EXPECT_EQ(verify("test-vlek-report.bin", "test-vlek.der", year_2025).error().code, SnpError::untrusted_chain);
}

TEST_F(Vectors, the_vlek_had_a_year) {
  collateral->items["amd-vlek-chain/Milan"] = read_vector_bytes("snp/roots/milan_ask_ark_asvk.pem");
  EXPECT_EQ(verify("test-vlek-report.bin", "test-vlek.der", year_2024).error().code, SnpError::not_valid_at_time);
}

// Their fields were changed and not signed again; both encodings of the fields are read.
TEST_F(Vectors, forged_vceks_are_refused_for_their_signature) {
  for (const auto* name : {"test-vcek-invalid-legacy.der", "test-vcek-invalid-new.der"}) {
    const auto der = read_vector_bytes(std::string{"snp/"} + name);
    const auto fields = read_endorsement(crypto::Certificate::from_der(der).value());
    ASSERT_TRUE(fields) << name << to_string(fields.error());
    EXPECT_EQ(fields->kind, SigningKey::vcek);
    EXPECT_EQ(fields->product, Product::milan);
    EXPECT_EQ(codec::hex_encode(*fields->hardware_id).substr(0, 8), "00010203");
    const auto refused = verify("test-report.bin", name, year_2024);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, SnpError::untrusted_chain) << to_string(refused.error());
  }
}

TEST_F(Vectors, another_chips_report_is_refused) {
  auto value = json::parse(read_vector("snp/genoa-v3-evidence.json")).value();
  const auto milan = raw_evidence(*verifier, "test-report.bin", "test-vcek.der").value();
  value.if_object()->set("cert_chain", *milan.find("cert_chain"));
  EXPECT_EQ(verifier->verify(value, {}, year_2025).error().code, SnpError::wrong_product);
}

TEST_F(Vectors, the_pinned_roots_are_those_of_upstream) {
  for (const auto product : all_products()) {
    std::string name{name_of(product)};
    name[0] = static_cast<char>(name[0] | 0x20);
    const auto chain =
        crypto::Certificate::chain_from_pem(read_vector("snp/roots/" + name + "_ask_ark_asvk.pem")).value();
    EXPECT_EQ(chain[0].der(), amd_certificates(product).ask.der());
    EXPECT_EQ(chain[1].der(), amd_certificates(product).ark.der());
  }
}

TEST_F(Vectors, any_changed_byte_is_refused) {
  const std::vector<Bytes> certificates{read_vector_bytes("snp/test-vcek.der")};
  const auto accepts_report = [&](ByteView raw) {
    const auto value = verifier->from_raw(raw, certificates);
    return value && verifier->verify(*value, {}, year_2024);
  };
  const auto raw = read_vector_bytes("snp/test-report.bin");
  expect_every_changed_byte_refused(raw, accepts_report);
  expect_every_other_length_refused(raw, accepts_report, 16);
  const auto accepts_certificate = [&](ByteView der) {
    const std::vector<Bytes> changed{to_bytes(der)};
    const auto value = verifier->from_raw(raw, changed);
    return value && verifier->verify(*value, {}, year_2024);
  };
  expect_every_changed_byte_refused(certificates[0], accepts_certificate);
  expect_every_other_length_refused(certificates[0], accepts_certificate, 16);
}

}  // namespace
}  // namespace coffer::evidence::snp
