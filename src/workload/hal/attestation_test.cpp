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

TEST(Attestation, report_data_stands_in_front_and_its_purpose_behind) {
  const auto data = bound_report_data(as_bytes("nonce"), "sha256:00");
  ASSERT_EQ(data.size(), 64U);
  EXPECT_EQ(to_text(ByteView{data}.first(5)), "nonce");
  EXPECT_TRUE(equal(ByteView{data}.subspan(5, 27), Bytes(27)));
  const auto purpose = crypto::sha256(as_bytes(std::string_view{"elastic:hal/attestation@0.1.0\0sha256:00", 39}));
  EXPECT_TRUE(equal(ByteView{data}.subspan(32), purpose));
  EXPECT_NE(data, bound_report_data(as_bytes("nonce"), "sha256:01"));
}

TEST(Attestation, more_than_half_the_field_is_hashed) {
  const Bytes half(32, std::byte{7}), more(33, std::byte{7});
  EXPECT_TRUE(equal(ByteView{bound_report_data(half, "m")}.first(32), half));
  EXPECT_TRUE(equal(ByteView{bound_report_data(more, "m")}.first(32), crypto::sha256(more)));
}

// The report data of a key broker's handshake is a digest of 32 or 48 bytes and zeros, or one of 64 bytes. A guest that
// could have such evidence made would be given the worker's keys.
TEST(Attestation, a_guest_cannot_have_evidence_made_for_a_key_brokers_handshake) {
  Attested guest;
  const auto digest = crypto::sha384(as_bytes("runtime data of an attacker"));
  for (const auto size : {32U, 48U}) {
    guest.ok("attestation", "attestation", {Bytes(digest.begin(), digest.begin() + size)});
    auto handshake = Bytes(digest.begin(), digest.begin() + size);
    handshake.resize(64);
    EXPECT_NE(guest.asked_for, handshake);
  }
  guest.ok("attestation", "attestation", {Bytes(64, std::byte{1})});
  EXPECT_NE(guest.asked_for, Bytes(64, std::byte{1}));
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
