#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "codec/base64.h"
#include "codec/jose/jwk.h"
#include "evidence/cca/cca.h"
#include "evidence/cca/settings.h"
#include "evidence/cca/simulate.h"
#include "evidence/init_data.h"
#include "evidence/mutation_testing.h"
#include "testing/temporary_directory.h"
#include "testing/vectors.h"

namespace coffer::evidence::cca {
namespace {

namespace json = codec::json;
using namespace std::chrono_literals;
using ::testing::HasSubstr;

const TimePoint now = *parse_rfc3339("2026-03-01T12:00:00Z");

std::string base64_member(const json::Value& claims, std::string_view pointer) {
  return codec::hex_encode(*codec::base64_decode(*claims.at_pointer(pointer)->if_string()));
}

class CcaVector : public ::testing::Test {
 protected:
  void SetUp() override {
    COFFER_REQUIRE_VECTORS();
    token_ = testing::read_vector_bytes("cca/cca-example-token.cbor");
    key_ = *json::parse(testing::read_vector("cca/cpak-pub.json"));
  }

  json::Object settings(json::Object entry) {
    return {{"cca_verifier", json::Object{{"trusted_keys", json::Array{std::move(entry)}}}}};
  }
  json::Object platform_key() {
    return {{"pkey", key_},
            {"instance-id", "0107060504030201000f0e0d0c0b0a090817161514131211101f1e1d1c1b1a1918"},
            {"implementation-id", "7f454c4602010100000000000000000003003e00010000005058000000000000"}};
  }
  Result<std::vector<Claims>> verify(ByteView token, const Binding& binding, json::Object config) {
    return (*make_verifier(TeeKind::cca, {.config = std::move(config)}))->verify(evidence_of(token), binding, now);
  }
  Result<std::vector<Claims>> verify(ByteView token) { return verify(token, {}, settings(platform_key())); }

