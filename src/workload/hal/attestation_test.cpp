#include <gtest/gtest.h>

#include "codec/base64.h"
#include "crypto/hash.h"
#include "evidence/sample/sample.h"
#include "workload/hal/hal_testing.h"

namespace coffer::workload::hal {
namespace {

using testing::bytes;
using testing::Guest;

struct Attested : Guest {
  Attested() {
    services.tee = "sample";
    services.attest = [this](ByteView report_data) {
      asked_for = to_bytes(report_data);
      return attester->attest(report_data);
    };
  }
  std::unique_ptr<evidence::Attester> attester = evidence::sample::make_attester(evidence::TeeKind::sample);
  Bytes asked_for;
};

TEST(Attestation, without_a_tee_is_an_error_and_never_a_stub) {
  Guest guest;
  EXPECT_EQ(guest.err("attestation", "attestation", {bytes("nonce")}), "hal.unavailable");
}

TEST(Attestation, gives_the_tees_evidence_over_the_callers_data_and_the_module) {
  Attested guest;
  const auto answer = guest.ok("attestation", "attestation", {bytes("nonce")});
  const auto evidence = codec::json::parse(as_text(*answer.if_bytes()));
  ASSERT_TRUE(evidence);
  const auto expected = bound_report_data(as_bytes("nonce"), "sha256:00");
  EXPECT_EQ(*evidence->find("report_data")->if_string(), codec::base64_encode(expected));
  EXPECT_EQ(guest.asked_for, expected);
}

TEST(Attestation, binds_its_purpose_the_module_and_the_callers_data) {
  const std::string_view whole{"elastic:hal/attestation@0.1.0\0sha256:00\0nonce", 45};
  const auto data = bound_report_data(as_bytes("nonce"), "sha256:00");
  EXPECT_EQ(data, crypto::hash(crypto::HashAlgorithm::sha512, as_bytes(whole)));
  EXPECT_NE(data, bound_report_data(as_bytes("nonce"), "sha256:01"));
  EXPECT_NE(data, bound_report_data(as_bytes("nonce2"), "sha256:00"));
}

// The report data of a key broker's handshake is a digest, which some TEEs cut to 32 bytes. A guest that could have
// such evidence made would be given the worker's keys.
TEST(Attestation, a_guest_cannot_have_evidence_made_for_a_key_brokers_handshake) {
  Attested guest;
  const auto digest = crypto::hash(crypto::HashAlgorithm::sha512, as_bytes("runtime data of an attacker"));
  for (const std::size_t size : {32U, 48U, 64U}) {
    const ByteView handshake = ByteView{digest}.first(size);
    guest.ok("attestation", "attestation", {to_bytes(handshake)});
    EXPECT_FALSE(equal(ByteView{guest.asked_for}.first(32), handshake.first(32)));
  }
}

TEST(Attestation, refuses_more_than_the_field_holds_instead_of_cutting_it) {
  Attested guest;
  EXPECT_EQ(guest.err("attestation", "attestation", {Bytes(65)}), "hal.bad_value");
  EXPECT_TRUE(guest.asked_for.empty());
}

TEST(Attestation, a_task_attests_64_times_and_no_more) {
  Attested guest;
  for (int i = 0; i < 64; ++i) guest.ok("attestation", "attestation", {bytes("n")});
  EXPECT_EQ(guest.err("attestation", "attestation", {bytes("n")}), "hal.limit");
}

TEST(Attestation, what_the_tee_says_reaches_the_guest_with_its_code) {
  Guest guest;
  guest.services.attest = [](ByteView) -> Result<codec::json::Value> {
    return fail(evidence::EvidenceError::device_failed, "no answer");
  };
  EXPECT_EQ(guest.err("attestation", "attestation", {bytes("n")}), "evidence.device_failed");
}

}  // namespace
}  // namespace coffer::workload::hal
