// Evidence of real machines on Azure, at a time when their certificates held.
#include "testing/vectors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/byte_reader.h"
#include "codec/base64.h"
#include "evidence/az_vtpm/az_vtpm.h"
#include "evidence/az_vtpm/evidence.h"
#include "evidence/az_vtpm/hcl_report.h"
#include "evidence/mutation_testing.h"
#include "evidence/snp/error.h"
#include "evidence/tpm/error.h"
#include "evidence/tpm/quote.h"

namespace coffer::evidence::az_vtpm {
namespace {

namespace json = codec::json;
using ::testing::HasSubstr;

const TimePoint recorded_at = from_unix_seconds(1'750'000'000);
const Bytes challenge = to_bytes(std::string_view{"challenge"});

json::Value read(const std::string& name) {
  return json::parse(coffer::testing::read_vector(name)).value();
}

class Vectors : public ::testing::Test {
 protected:
  void SetUp() override { COFFER_REQUIRE_VECTORS(); }

  Result<std::vector<Claims>> verify(const json::Value& evidence, const Binding& binding,
                                     TeeKind kind = TeeKind::az_snp_vtpm) const {
    const auto& verifier = kind == TeeKind::az_snp_vtpm ? snp_ : tdx_;
    return verifier->verify(evidence, binding, recorded_at);
  }
  Error refusal(const Evidence& evidence, const Binding& binding = {challenge},
                TeeKind kind = TeeKind::az_snp_vtpm) const {
    const auto claims = verify(to_json(kind, evidence), binding, kind);
    EXPECT_FALSE(claims);
    return claims ? Error{EvidenceError::no_device, "accepted"} : claims.error();
  }
  static Evidence version_1() { return *parse_evidence(TeeKind::az_snp_vtpm, read("az-snp-vtpm/evidence-v1.json")); }
  static Evidence td_version_1() { return *parse_evidence(TeeKind::az_tdx_vtpm, read("az-tdx-vtpm/evidence-v1.json")); }

  std::unique_ptr<Verifier> snp_ = make_verifier(TeeKind::az_snp_vtpm, {}).value();
  std::unique_ptr<Verifier> tdx_ = make_verifier(TeeKind::az_tdx_vtpm, {}).value();
};

struct Recorded {
  const char* file;
  Bytes report_data;
  const char* pcr00;
};

std::vector<Recorded> recorded() {
  return {
      {"evidence-v0.json", challenge, "e15c44796beabf46abcec7c57e590942041e47497e4ec27571c8b7664f48dced"},
      {"evidence-v1.json", challenge, "e15c44796beabf46abcec7c57e590942041e47497e4ec27571c8b7664f48dced"},
      {"evidence-v2.json",
       *codec::hex_decode("982f5c6e45df0ed3f10b6f60b02f0c8390e281300f3805e2279c16168cd6ae9a"
                          "a398f647caa2338748cd0fd9f5f819ef"),
       "84275b2f4312cd4fc6cbe6b152ad3c3683e513d9f1e23c34fca160c8cca7a6a7"},
      {"evidence-genoa.json",
       *codec::hex_decode("0218488bae25d2509232bf676f1a66a30d7372add909109b36016ef136f2938c"
                          "a05475f8b46094de6b64270ea35d950f"),
       "afd689d0bb1c5f36f023fbaf574135f555a28a10c1f6b938d2a25e70c7783338"},
  };
}

TEST_F(Vectors, evidence_of_every_version_holds_with_upstreams_claims) {
  for (const auto& each : recorded()) {
    const auto claims = verify(read(std::string{"az-snp-vtpm/"} + each.file), {each.report_data});
    ASSERT_TRUE(claims) << each.file << ": " << to_string(claims.error());
    const auto& out = claims->front();
    EXPECT_EQ(out.report_data, codec::hex_encode(each.report_data));
    const auto* tpm = out.claims.find("tpm")->if_object();
    EXPECT_EQ(tpm->size(), 24U);
    EXPECT_EQ(*tpm->find("pcr00"), json::Value{each.pcr00}) << each.file;
    EXPECT_EQ(out.init_data, *tpm->find("pcr08")->if_string());
    EXPECT_FALSE(out.claims.contains("chip_id"));
    EXPECT_FALSE(out.simulated_root);
    for (const auto& [name, value] : out.claims) EXPECT_TRUE(name == "tpm" || value.is_string()) << name;
    EXPECT_EQ(codec::base64_decode(*out.claims.find("measurement")->if_string())->size(), 48U);
    EXPECT_THAT(*out.claims.find("policy_debug_allowed")->if_string(), ::testing::AnyOf("true", "false"));
  }
}

TEST_F(Vectors, other_report_data_is_refused) {
  for (const auto& each : recorded()) {
    const auto claims = verify(read(std::string{"az-snp-vtpm/"} + each.file), {to_bytes(std::string_view{"other"})});
    ASSERT_FALSE(claims);
    EXPECT_EQ(claims.error().code, EvidenceError::report_data_mismatch);
    EXPECT_THAT(claims.error().message, HasSubstr(codec::hex_encode(each.report_data)));
  }
}

TEST_F(Vectors, init_data_is_held_against_pcr_8) {
  EXPECT_EQ(refusal(version_1(), {challenge, Bytes(32)}).code, EvidenceError::init_data_mismatch);
}

TEST_F(Vectors, a_report_that_was_made_for_other_report_data_is_refused_from_version_2_on) {
  auto evidence = version_1();
  evidence.version = 2;
  EXPECT_EQ(refusal(evidence).code, AzVtpmError::user_data_mismatch);
}

TEST_F(Vectors, changed_pcrs_are_refused) {
  auto evidence = version_1();
  evidence.pcrs[3][0] ^= std::byte{1};
  EXPECT_EQ(refusal(evidence).code, tpm::TpmError::pcr_digest_mismatch);
}

TEST_F(Vectors, an_attestation_key_that_hardware_does_not_vouch_for_is_refused) {
  auto evidence = version_1();
  // Of another recorded machine: its key signed another quote.
  evidence.hcl_report = parse_evidence(TeeKind::az_snp_vtpm, read("az-snp-vtpm/evidence-v2.json"))->hcl_report;
  EXPECT_EQ(refusal(evidence).code, tpm::TpmError::bad_signature);
  evidence = version_1();
  // The runtime data says something else, but names the same key.
  const auto at = coffer::to_text(evidence.hcl_report).find("console-enabled");
  evidence.hcl_report[at] = std::byte{'C'};
  EXPECT_EQ(refusal(evidence).code, AzVtpmError::runtime_data_mismatch);
}

TEST_F(Vectors, a_changed_hardware_report_is_refused) {
  auto evidence = version_1();
  // Upstream's own negative test: the SNP version in the reported TCB.
  evidence.hcl_report[0x01a6] = std::byte{0};
  EXPECT_EQ(refusal(evidence).code, snp::SnpError::wrong_tcb);
  evidence = version_1();
  evidence.hcl_report[32 + 0x90] ^= std::byte{1};
  EXPECT_EQ(refusal(evidence).code, snp::SnpError::bad_signature);
}

TEST_F(Vectors, a_vcek_that_is_none_or_of_another_chip_is_refused) {
  auto evidence = version_1();
  evidence.endorsement = Bytes(10);
  EXPECT_EQ(refusal(evidence).code, AzVtpmError::bad_vcek);
  evidence.endorsement = parse_evidence(TeeKind::az_snp_vtpm, read("az-snp-vtpm/evidence-genoa.json"))->endorsement;
  EXPECT_FALSE(verify(to_json(TeeKind::az_snp_vtpm, evidence), {challenge}));
}

TEST_F(Vectors, evidence_of_the_other_hardware_is_refused) {
  auto evidence = version_1();
  evidence.hcl_report = td_version_1().hcl_report;
  EXPECT_EQ(refusal(evidence).code, AzVtpmError::wrong_hardware);
}

// Signed, or covered by a length: all of a SEV-SNP machine's HCL report but request type, status and reserve of the
// header, and the rest behind the runtime data.
TEST_F(Vectors, every_changed_byte_of_what_is_signed_is_refused) {
  const auto evidence = version_1();
  const auto with = [&](auto change) {
    auto changed = evidence;
    change(changed);
    return verify(to_json(TeeKind::az_snp_vtpm, changed), {challenge}).has_value();
  };
  expect_every_changed_byte_refused(evidence.message, [&](ByteView bytes) {
    return with([bytes](Evidence& changed) { changed.message = to_bytes(bytes); });
  });
  expect_every_changed_byte_refused(evidence.signature, [&](ByteView bytes) {
    return with([bytes](Evidence& changed) { changed.signature = to_bytes(bytes); });
  });
  const auto hcl = HclReport::parse(evidence.hcl_report);
  const std::size_t end = 32 + hardware_report_size + 20 + hcl->runtime_data.size();
  // Header version 1 or 2; then what nothing covers.
  const std::array ignored{ByteRange{4, 8}, ByteRange{12, 32}, ByteRange{end, evidence.hcl_report.size()}};
  expect_every_changed_byte_refused(
      evidence.hcl_report,
      [&](ByteView bytes) { return with([bytes](Evidence& changed) { changed.hcl_report = to_bytes(bytes); }); },
      ignored, 3);
}

TEST_F(Vectors, evidence_of_tdx_holds_up_to_collateral_that_is_gone) {
  for (const auto file : {"evidence-v0.json", "evidence-v1.json"}) {
    const auto evidence = read(std::string{"az-tdx-vtpm/"} + file);
    const auto claims = verify(evidence, {challenge}, TeeKind::az_tdx_vtpm);
    ASSERT_FALSE(claims);
    EXPECT_EQ(claims.error().code, EvidenceError::collateral_missing) << file << to_string(claims.error());
    const auto other = verify(evidence, {to_bytes(std::string_view{"other"})}, TeeKind::az_tdx_vtpm);
    EXPECT_EQ(other.error().code, EvidenceError::report_data_mismatch);
  }
}

TEST_F(Vectors, evidence_of_tdx_with_runtime_data_of_another_machine_is_refused) {
  auto evidence = td_version_1();
  const auto at = coffer::to_text(evidence.hcl_report).find("console-enabled");
  evidence.hcl_report[at] = std::byte{'C'};
  EXPECT_EQ(refusal(evidence, {challenge}, TeeKind::az_tdx_vtpm).code, AzVtpmError::runtime_data_mismatch);
  evidence.hcl_report = version_1().hcl_report;
  EXPECT_EQ(refusal(evidence, {challenge}, TeeKind::az_tdx_vtpm).code, AzVtpmError::wrong_hardware);
  evidence = td_version_1();
  evidence.endorsement = coffer::testing::read_vector_bytes("sgx/dcap/sgx_quote");
  EXPECT_EQ(refusal(evidence, {challenge}, TeeKind::az_tdx_vtpm).code, AzVtpmError::wrong_hardware);
}

// quote.bin is upstream's own serialisation: each byte string behind its length, 8 bytes little-endian.
Bytes next_field(ByteReader& reader) {
  const auto size = reader.u64_le("length").value();
  return to_bytes(reader.bytes(size, "field").value());
}

crypto::PublicKey key_of(const std::string& folder) {
  const auto hcl = coffer::testing::read_vector_bytes(folder + "/hcl-report.bin");
  return RuntimeClaims::parse(HclReport::parse(hcl)->runtime_data)->attestation_key;
}

TEST_F(Vectors, recorded_quotes_verify_by_the_keys_of_their_reports) {
  for (const std::string folder : {"az-snp-vtpm", "az-tdx-vtpm"}) {
    const auto bytes = coffer::testing::read_vector_bytes(folder + "/quote.bin");
    ByteReader reader{bytes};
    const tpm::Signature signature{crypto::SignatureScheme::rsa_pkcs1, crypto::HashAlgorithm::sha256,
                                   next_field(reader)};
    const auto message = next_field(reader);
    EXPECT_EQ(tpm::parse_quote(message)->extra_data, challenge) << folder;
    EXPECT_TRUE(tpm::verify_signature(key_of(folder), signature, message)) << folder;
  }
}

TEST_F(Vectors, a_quote_by_the_key_of_a_machine_that_was_not_recorded_is_refused) {
  const auto message = coffer::testing::read_vector_bytes("az-snp-vtpm/tpm-quote.msg");
  const tpm::Signature signature{crypto::SignatureScheme::rsa_pkcs1, crypto::HashAlgorithm::sha256,
                                 coffer::testing::read_vector_bytes("az-snp-vtpm/tpm-quote.sig")};
  EXPECT_EQ(tpm::parse_quote(message)->extra_data, challenge);
  EXPECT_EQ(tpm::verify_signature(key_of("az-snp-vtpm"), signature, message).error().code,
            tpm::TpmError::bad_signature);
}

TEST_F(Vectors, inspection_shows_every_part) {
  for (const auto& each : recorded()) {
    const auto fields = snp_->inspect(read(std::string{"az-snp-vtpm/"} + each.file));
    ASSERT_TRUE(fields) << to_string(fields.error());
    for (const auto name : {"version", "quote", "signature", "pcrs", "hardware", "runtime_data", "hardware_evidence"}) {
      EXPECT_TRUE(fields->contains(name)) << name;
    }
  }
  EXPECT_TRUE(tdx_->inspect(read("az-tdx-vtpm/evidence-v1.json")));
}

TEST_F(Vectors, malformed_evidence_is_refused) {
  const auto code = [this](const json::Value& value) { return verify(value, {}).error().code; };
  EXPECT_EQ(code("text"), EvidenceError::malformed);
  for (const auto file : {"evidence-v0.json", "evidence-v1.json"}) {
    const auto whole = *read(std::string{"az-snp-vtpm/"} + file).if_object();
    for (const auto& [name, value] : whole) {
      if (name == "version") continue;
      auto broken = whole;
      broken.erase(name);
      EXPECT_EQ(code(broken), EvidenceError::malformed) << file << name;
      broken.set(name, 1);
      EXPECT_EQ(code(broken), EvidenceError::malformed) << file << name;
    }
  }
  auto broken = *read("az-snp-vtpm/evidence-v1.json").if_object();
  broken.set("version", 3);
  EXPECT_EQ(code(broken), EvidenceError::malformed);
  broken.set("version", 1);
  broken.set("hcl_report", "!");
  EXPECT_EQ(code(broken), EvidenceError::malformed);
  broken.set("hcl_report", std::string(100000, 'A'));
  EXPECT_EQ(code(broken), EvidenceError::malformed);
  broken.find("tpm_quote")->if_object()->find("pcrs")->if_array()->emplace_back("00");
  EXPECT_EQ(code(broken), EvidenceError::malformed);
  auto old = *read("az-snp-vtpm/evidence-v0.json").if_object();
  old.set("vcek", "no PEM");
  EXPECT_EQ(code(old), AzVtpmError::bad_vcek);
}

}  // namespace
}  // namespace coffer::evidence::az_vtpm