  Bytes token_;
  json::Value key_;
};

TEST_F(CcaVector, is_verified_by_its_platforms_key_with_upstreams_claims) {
  const auto claims = verify(token_);
  ASSERT_TRUE(claims) << to_string(claims.error());
  const json::Value shown{claims->front().claims};
  EXPECT_EQ(base64_member(shown, "/platform/cca-platform-implementation-id"),
            "7f454c4602010100000000000000000003003e00010000005058000000000000");
  EXPECT_EQ(shown.at_pointer("/platform/cca-platform-lifecycle")->if_uint64(), 12291U);
  EXPECT_EQ(shown.at_pointer("/platform/cca-platform-sw-components")->if_array()->size(), 13U);
  EXPECT_EQ(*shown.at_pointer("/platform/cca-platform-sw-components/0/measurement-type")->if_string(), "RSE_BL1_2");
  EXPECT_EQ(*shown.at_pointer("/realm/cca-realm-hash-algo-id")->if_string(), "sha-512");
  EXPECT_EQ(*shown.at_pointer("/realm/cca-realm-initial-measurement")->if_string(),
            "rof79/EF5xp4J8tvCJaInHPSvq9IMNT5ywXj6Ww/x7T6oEyvNqJr0JTPnHtzhhfkwYmq7hhN7dpdegPDnb2sfA==");
  EXPECT_EQ(shown.at_pointer("/realm/cca-realm-extensible-measurements")->if_array()->size(), 4U);
  EXPECT_EQ(claims->front().init_data, std::string(128, '0'));
  EXPECT_FALSE(claims->front().simulated_root);
}

TEST_F(CcaVector, claims_have_the_names_of_upstreams_example) {
  const auto example = *json::parse(testing::read_vector("cca/cca-claims.json"));
  const json::Value shown{verify(token_)->front().claims};
  for (const auto part : {"realm", "platform"}) {
    for (const auto& [name, value] : *example.find(part)->if_object()) {
      const auto* own = shown.find(part)->find(name);
      ASSERT_NE(own, nullptr) << name;
      EXPECT_EQ(own->type_name(), value.type_name()) << name;
    }
  }
}

TEST_F(CcaVector, holds_in_the_newer_wrapping_with_the_same_claims) {
  const auto wrapped = encode(*parse_collection(token_), Wrapping::cmw);
  ASSERT_NE(wrapped, token_);
  const auto claims = verify(wrapped);
  ASSERT_TRUE(claims) << to_string(claims.error());
  EXPECT_EQ(json::Value{claims->front().claims}, json::Value{verify(token_)->front().claims});
}

TEST_F(CcaVector, is_bound_to_its_challenge) {
  const auto challenge = parse_token(token_)->realm.challenge;
  EXPECT_TRUE(verify(token_, {.report_data = challenge}, settings(platform_key())));
  const auto other = verify(token_, {.report_data = Bytes(48)}, settings(platform_key()));
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code, EvidenceError::report_data_mismatch);
}

TEST_F(CcaVector, is_bound_to_its_personalization_value) {
  EXPECT_TRUE(verify(token_, {.init_data_digest = Bytes(32)}, settings(platform_key())));
  EXPECT_EQ(verify(token_, {.init_data_digest = Bytes(32, std::byte{1})}, settings(platform_key())).error().code,
            EvidenceError::init_data_mismatch);
}

TEST_F(CcaVector, needs_a_key_of_its_instance_and_implementation) {
  EXPECT_EQ(verify(token_, {}, {}).error().code, EvidenceError::collateral_missing);
  for (const auto id : {"instance-id", "implementation-id"}) {
    auto entry = platform_key();
    entry.set(id, "00");
    const auto claims = verify(token_, {}, settings(entry));
    ASSERT_FALSE(claims);
    EXPECT_EQ(claims.error().code, EvidenceError::collateral_missing);
    EXPECT_THAT(claims.error().message, HasSubstr("0107060504"));
    entry.erase(id);
    EXPECT_TRUE(verify(token_, {}, settings(entry))) << "an id that is not stated matches all";
  }
}

TEST_F(CcaVector, another_platforms_key_does_not_verify_it) {
  auto entry = platform_key();
  const auto other = crypto::PrivateKey::generate(crypto::KeyKind::ec_p384)->public_key();
  entry.set("pkey", other.to_pem());
  EXPECT_EQ(verify(token_, {}, settings(entry)).error().code, CcaError::platform_signature);
}

TEST_F(CcaVector, every_changed_byte_and_length_is_refused) {
  const auto verifier = *make_verifier(TeeKind::cca, {.config = settings(platform_key())});
  const auto accepts = [&](ByteView changed) { return verifier->verify(evidence_of(changed), {}, now).has_value(); };
  expect_every_changed_byte_refused(token_, accepts);
  expect_every_other_length_refused(token_, accepts, 7);
}

// Trust anchors come from settings, from upstream's file by the environment, or from a file of the same form.
class CcaSettings : public ::testing::Test {
 protected:
  void TearDown() override { ::unsetenv("CCA_CONFIG_FILE"); }
  std::string path(std::string_view name) const { return (directory_.path() / name).string(); }
  ErrorCode failure(const json::Object& config) {
    const auto settings = read_settings(config);
    return settings ? ErrorCode{EvidenceError::no_device} : settings.error().code;
  }
  ErrorCode upstream_failure(std::string_view content) {
    directory_.write("config.json", content);
    ::setenv("CCA_CONFIG_FILE", path("config.json").c_str(), 1);
    return failure({});
  }
  void write_store() {
    const auto key = crypto::PrivateKey::generate(crypto::KeyKind::ec_p256)->public_key();
    directory_.write("ta.json", json::serialize(json::Array{json::Object{{"pkey", codec::jose::to_jwk(key)}}}));
  }
  TemporaryDirectory directory_;
};

TEST_F(CcaSettings, upstreams_config_file_names_a_store_of_keys) {
  write_store();
  EXPECT_EQ(upstream_failure(R"({"cca-verifier":{"type":"local","rv-store":"none","ta-store":")" + path("ta.json") +
                             R"("}})"),
            EvidenceError::no_device);
  EXPECT_EQ(read_settings({})->trusted_keys.size(), 1U);
  EXPECT_TRUE(read_settings({{"cca_verifier", json::Object{}}})->trusted_keys.empty()) << "settings come first";
}

