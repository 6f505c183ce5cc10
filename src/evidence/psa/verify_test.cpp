#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "codec/base64.h"
#include "evidence/mutation_testing.h"
#include "evidence/psa/psa.h"
#include "evidence/psa/simulate.h"
#include "testing/temporary_directory.h"

namespace coffer::evidence::psa {
namespace {

namespace json = codec::json;
using testing::HasSubstr;

const TimePoint now = *parse_rfc3339("2026-03-01T12:00:00Z");

// RFC 9783, appendix A.1: a COSE_Sign1 token and the key that signed it. Its instance id is not the key's hash.
const Bytes published = *codec::hex_decode(
    "d28443a10126a0590100a8190100582101020202020202020202020202020202020202020202020202020202020202020219095c58200000"
    "0000000000000000000000000000000000000000000000000000000000000a582001010101010101010101010101010101010101010101010"
    "1010101010101010119095a1a7fffffff19095b19300019010978217461673a7073616365727469666965642e6f72672c323032333a70736"
    "12374666d19010c48000000000000000019095f81a3055820040404040404040404040404040404040404040404040404040404040404040"
    "40258200303030303030303030303030303030303030303030303030303030303030303016450526f545840786e937a4c42667af38473993"
    "19ca95c7e7dbabdc9b50fdb8de3f6bff4ab82ff80c42140e2a488000219e3e10663193da69c75f52b798ea10b2f7041a90e8e5a");
const json::Object published_key{{"kty", "EC"},
                                 {"crv", "P-256"},
                                 {"x", "Tl4iCZ47zrRbRG0TVf0dw7VFlHtv18HInYhnmMNybo8"},
                                 {"y", "gNcLhAslaqw0pi7eEEM2TwRAlfADR0uR4Bggkq-xPy4"}};
const std::string published_instance = "010202020202020202020202020202020202020202020202020202020202020202";

class Published : public testing::Test {
 protected:
  Result<std::vector<Claims>> verify(ByteView token, const Binding& binding = {}) {
    json::Array keys{json::Object{{"pkey", published_key}, {"instance-id", instance_}}};
    VerifierOptions options;
    options.config.set("psa_verifier", json::Object{{"trusted_keys", std::move(keys)}});
    return (*make_verifier(TeeKind::psa, options))->verify(evidence_of(token), binding, now);
  }
  std::string instance_ = published_instance;
};

TEST_F(Published, token_is_verified_by_its_key) {
  const auto claims = verify(published, {.report_data = Bytes(32, std::byte{1})});
  ASSERT_TRUE(claims) << to_string(claims.error());
  const json::Value shown{claims->front().claims};
  EXPECT_EQ(*shown.find("eat-profile")->if_string(), tfm_profile);
  EXPECT_EQ(shown.find("psa-client-id")->if_int64(), 2147483647);
  EXPECT_EQ(shown.find("psa-security-lifecycle")->if_int64(), 12288);
  EXPECT_EQ(*shown.at_pointer("/psa-software-components/0/measurement-type")->if_string(), "PRoT");
  EXPECT_FALSE(claims->front().init_data);
}

TEST_F(Published, every_changed_byte_and_length_is_refused) {
  const auto accepts = [&](ByteView changed) { return verify(changed).has_value(); };
  expect_every_changed_byte_refused(published, accepts);
  expect_every_other_length_refused(published, accepts);
}

TEST_F(Published, binding_is_the_nonce_alone) {
  const auto other = verify(published, {.report_data = Bytes(48)});
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code, EvidenceError::report_data_mismatch);
  EXPECT_EQ(verify(published, {.init_data_digest = Bytes(32)}).error().code, EvidenceError::init_data_mismatch);
}

TEST_F(Published, key_of_another_instance_is_none) {
  instance_ = "01" + std::string(64, '0');
  EXPECT_EQ(verify(published).error().code, EvidenceError::collateral_missing);
}

TEST_F(Published, without_an_instance_id_the_key_stands_for_its_own_hash_alone) {
  VerifierOptions options;
  options.config.set("psa_verifier",
                     json::Object{{"trusted_keys", json::Array{json::Object{{"pkey", published_key}}}}});
  const auto claims = (*make_verifier(TeeKind::psa, options))->verify(evidence_of(published), {}, now);
  ASSERT_FALSE(claims);
  EXPECT_EQ(claims.error().code, PsaError::wrong_instance);
  EXPECT_THAT(claims.error().message, HasSubstr("found 0102020202"));
}

class PsaSimulated : public testing::Test {
 protected:
  static Bytes digest() { return Bytes(48, std::byte{0x11}); }
  Bytes token(std::vector<std::string> faults = {}, std::string_view profile = tfm_profile) {
    return *simulate_token(
        root_, {.nonce = digest(), .profile = std::string{profile}, .settings = {.faults = std::move(faults)}}, now);
  }
  VerifierOptions options(json::Object section = {}) {
    VerifierOptions out;
    out.config.set("psa_verifier", std::move(section));
    out.simulator_roots = {root_.certificate};
    out.simulated_tees = {TeeKind::psa};
    return out;
  }
  Result<std::vector<Claims>> verify(ByteView token, const VerifierOptions& options) {
    return (*make_verifier(TeeKind::psa, options))->verify(evidence_of(token), {digest(), {}}, now);
  }
  ErrorCode code(std::vector<std::string> faults) {
    const auto claims = verify(token(std::move(faults)), options());
    return claims ? ErrorCode{EvidenceError::no_device} : claims.error().code;
  }
  static inline const SimulatorRoot root_ = *make_simulator_root(now);
};

TEST_F(PsaSimulated, tokens_of_all_profiles_are_verified_and_name_their_root) {
  for (const auto profile : {tfm_profile, draft_9_profile, profile_1}) {
    const auto claims = verify(token({}, profile), options());
    ASSERT_TRUE(claims) << to_string(claims.error());
    EXPECT_THAT(claims->front().simulated_root.value_or(""), HasSubstr("SIMULATED, NOT SECURE"));
    EXPECT_EQ(claims->front().report_data, codec::hex_encode(digest()));
  }
}

TEST_F(PsaSimulated, each_fault_has_its_own_code) {
  EXPECT_EQ(code({"wrong-nonce"}), EvidenceError::report_data_mismatch);
  EXPECT_EQ(code({"debug"}), PsaError::not_secured);
  EXPECT_EQ(code({"unsecured"}), PsaError::not_secured);
  EXPECT_EQ(code({"wrong-instance"}), PsaError::wrong_instance);
  EXPECT_EQ(code({"bad-signature"}), PsaError::bad_signature);
  EXPECT_EQ(code({"expired"}), PsaError::untrusted_platform);
  EXPECT_EQ(code({"wrong-root"}), PsaError::untrusted_platform);
  EXPECT_EQ(code({"wrong-measurement"}), EvidenceError::no_device) << "a measurement is for the policy to judge";
  EXPECT_EQ(simulate_token(root_, {.settings = {.faults = {"odd"}}}, now).error().code, EvidenceError::bad_config);
}

TEST_F(PsaSimulated, debug_outside_the_root_of_trust_may_be_allowed_and_no_other_state) {
  EXPECT_TRUE(verify(token({"debug"}), options({{"allow_non_rot_debug", true}})));
  EXPECT_EQ(verify(token({"unsecured"}), options({{"allow_non_rot_debug", true}})).error().code, PsaError::not_secured);
}

TEST_F(PsaSimulated, root_that_was_not_chosen_is_refused_by_name) {
  EXPECT_EQ(verify(token(), {}).error().code, EvidenceError::simulated_refused);
}

TEST_F(PsaSimulated, settings_that_do_not_fit_are_errors) {
  EXPECT_EQ(make_verifier(TeeKind::psa, options({{"trusted_keys", 1}})).error().code, EvidenceError::bad_config);
  EXPECT_EQ(make_verifier(TeeKind::psa, options({{"allow_non_rot_debug", 1}})).error().code, EvidenceError::bad_config);
}

TEST_F(PsaSimulated, what_is_no_evidence_is_malformed) {
  const auto verifier = *make_verifier(TeeKind::psa, {});
  for (const json::Value& evidence :
       {json::Value{1}, json::Value{json::Object{}}, json::Value{json::Object{{"token", "*"}}}}) {
    EXPECT_EQ(verifier->verify(evidence, {}, now).error().code, EvidenceError::malformed);
  }
}

TEST_F(PsaSimulated, raw_tokens_become_evidence_and_are_described) {
  const auto verifier = *make_verifier(TeeKind::psa, {});
  const auto evidence = verifier->from_raw(published, {});
  ASSERT_TRUE(evidence);
  EXPECT_TRUE(verifier->inspect(*evidence)->contains("signature"));
  EXPECT_EQ(verifier->from_raw(as_bytes("x"), {}).error().code, PsaError::not_a_token);
}

TEST_F(PsaSimulated, the_simulators_evidence_is_verified_under_the_root_in_its_directory) {
  const TemporaryDirectory directory;
  const auto root = *make_simulator_root(system_clock().now());
  ASSERT_TRUE(write_simulator_root(directory.path(), root));
  const auto simulator = *make_simulator(TeeKind::psa, {.simulator_directory = directory.path()});
  const auto evidence = simulator->attest(digest());
  ASSERT_TRUE(evidence) << to_string(evidence.error());
  VerifierOptions wanted{.simulator_roots = {root.certificate}, .simulated_tees = {TeeKind::psa}};
  EXPECT_TRUE((*make_verifier(TeeKind::psa, wanted))->verify(*evidence, {digest(), {}}, system_clock().now()));
  EXPECT_EQ(simulator->attest(Bytes(20)).error().code, EvidenceError::malformed);
}

}  // namespace
}  // namespace coffer::evidence::psa
