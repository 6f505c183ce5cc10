#include "evidence/keystone/keystone.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "codec/base64.h"
#include "evidence/keystone/report.h"
#include "evidence/keystone/simulate.h"
#include "evidence/mutation_testing.h"
#include "testing/temporary_directory.h"

namespace coffer::evidence::keystone {
namespace {

namespace json = codec::json;
using crypto::SignatureAlgorithm;
using testing::HasSubstr;

const TimePoint now = *parse_rfc3339("2026-03-01T12:00:00Z");
const Bytes digest(48, std::byte{0x11});

// A device with a key of its own, as hardware has it: no certificates.
class KeystoneDevice : public testing::Test {
 protected:
  Bytes report(ByteView data = digest) {
    Report out{.enclave_hash = Bytes(64, std::byte{1}),
               .data = to_bytes(data),
               .enclave_signature = {},
               .monitor_hash = Bytes(64, std::byte{2}),
               .monitor_key = monitor_.public_key().ec_coordinates()->x,
               .monitor_signature = {},
               .device_key = device_.public_key().ec_coordinates()->x};
    out.monitor_signature = *device_.sign(SignatureAlgorithm::eddsa, out.monitor_signed());
    out.enclave_signature = *monitor_.sign(SignatureAlgorithm::eddsa, out.enclave_signed());
    return encode_report(out);
  }
  static json::Value evidence_of(ByteView report) { return json::Object{{"report", codec::base64_encode(report)}}; }
  json::Object trusting() {
    return {{"trusted_keys", json::Array{codec::hex_encode(device_.public_key().ec_coordinates()->x)}}};
  }
  static VerifierOptions options(json::Object section) {
    VerifierOptions out;
    out.config.set("keystone_verifier", std::move(section));
    return out;
  }
  Result<std::vector<Claims>> verify(ByteView report, json::Object section, const Binding& binding = {digest, {}}) {
    return (*make_verifier(TeeKind::keystone, options(std::move(section))))->verify(evidence_of(report), binding, now);
  }
  ErrorCode code(ByteView report, json::Object section, const Binding& binding = {digest, {}}) {
    const auto claims = verify(report, std::move(section), binding);
    return claims ? ErrorCode{EvidenceError::no_device} : claims.error().code;
  }
  static inline const crypto::PrivateKey device_ = *crypto::PrivateKey::generate(crypto::KeyKind::ed25519);
  static inline const crypto::PrivateKey monitor_ = *crypto::PrivateKey::generate(crypto::KeyKind::ed25519);
};

TEST_F(KeystoneDevice, report_is_verified_by_the_devices_key_with_its_claims) {
  const auto claims = verify(report(), trusting());
  ASSERT_TRUE(claims) << to_string(claims.error());
  const json::Value shown{claims->front().claims};
  EXPECT_EQ(*shown.at_pointer("/enclave/hash")->if_string(), codec::hex_encode(Bytes(64, std::byte{1})));
  EXPECT_EQ(*shown.at_pointer("/security_monitor/hash")->if_string(), codec::hex_encode(Bytes(64, std::byte{2})));
  EXPECT_EQ(claims->front().report_data, codec::hex_encode(digest));
  EXPECT_FALSE(claims->front().simulated_root);
}

TEST_F(KeystoneDevice, every_signed_byte_changed_and_every_other_length_is_refused) {
  const auto verifier = *make_verifier(TeeKind::keystone, options(trusting()));
  const auto accepts = [&](ByteView changed) { return verifier->verify(evidence_of(changed), {}, now).has_value(); };
  const std::vector<ByteRange> unsigned_rest{{72 + digest.size(), 1096}};
  expect_every_changed_byte_refused(report(), accepts, unsigned_rest);
  expect_every_other_length_refused(report(), accepts);
}

TEST_F(KeystoneDevice, keys_are_trusted_by_name_alone) {
  EXPECT_EQ(code(report(), {}), EvidenceError::collateral_missing);
  EXPECT_EQ(code(report(), {{"trusted_keys", json::Array{std::string(64, 'a')}}}), KeystoneError::unknown_device);
}

TEST_F(KeystoneDevice, signatures_are_of_device_and_monitor) {
  auto changed = report();
  changed[1256] ^= std::byte{1};
  EXPECT_EQ(code(changed, trusting()), KeystoneError::monitor_signature);
  changed = report();
  changed[1096] ^= std::byte{1};
  EXPECT_EQ(code(changed, trusting()), KeystoneError::enclave_signature);
}

TEST_F(KeystoneDevice, security_monitors_may_be_named) {
  auto section = trusting();
  section.set("security_monitors", json::Array{std::string(128, 'a')});
  EXPECT_EQ(code(report(), section), KeystoneError::unknown_monitor);
  section.set("security_monitors", json::Array{codec::hex_encode(Bytes(64, std::byte{2}))});
  EXPECT_EQ(code(report(), section), EvidenceError::no_device);
}

TEST_F(KeystoneDevice, data_are_the_digest_itself_and_init_data_is_never_vouched_for) {
  auto padded = digest;
  padded.resize(64);
  EXPECT_EQ(code(report(padded), trusting()), EvidenceError::report_data_mismatch);
  EXPECT_EQ(code(report(), trusting(), {digest, Bytes(32)}), EvidenceError::init_data_mismatch);
  EXPECT_EQ(code(report({}), trusting(), {}), EvidenceError::no_device);
}

TEST_F(KeystoneDevice, the_published_test_key_is_refused_even_where_it_is_configured) {
  const std::string test_key = "0faad4ff01178583baa588966f7c1ff32564dd17d7dc2b46cb50a84a69270b4c";
  auto parsed = *parse_report(report());
  parsed.device_key = *codec::hex_decode(test_key);
  json::Object section{{"trusted_keys", json::Array{test_key}}};
  EXPECT_EQ(code(encode_report(parsed), section), KeystoneError::test_key);
  section.set("allow_test_key", true);
  EXPECT_EQ(code(encode_report(parsed), section), KeystoneError::monitor_signature) << "it was not signed with it";
}

TEST_F(KeystoneDevice, lengths_outside_the_format_are_refused) {
  EXPECT_EQ(parse_report(Bytes(report_size - 1)).error().code, KeystoneError::bad_size);
  auto longer = report();
  longer[64] = std::byte{0x01};
  longer[65] = std::byte{0x04};
  const auto parsed = parse_report(longer);
  ASSERT_FALSE(parsed);
  EXPECT_EQ(parsed.error().code, KeystoneError::bad_data_length);
  EXPECT_THAT(parsed.error().message, HasSubstr("found 1025"));
}

TEST_F(KeystoneDevice, what_is_no_evidence_is_malformed) {
  const auto verifier = *make_verifier(TeeKind::keystone, {});
  for (const json::Value& evidence :
       {json::Value{1}, json::Value{json::Object{}}, json::Value{json::Object{{"report", 1}}},
        json::Value{json::Object{{"report", "*"}}},
        json::Value{json::Object{{"report", codec::base64_encode(report())}, {"x5chain", 1}}},
        json::Value{json::Object{{"report", codec::base64_encode(report())}, {"x5chain", json::Array{}}}}}) {
    EXPECT_EQ(verifier->verify(evidence, {}, now).error().code, EvidenceError::malformed);
  }
}

TEST_F(KeystoneDevice, settings_that_do_not_fit_are_errors) {
  for (const json::Object& section :
       {json::Object{{"trusted_keys", json::Array{"abcd"}}}, json::Object{{"trusted_keys", json::Array{1}}},
        json::Object{{"trusted_keys", "text"}}, json::Object{{"security_monitors", json::Array{"00"}}},
        json::Object{{"allow_test_key", 1}}}) {
    EXPECT_EQ(make_verifier(TeeKind::keystone, options(section)).error().code, EvidenceError::bad_config);
  }
}

TEST_F(KeystoneDevice, raw_reports_become_evidence_and_are_described) {
  const auto verifier = *make_verifier(TeeKind::keystone, {});
  const auto evidence = verifier->from_raw(report(), {});
  ASSERT_TRUE(evidence);
  EXPECT_TRUE(verifier->inspect(*evidence)->contains("enclave_signature"));
  EXPECT_EQ(verifier->from_raw(as_bytes("x"), {}).error().code, KeystoneError::bad_size);
}

class KeystoneSimulated : public testing::Test {
 protected:
  json::Value evidence(std::vector<std::string> faults = {}) {
    return *simulate_evidence(root_, digest, {.faults = std::move(faults)}, now);
  }
  Result<std::vector<Claims>> verify(const json::Value& evidence, bool chosen = true) {
    VerifierOptions options{.simulator_roots = {root_.certificate}};
    if (chosen) options.simulated_tees = {TeeKind::keystone};
    return (*make_verifier(TeeKind::keystone, options))->verify(evidence, {digest, {}}, now);
  }
  ErrorCode code(std::vector<std::string> faults) {
    const auto claims = verify(evidence(std::move(faults)));
    return claims ? ErrorCode{EvidenceError::no_device} : claims.error().code;
  }
  static inline const SimulatorRoot root_ = *make_simulator_root(now);
};

TEST_F(KeystoneSimulated, evidence_is_verified_where_it_was_chosen_and_names_its_root) {
  const auto claims = verify(evidence());
  ASSERT_TRUE(claims) << to_string(claims.error());
  EXPECT_THAT(claims->front().simulated_root.value_or(""), HasSubstr("SIMULATED, NOT SECURE"));
  EXPECT_EQ(verify(evidence(), false).error().code, EvidenceError::simulated_refused);
}

TEST_F(KeystoneSimulated, each_fault_has_its_own_code) {
  EXPECT_EQ(code({"wrong-nonce"}), EvidenceError::report_data_mismatch);
  EXPECT_EQ(code({"bad-signature"}), KeystoneError::enclave_signature);
  EXPECT_EQ(code({"bad-monitor-signature"}), KeystoneError::monitor_signature);
  EXPECT_EQ(code({"expired"}), KeystoneError::untrusted_chain);
  EXPECT_EQ(code({"wrong-root"}), KeystoneError::untrusted_chain);
  EXPECT_EQ(code({"wrong-measurement"}), EvidenceError::no_device) << "a measurement is for the policy to judge";
  EXPECT_EQ(code({"wrong-monitor"}), EvidenceError::no_device);
  EXPECT_EQ(simulate_evidence(root_, digest, {.faults = {"odd"}}, now).error().code, EvidenceError::bad_config);
}

TEST_F(KeystoneSimulated, certificates_of_another_device_vouch_for_nothing) {
  auto mixed = *evidence().if_object();
  mixed.set("x5chain", *evidence().find("x5chain"));
  EXPECT_EQ(verify(json::Value{mixed}).error().code, KeystoneError::untrusted_chain);
  mixed.set("x5chain", json::Array{"AAAA"});
  EXPECT_EQ(verify(json::Value{mixed}).error().code, KeystoneError::untrusted_chain);
}

TEST_F(KeystoneSimulated, the_simulators_evidence_is_verified_under_the_root_in_its_directory) {
  const TemporaryDirectory directory;
  const auto root = *make_simulator_root(system_clock().now());
  ASSERT_TRUE(write_simulator_root(directory.path(), root));
  const auto simulator = *make_simulator(TeeKind::keystone, {.simulator_directory = directory.path()});
  const auto made = simulator->attest(digest);
  ASSERT_TRUE(made) << to_string(made.error());
  VerifierOptions options{.simulator_roots = {root.certificate}, .simulated_tees = {TeeKind::keystone}};
  EXPECT_TRUE((*make_verifier(TeeKind::keystone, options))->verify(*made, {digest, {}}, system_clock().now()));
  EXPECT_EQ(simulator->attest(Bytes(1025)).error().code, EvidenceError::malformed);
}

}  // namespace
}  // namespace coffer::evidence::keystone
