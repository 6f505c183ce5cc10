#include "evidence/tpm/simulate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "codec/base64.h"
#include "evidence/tpm/evidence.h"

namespace coffer::evidence::tpm {
namespace {

namespace fs = std::filesystem;
namespace json = codec::json;
using ::testing::HasSubstr;

const Bytes report_data(48, std::byte{0x11});

class Simulator : public ::testing::Test {
 protected:
  Simulator() {
    std::string name = (fs::temp_directory_path() / "coffer-tpm-XXXXXX").string();
    directory_ = ::mkdtemp(name.data());
    const auto root = make_simulator_root(system_clock().now(), crypto::KeyKind::ec_p256);
    EXPECT_TRUE(write_simulator_root(directory_, *root));
    attester_ = *make_simulator(TeeKind::tpm, {.simulator_directory = directory_});
  }
  ~Simulator() override { fs::remove_all(directory_); }

  void dial(SimulatorSettings settings) const {
    EXPECT_TRUE(save_simulator_settings(directory_, TeeKind::tpm, settings));
  }
  Result<std::vector<Claims>> verdict(const Binding& binding = {report_data}, bool chosen = true) const {
    VerifierOptions options;
    options.simulator_roots = {load_simulator_root(directory_)->certificate};
    if (chosen) options.simulated_tees = {TeeKind::tpm};
    const auto verifier = TRY(make_verifier(TeeKind::tpm, options));
    return verifier->verify(TRY(attester_->attest(report_data)), binding, system_clock().now());
  }
  ErrorCode refusal(std::string fault) const {
    dial({.faults = {std::move(fault)}});
    const auto out = verdict();
    EXPECT_FALSE(out);
    return out ? ErrorCode{EvidenceError::no_device} : out.error().code;
  }

