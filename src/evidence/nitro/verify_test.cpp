#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "codec/base64.h"
#include "evidence/mutation_testing.h"
#include "evidence/nitro/chain.h"
#include "evidence/nitro/nitro.h"
#include "evidence/nitro/simulate.h"
#include "testing/vectors.h"

namespace coffer::evidence::nitro {
namespace {

namespace json = codec::json;
using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

const TimePoint now = *parse_rfc3339("2026-03-01T12:00:00Z");
const Bytes digest(48, std::byte{0x11});

json::Value evidence_of(ByteView document) {
  return json::Object{{"document", codec::base64_encode(document)}};
}

// The recorded documents stand in a wrapper of dstack's: one byte of version, one of kind, a SCALE compact length of
// two bytes, the document, and what dstack adds.
Bytes unwrapped(std::string_view vector) {
  const auto file = testing::read_vector_bytes(vector);
  const auto low = std::to_integer<unsigned>(file.at(2));
  const auto high = std::to_integer<unsigned>(file.at(3));
  const auto size = (low | high << 8) >> 2;
  return {file.begin() + 4, file.begin() + 4 + size};
}

class Recorded : public ::testing::Test {
 protected:
  void SetUp() override { COFFER_REQUIRE_VECTORS(); }

  Result<std::vector<Claims>> verify(ByteView document, Binding binding = {}, json::Object settings = {},
                                     std::optional<TimePoint> at = std::nullopt) {
    const auto parsed = parse_document(document);
    const auto time = at ? *at : parsed ? parsed->payload.timestamp() : now;
    VerifierOptions options;
    options.config.set("nitro_verifier", std::move(settings));
    return (*make_verifier(TeeKind::nitro, options))->verify(evidence_of(document), binding, time);
  }
};

TEST_F(Recorded, production_document_is_verified_in_full_with_its_claims) {
  const auto document = unwrapped("nitro/nitro_attestation.bin");
  const auto claims = verify(document);
  ASSERT_TRUE(claims) << to_string(claims.error());
  ASSERT_EQ(claims->size(), 1U);
  const json::Value shown{claims->front().claims};
  EXPECT_EQ(*shown.find("module_id")->if_string(), "i-0827e799ec9232d44-enc019b55a68bd2ed4b");
  EXPECT_EQ(shown.find("timestamp")->if_uint64(), 0x19b55a68eeaU);
  EXPECT_EQ(*shown.find("digest")->if_string(), "SHA384");
  EXPECT_FALSE(*shown.find("debug")->if_bool());
  EXPECT_EQ(shown.find("pcrs")->if_object()->size(), 16U);
  EXPECT_EQ(*shown.at_pointer("/pcrs/pcr0")->if_string(),
            "5cb702954321826d7939d6da829a940d787fcf32357beb8eae1ddf33c28c17d36f3ac3ba6828fdf7edeed02889702da6");
  EXPECT_FALSE(claims->front().simulated_root);
}

TEST_F(Recorded, the_pinned_root_is_the_published_one) {
  const auto root = crypto::Certificate::from_pem(testing::read_vector("nitro/AWS_NitroEnclaves_Root-G1.pem"));
  ASSERT_TRUE(root);
  EXPECT_EQ(codec::hex_encode(root->sha256_fingerprint()), aws_root_fingerprint);
}

TEST_F(Recorded, production_document_is_refused_outside_its_certificates_validity) {
  const auto document = unwrapped("nitro/nitro_attestation.bin");
  const auto made = parse_document(document)->payload.timestamp();
  EXPECT_EQ(verify(document, {}, {{"max_age_seconds", 86'400}}, made + 5h).error().code,
            NitroError::certificate_expired);
  EXPECT_EQ(verify(document, {}, {}, made - 24h).error().code, NitroError::certificate_expired);
}

TEST_F(Recorded, production_document_is_bound_to_what_it_states) {
  const auto document = unwrapped("nitro/nitro_attestation.bin");
  const auto payload = parse_document(document)->payload;
  const auto stated = payload.nonce ? payload.nonce : payload.user_data;
  ASSERT_TRUE(stated);
  EXPECT_TRUE(verify(document, {.report_data = *stated}));
  EXPECT_EQ(verify(document, {.report_data = digest}).error().code, EvidenceError::report_data_mismatch);
}

TEST_F(Recorded, debug_document_is_refused_unless_debug_is_allowed_by_name) {
  const auto document = unwrapped("nitro/nitro_attestation_dbg.bin");
  EXPECT_EQ(verify(document).error().code, NitroError::debug_mode);
  const auto claims = verify(document, {}, {{"allow_debug", true}});
  ASSERT_TRUE(claims) << to_string(claims.error());
  EXPECT_TRUE(*claims->front().claims.find("debug")->if_bool());
}

TEST_F(Recorded, every_changed_byte_and_length_is_refused) {
  const auto document = unwrapped("nitro/nitro_attestation.bin");
  const auto at = parse_document(document)->payload.timestamp();
  const auto accepts = [&](ByteView changed) { return verify(changed, {}, {}, at).has_value(); };
  expect_every_changed_byte_refused(document, accepts);
  expect_every_other_length_refused(document, accepts, 13);
}

class Simulated : public ::testing::Test {
 protected:
  Bytes document(Simulation wanted = {}) {
    if (!wanted.nonce) wanted.nonce = digest;
    return *simulate_document(root_, wanted, now);
  }

  Result<std::vector<Claims>> verify(ByteView document, Binding binding = {.report_data = digest}, TimePoint at = now) {
    return verifier({root_.certificate})->verify(evidence_of(document), binding, at);
  }

  Error refusal(ByteView document, const Binding& binding = {.report_data = digest}, TimePoint at = now) {
    const auto claims = verify(document, binding, at);
    EXPECT_FALSE(claims);
    return claims ? Error{EvidenceError::no_device, "accepted"} : claims.error();
  }
  Error refusal(Fault fault) { return refusal(document({.faults = {fault}})); }

  std::unique_ptr<Verifier> verifier(std::vector<crypto::Certificate> roots) {
    VerifierOptions options;
    options.config = config_;
    options.simulator_roots = std::move(roots);
    options.simulated_tees = {TeeKind::nitro};
    return *make_verifier(TeeKind::nitro, options);
  }

  static inline const SimulatorRoot root_ = *make_simulator_root(now);
  json::Object config_;
};

TEST_F(Simulated, document_is_verified_and_names_its_root) {
  const auto claims = verify(document({.user_data = Bytes(3, std::byte{9}), .public_key = Bytes(2)}));
  ASSERT_TRUE(claims) << to_string(claims.error());
  EXPECT_THAT(claims->front().simulated_root.value_or(""), HasSubstr("SIMULATED, NOT SECURE"));
  EXPECT_EQ(claims->front().report_data, codec::hex_encode(digest));
  EXPECT_FALSE(claims->front().init_data);
  std::vector<std::string> names;
  for (const auto& [name, value] : claims->front().claims) names.push_back(name);
  EXPECT_THAT(names,
              ElementsAre("module_id", "timestamp", "digest", "pcrs", "debug", "nonce", "user_data", "public_key"));
  EXPECT_EQ(*claims->front().claims.find("user_data")->if_string(), "090909");
}

TEST_F(Simulated, root_that_was_not_chosen_is_refused_by_name) {
  const auto made = document();
  const auto claims = (*make_verifier(TeeKind::nitro, {}))->verify(evidence_of(made), {digest, {}}, now);
  ASSERT_FALSE(claims);
  EXPECT_EQ(claims.error().code, EvidenceError::simulated_refused);
  const auto other = *make_simulator_root(now);
  EXPECT_EQ(verifier({other.certificate})->verify(evidence_of(made), {digest, {}}, now).error().code,
            EvidenceError::simulated_refused);
}

TEST_F(Simulated, report_data_is_in_nonce_or_user_data_and_has_its_own_length) {
  EXPECT_TRUE(verify(document({.nonce = Bytes(8), .user_data = digest})));
  auto padded = digest;
  padded.resize(64);
  EXPECT_EQ(refusal(document({.nonce = padded})).code, EvidenceError::report_data_mismatch);
  const auto error = refusal(document({.nonce = Bytes(8), .public_key = digest}));
  EXPECT_EQ(error.code, EvidenceError::report_data_mismatch);
  EXPECT_THAT(error.message, HasSubstr("found nonce 0000000000000000 and user_data none"));
}

TEST_F(Simulated, report_data_is_not_compared_where_none_is_bound) {
  const auto claims = verify(document({.nonce = Bytes(8)}), {});
  ASSERT_TRUE(claims);
  EXPECT_EQ(claims->front().report_data, "0000000000000000");
}

TEST_F(Simulated, init_data_is_the_extension_of_pcr16) {
  const Bytes init(32, std::byte{5});
  Simulation wanted;
  EXPECT_EQ(refusal(document(wanted), {digest, init}).code, EvidenceError::init_data_mismatch);
  wanted.pcrs[16] = init_data_pcr_value(init);
  const auto claims = verify(document(wanted), {digest, init});
  ASSERT_TRUE(claims) << to_string(claims.error());
  EXPECT_EQ(claims->front().init_data, codec::hex_encode(init_data_pcr_value(init)));
  EXPECT_EQ(verify(document(wanted))->front().init_data, codec::hex_encode(init_data_pcr_value(init)));
  EXPECT_EQ(refusal(document(wanted), {digest, Bytes(32)}).code, EvidenceError::init_data_mismatch);
}

TEST_F(Simulated, each_fault_has_its_own_code) {
  EXPECT_EQ(refusal(Fault::debug).code, NitroError::debug_mode);
  EXPECT_EQ(refusal(Fault::wrong_nonce).code, EvidenceError::report_data_mismatch);
  EXPECT_EQ(refusal(Fault::expired).code, NitroError::certificate_expired);
  EXPECT_EQ(refusal(Fault::wrong_root).code, NitroError::unknown_root);
  EXPECT_EQ(refusal(Fault::clock_skew).code, NitroError::from_the_future);
  EXPECT_EQ(refusal(Fault::bad_signature).code, NitroError::bad_signature);
}

TEST_F(Simulated, another_image_is_verified_and_left_to_policy) {
  const auto claims = verify(document({.faults = {Fault::wrong_pcr}}));
  ASSERT_TRUE(claims);
  EXPECT_NE(*json::Value{claims->front().claims}.at_pointer("/pcrs/pcr0")->if_string(),
            codec::hex_encode(Simulation::simulated_pcrs()[0]));
}

TEST_F(Simulated, documents_are_fresh_for_an_hour_or_as_long_as_configured) {
  EXPECT_TRUE(verify(document(), {digest, {}}, now + 60min));
  EXPECT_EQ(refusal(document(), {digest, {}}, now + 61min).code, NitroError::stale);
  EXPECT_TRUE(verify(document(), {digest, {}}, now - 5min));
  EXPECT_EQ(refusal(document(), {digest, {}}, now - 6min).code, NitroError::from_the_future);
  config_ = {{"nitro_verifier", json::Object{{"max_age_seconds", 60}}}};
  EXPECT_EQ(refusal(document(), {digest, {}}, now + 61s).code, NitroError::stale);
}

TEST_F(Simulated, settings_that_do_not_fit_are_errors) {
  const auto code = [](json::Object settings) {
    VerifierOptions options;
    options.config.set("nitro_verifier", std::move(settings));
    const auto made = make_verifier(TeeKind::nitro, options);
    return made ? ErrorCode{EvidenceError::no_device} : made.error().code;
  };
  EXPECT_EQ(code({{"allow_debug", "yes"}}), EvidenceError::bad_config);
  EXPECT_EQ(code({{"max_age_seconds", 0}}), EvidenceError::bad_config);
  EXPECT_EQ(code({{"max_age_seconds", -1}}), EvidenceError::bad_config);
}

TEST_F(Simulated, what_is_no_evidence_is_malformed) {
  for (const json::Value& evidence :
       {json::Value{"text"}, json::Value{json::Object{}}, json::Value{json::Object{{"document", 1}}},
        json::Value{json::Object{{"document", "*"}}}}) {
    const auto claims = verifier({})->verify(evidence, {}, now);
    ASSERT_FALSE(claims);
    EXPECT_EQ(claims.error().code, EvidenceError::malformed);
  }
}

TEST_F(Simulated, raw_documents_become_evidence_and_are_described) {
  const auto raw = document();
  const auto evidence = verifier({})->from_raw(raw, {});
  ASSERT_TRUE(evidence);
  EXPECT_EQ(*evidence, evidence_of(raw));
  const auto shown = verifier({})->inspect(*evidence);
  ASSERT_TRUE(shown);
  EXPECT_EQ(*shown->find("made_at")->if_string(), "2026-03-01T12:00:00Z");
  EXPECT_THAT(*json::Value{*shown}.at_pointer("/cabundle/0/subject")->if_string(), HasSubstr("NOT SECURE"));
  EXPECT_EQ(verifier({})->from_raw(as_bytes("x"), {}).error().code, NitroError::not_a_document);
}

// Chains of the document's own grammar that a hostile host could put together.
class Chains : public Simulated {
 protected:
  struct Party {
    crypto::Certificate certificate;
    crypto::PrivateKey key;
  };
  static Party issue(const crypto::CertificateRequest& request, const crypto::Issuer& issuer,
                     crypto::KeyKind kind = crypto::KeyKind::ec_p384) {
    auto key = *crypto::PrivateKey::generate(kind);
    auto certificate = *crypto::issue(request, key.public_key(), issuer);
    return {std::move(certificate), std::move(key)};
  }
  static crypto::CertificateRequest request(std::string name, bool is_ca) {
    return {.common_name = std::move(name), .not_before = now - 1h, .not_after = now + 1h, .is_ca = is_ca};
  }
  static ErrorCode code(ByteView leaf, std::vector<Bytes> cabundle) {
    Payload payload;
    payload.certificate = to_bytes(leaf);
    payload.cabundle = std::move(cabundle);
    const auto result = verify_chain(payload, {&root_.certificate, 1}, now);
    return result ? ErrorCode{EvidenceError::no_device} : result.error().code;
  }
  const Bytes& root_der() { return root_.certificate.der(); }
};

TEST_F(Chains, a_leaf_below_the_root_is_trusted) {
  const auto leaf = issue(request("leaf", false), root_.issuer());
  EXPECT_EQ(code(leaf.certificate.der(), {root_der()}), EvidenceError::no_device);
}

TEST_F(Chains, bytes_that_are_no_certificate_are_refused_wherever_they_stand) {
  const auto leaf = issue(request("leaf", false), root_.issuer());
  EXPECT_EQ(code(Bytes(4), {root_der()}), NitroError::bad_certificate);
  EXPECT_EQ(code(leaf.certificate.der(), {Bytes(4)}), NitroError::bad_certificate);
  EXPECT_EQ(code(leaf.certificate.der(), {root_der(), Bytes(4)}), NitroError::bad_certificate);
}

TEST_F(Chains, a_missing_intermediate_breaks_the_chain) {
  const auto zone = issue(request("zone", true), root_.issuer());
  const auto leaf = issue(request("leaf", false), {zone.certificate, zone.key});
  EXPECT_EQ(code(leaf.certificate.der(), {root_der(), zone.certificate.der()}), EvidenceError::no_device);
  EXPECT_EQ(code(leaf.certificate.der(), {root_der()}), NitroError::untrusted);
}

TEST_F(Chains, the_root_must_stand_first) {
  const auto zone = issue(request("zone", true), root_.issuer());
  const auto leaf = issue(request("leaf", false), {zone.certificate, zone.key});
  EXPECT_EQ(code(leaf.certificate.der(), {zone.certificate.der(), root_der()}), NitroError::unknown_root);
}

TEST_F(Chains, a_ca_is_no_leaf_and_certificates_need_their_usage) {
  const auto ca = issue(request("ca", true), root_.issuer());
  EXPECT_EQ(code(ca.certificate.der(), {root_der()}), NitroError::bad_key_usage);
  auto encipherment = request("leaf", false);
  encipherment.usages = {crypto::KeyUsage::key_encipherment};
  EXPECT_EQ(code(issue(encipherment, root_.issuer()).certificate.der(), {root_der()}), NitroError::bad_key_usage);
}

TEST_F(Chains, a_leaf_key_of_another_curve_is_refused) {
  const auto leaf = issue(request("leaf", false), root_.issuer(), crypto::KeyKind::ec_p256);
  EXPECT_EQ(code(leaf.certificate.der(), {root_der()}), NitroError::bad_certificate);
}

TEST_F(Chains, an_expired_intermediate_is_expired) {
  auto wanted = request("zone", true);
  wanted.not_after = now - 1min;
  const auto zone = issue(wanted, root_.issuer());
  const auto leaf = issue(request("leaf", false), {zone.certificate, zone.key});
  EXPECT_EQ(code(leaf.certificate.der(), {root_der(), zone.certificate.der()}), NitroError::certificate_expired);
}

}  // namespace
}  // namespace coffer::evidence::nitro