TEST_F(CcaSettings, upstream_files_that_cannot_be_followed_are_errors) {
  EXPECT_EQ(upstream_failure(R"({"cca-verifier":{"type":"remote","address":"https://x"}})"), EvidenceError::bad_config);
  EXPECT_EQ(upstream_failure(R"({"cca-verifier":{"type":"local"}})"), EvidenceError::bad_config);
  EXPECT_EQ(upstream_failure(R"({"cca-verifier":{"type":"local","ta-store":"/nonexistent"}})"),
            EvidenceError::bad_config);
  EXPECT_EQ(upstream_failure("{}"), EvidenceError::bad_config);
  EXPECT_EQ(upstream_failure("{"), EvidenceError::bad_config);
  ::setenv("CCA_CONFIG_FILE", "/nonexistent", 1);
  EXPECT_EQ(failure({}), EvidenceError::bad_config);
}

TEST_F(CcaSettings, keys_of_the_settings_and_of_their_file_are_joined) {
  write_store();
  const auto key = crypto::PrivateKey::generate(crypto::KeyKind::ec_p256)->public_key();
  const auto settings = read_settings(
      {{"cca_verifier", json::Object{{"ta_store", path("ta.json")},
                                     {"trusted_keys", json::Array{json::Object{{"pkey", key.to_pem()}}}}}}});
  ASSERT_TRUE(settings) << to_string(settings.error());
  EXPECT_EQ(settings->trusted_keys.size(), 2U);
}

class CcaSimulated : public ::testing::Test {
 protected:
  static Bytes digest() { return Bytes(48, std::byte{0x11}); }
  Bytes token(std::vector<std::string> faults = {}) {
    Simulation wanted{.challenge = fit_digest(digest(), 64)};
    wanted.settings.faults = std::move(faults);
    return *simulate_token(root_, wanted, now);
  }
  VerifierOptions options(json::Object section = {}) {
    VerifierOptions out;
    out.config.set("cca_verifier", std::move(section));
    out.simulator_roots = {root_.certificate};
    out.simulated_tees = {TeeKind::cca};
    return out;
  }
  Result<std::vector<Claims>> verify(ByteView token, const VerifierOptions& options) {
    return (*make_verifier(TeeKind::cca, options))->verify(evidence_of(token), {digest(), {}}, now);
  }
  ErrorCode code(std::vector<std::string> faults) {
    const auto claims = verify(token(std::move(faults)), options());
    return claims ? ErrorCode{EvidenceError::no_device} : claims.error().code;
  }
  static inline const SimulatorRoot root_ = *make_simulator_root(now);
};

TEST_F(CcaSimulated, token_is_verified_and_names_its_root) {
  const auto claims = verify(token(), options());
  ASSERT_TRUE(claims) << to_string(claims.error());
  EXPECT_THAT(claims->front().simulated_root.value_or(""), HasSubstr("SIMULATED, NOT SECURE"));
  EXPECT_EQ(claims->front().report_data, codec::hex_encode(fit_digest(digest(), 64)));
}

TEST_F(CcaSimulated, newer_profiles_with_a_cose_key_are_verified) {
  const auto token =
      simulate_token(root_, {.challenge = fit_digest(digest(), 64), .settings = {}, .cose_key = true}, now);
  const auto claims = verify(*token, options());
  ASSERT_TRUE(claims) << to_string(claims.error());
  EXPECT_EQ(*claims->front().claims.find("realm")->find("cca-realm-profile")->if_string(), realm_profile);
}

TEST_F(CcaSimulated, newer_wrapping_is_verified_and_none_of_its_bytes_may_change) {
  const auto wrapped =
      *simulate_token(root_, {.challenge = fit_digest(digest(), 64), .settings = {}, .wrapping = Wrapping::cmw}, now);
  const auto verifier = *make_verifier(TeeKind::cca, options());
  const auto accepts = [&](ByteView changed) {
    return verifier->verify(evidence_of(changed), {digest(), {}}, now).has_value();
  };
  expect_every_changed_byte_refused(wrapped, accepts, {}, 3);
}

TEST_F(CcaSimulated, wrapping_is_a_dial) {
  TemporaryDirectory directory;
  ASSERT_TRUE(write_simulator_root(directory.path(), *make_simulator_root(system_clock().now())));
  const auto attester = *make_simulator(TeeKind::cca, {.simulator_directory = directory.path()});
  const auto attest = [&](std::uint64_t tag) {
    EXPECT_TRUE(save_simulator_settings(directory.path(), TeeKind::cca, {.values = {{"cbor-tag", tag}}}));
    return attester->attest(Bytes(48));
  };
  const auto first_bytes = [&](std::uint64_t tag) { return json::serialize(*attest(tag)).substr(0, 22); };
  EXPECT_EQ(first_bytes(399), R"({"token":[217,1,143,16)");
  EXPECT_EQ(first_bytes(907), R"({"token":[217,3,139,16)");
  EXPECT_EQ(attest(400).error().code, EvidenceError::bad_config);
}

TEST_F(CcaSimulated, root_that_was_not_chosen_is_refused_by_name) {
  EXPECT_EQ(verify(token(), {}).error().code, EvidenceError::simulated_refused);
}

TEST_F(CcaSimulated, each_fault_has_its_own_code) {
  EXPECT_EQ(code({"wrong-nonce"}), EvidenceError::report_data_mismatch);
  EXPECT_EQ(code({"debug"}), CcaError::not_secured);
  EXPECT_EQ(code({"unbound-realm-key"}), CcaError::unbound_realm_key);
  EXPECT_EQ(code({"bad-signature"}), CcaError::platform_signature);
  EXPECT_EQ(code({"bad-realm-signature"}), CcaError::realm_signature);
  EXPECT_EQ(code({"expired"}), CcaError::untrusted_platform);
  EXPECT_EQ(code({"wrong-root"}), CcaError::untrusted_platform);
  EXPECT_EQ(code({"wrong-measurement"}), EvidenceError::no_device) << "a measurement is for the policy to judge";
  EXPECT_EQ(simulate_token(root_, {.settings = {.faults = {"odd"}}}, now).error().code, EvidenceError::bad_config);
}

TEST_F(CcaSimulated, platform_in_debug_is_accepted_where_that_is_allowed) {
  EXPECT_TRUE(verify(token({"debug"}), options({{"allow_unsecured", true}})));
}

TEST_F(CcaSimulated, every_changed_byte_is_refused_with_certificates_in_the_token) {
  const auto valid = token();
  const auto verifier = *make_verifier(TeeKind::cca, options());
  const auto accepts = [&](ByteView changed) {
    return verifier->verify(evidence_of(changed), {digest(), {}}, now).has_value();
  };
  expect_every_changed_byte_refused(valid, accepts, {}, 3);
}

TEST_F(CcaSimulated, what_is_no_evidence_is_malformed) {
  const auto verifier = *make_verifier(TeeKind::cca, {});
  for (const json::Value& evidence :
       {json::Value{1}, json::Value{json::Object{}}, json::Value{json::Object{{"token", "text"}}},
        json::Value{json::Object{{"token", json::Array{256}}}}, json::Value{json::Object{{"token", json::Array{-1}}}},
        json::Value{json::Object{{"token", json::Array(max_token + 1, json::Value{0})}}}}) {
    EXPECT_EQ(verifier->verify(evidence, {}, now).error().code, EvidenceError::malformed);
  }
}

TEST_F(CcaSimulated, raw_tokens_become_evidence_and_are_described) {
  const auto verifier = *make_verifier(TeeKind::cca, {});
  const auto raw = token({"debug"});
  const auto evidence = verifier->from_raw(raw, {});
  ASSERT_TRUE(evidence);
  const auto shown = verifier->inspect(*evidence);
  ASSERT_TRUE(shown);
  EXPECT_EQ(*shown->find("platform_lifecycle")->if_string(), "recoverable-psa-rot-debug");
  EXPECT_EQ(verifier->from_raw(as_bytes("x"), {}).error().code, CcaError::not_a_token);
}

}  // namespace
}  // namespace coffer::evidence::cca