  fs::path directory_;
  std::unique_ptr<Attester> attester_;
};

TEST_F(Simulator, evidence_is_accepted_where_it_was_chosen_and_says_what_it_is) {
  const auto claims = verdict();
  ASSERT_TRUE(claims) << to_string(claims.error());
  EXPECT_EQ(claims->front().simulated_root, simulated_subject(load_simulator_root(directory_)->certificate));
  EXPECT_EQ(*claims->front().claims.find("ak_trust"), json::Value{"certified"});
  EXPECT_EQ(verdict({report_data}, false).error().code, EvidenceError::simulated_refused);
}

TEST_F(Simulator, key_stays_the_same_so_that_policies_can_name_it) {
  const auto first = verdict();
  const auto second = verdict();
  ASSERT_TRUE(first && second);
  EXPECT_EQ(*first->front().claims.find("ak_public"), *second->front().claims.find("ak_public"));
}

TEST_F(Simulator, certificates_are_put_into_a_document_without_them) {
  VerifierOptions options{.simulator_roots = {load_simulator_root(directory_)->certificate}};
  options.simulated_tees = {TeeKind::tpm};
  const auto verifier = *make_verifier(TeeKind::tpm, options);
  const auto whole = *attester_->attest(report_data);
  auto evidence = *parse_evidence(whole);
  const auto certificates = std::exchange(evidence.ak_certificates, {});
  const auto now = system_clock().now();
  EXPECT_FALSE(verifier->verify(to_json(evidence), {report_data}, now));
  const auto completed = verifier->with_certificates(to_json(evidence), certificates);
  ASSERT_TRUE(completed) << to_string(completed.error());
  EXPECT_TRUE(verifier->verify(*completed, {report_data}, now));
  EXPECT_EQ(verifier->with_certificates(json::Value{1}, certificates).error().code, EvidenceError::malformed);
}

TEST_F(Simulator, every_fault_has_its_own_refusal) {
  EXPECT_EQ(refusal("wrong-pcr"), TpmError::pcr_digest_mismatch);
  EXPECT_EQ(refusal("wrong-nonce"), EvidenceError::report_data_mismatch);
  EXPECT_EQ(refusal("unknown-ak"), TpmError::untrusted_ak);
  EXPECT_EQ(refusal("expired"), TpmError::bad_ak_certificate);
  EXPECT_EQ(refusal("altered-event"), TpmError::event_log_mismatch);
  EXPECT_EQ(refusal("bad-signature"), TpmError::bad_signature);
  EXPECT_EQ(refusal("no-such-fault"), EvidenceError::bad_config);
}

TEST_F(Simulator, values_change_what_was_measured) {
  const auto pcr = [this](std::string_view name) {
    const auto claims = verdict();
    EXPECT_TRUE(claims) << to_string(claims.error());
    return claims ? *claims->front().claims.find(name)->if_string() : std::string{};
  };
  const auto pcr9 = pcr("pcr09");
  const auto pcr4 = pcr("pcr04");
  dial({.values = {{"command_line", "console=ttyS0 debug"}}});
  EXPECT_NE(pcr("pcr09"), pcr9);
  EXPECT_EQ(pcr("pcr04"), pcr4);
  dial({.values = {{"kernel", "another"}, {"initrd", "another"}, {"firmware", "another"}}});
  EXPECT_NE(pcr("pcr04"), pcr4);
  dial({.faults = {"wrong-measurement"}});
  EXPECT_NE(pcr("pcr04"), pcr4);
  EXPECT_EQ(pcr("pcr09"), pcr9);
  dial({.values = {{"pcr11", std::string(64, 'a')}}});
  EXPECT_EQ(pcr("pcr11"), std::string(64, 'a'));
}

TEST_F(Simulator, evidence_goes_without_event_log_where_told_so) {
  dial({.faults = {"no-event-log"}});
  const auto claims = verdict();
  ASSERT_TRUE(claims) << to_string(claims.error());
  EXPECT_FALSE(claims->front().claims.contains("uefi_event_logs"));
}

TEST_F(Simulator, dials_that_do_not_fit_are_refused) {
  const auto code = [this](json::Object values) {
    dial({.values = std::move(values)});
    return attester_->attest(report_data).error().code;
  };
  EXPECT_EQ(code({{"pcr24", std::string(64, 'a')}}), EvidenceError::bad_config);
  EXPECT_EQ(code({{"pcr11", "aa"}}), EvidenceError::bad_config);
  EXPECT_EQ(code({{"nothing", "aa"}}), EvidenceError::bad_config);
  EXPECT_EQ(code({{"kernel", 1}}), EvidenceError::bad_config);
}

TEST_F(Simulator, init_data_and_runtime_measurements_last_as_long_as_the_program) {
  const Bytes digest(32, std::byte{3});
  EXPECT_TRUE(attester_->bind_init_data(digest));
  EXPECT_TRUE(attester_->bind_init_data(digest));
  EXPECT_TRUE(verdict({report_data, digest}));
  EXPECT_EQ(attester_->runtime_register(17)->index, 15U);
  EXPECT_FALSE(attester_->runtime_register(16));
  EXPECT_TRUE(attester_->extend_runtime_measurement(17, digest));
  EXPECT_EQ(*attester_->read_runtime_measurement(17), extended_once(digest));
  const auto claims = verdict();
  ASSERT_TRUE(claims) << to_string(claims.error());
  EXPECT_EQ(*claims->front().claims.find("pcr15"), json::Value{codec::hex_encode(extended_once(digest))});
}

TEST_F(Simulator, without_keys_says_how_to_make_them) {
  const auto other = make_simulator(TeeKind::tpm, {.simulator_directory = directory_ / "absent"});
  const auto evidence = (*other)->attest(report_data);
  ASSERT_FALSE(evidence);
  EXPECT_EQ(evidence.error().code, EvidenceError::bad_config);
  EXPECT_THAT(evidence.error().message, HasSubstr("coffer simulate init"));
}

TEST(SoftwareTpm, keeps_nv_indexes) {
  const auto now = system_clock().now();
  const auto root = *make_simulator_root(now, crypto::KeyKind::ec_p256);
  using namespace std::chrono_literals;
  auto key = *make_simulated_key(root, {.kind = crypto::KeyKind::ec_p384, .not_before = now, .not_after = now + 1h});
  const auto tpm = *SoftwareTpm::create(std::move(key), {}, boot_log({}));
  EXPECT_EQ(tpm->read_nv(1).error().code, EvidenceError::no_device);
  EXPECT_TRUE(tpm->write_nv(1, as_bytes("content")));
  EXPECT_EQ(coffer::to_text(*tpm->read_nv(1)), "content");
  EXPECT_TRUE(quote_consistently(*tpm, Bytes(32)));
}

}  // namespace
}  // namespace coffer::evidence::tpm
