#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "codec/base64.h"
#include "evidence/mutation_testing.h"
#include "evidence/tpm/evidence.h"
#include "evidence/tpm/simulate.h"
#include "evidence/tpm/tpm.h"
#include "testing/vectors.h"

namespace coffer::evidence::tpm {
namespace {

namespace json = codec::json;
using namespace std::chrono_literals;
using ::testing::HasSubstr;

const TimePoint now = from_unix_seconds(1'760'000'000);
const Bytes report_data(48, std::byte{0x11});

// Keys are made once: RSA takes its time.
const SimulatorRoot& root() {
  static const auto out = *make_simulator_root(now);
  return out;
}
const SimulatedKey& key() {
  static const auto out =
      *make_simulated_key(root(), {.kind = crypto::KeyKind::ec_p256, .not_before = now - 1h, .not_after = now + 1h});
  return out;
}

std::shared_ptr<SoftwareTpm> machine(const SimulatedBoot& boot = {}) {
  return *SoftwareTpm::create(key(), {}, boot_log(boot));
}

std::unique_ptr<Attester> attester(std::shared_ptr<SoftwareTpm> tpm, std::optional<Bytes> log = std::nullopt) {
  return make_attester_over(std::move(tpm), [log]() -> Result<std::optional<Bytes>> { return log; });
}

Evidence valid(std::optional<Bytes> log = boot_log({})) {
  return *parse_evidence(*attester(machine(), std::move(log))->attest(report_data));
}

Result<std::vector<Claims>> verify(const json::Value& evidence, const Binding& binding = {report_data},
                                   const json::Object& config = {}) {
  VerifierOptions options;
  options.config = config;
  const auto verifier = make_verifier(TeeKind::tpm, options);
  EXPECT_TRUE(verifier);
  return (*verifier)->verify(evidence, binding, now);
}

Error refusal(const Evidence& evidence, const Binding& binding = {report_data}, const json::Object& config = {}) {
  const auto claims = verify(to_json(evidence), binding, config);
  EXPECT_FALSE(claims);
  return claims ? Error{EvidenceError::no_device, "accepted"} : claims.error();
}

TEST(TpmVerifier, claims_are_upstreams_and_the_events) {
  const auto evidence = valid();
  const auto claims = verify(to_json(evidence));
  ASSERT_TRUE(claims) << to_string(claims.error());
  ASSERT_EQ(claims->size(), 1U);
  const auto& out = claims->front();
  for (unsigned pcr = 0; pcr < pcr_count; ++pcr) {
    const auto name = std::string{"pcr"} + (pcr < 10 ? "0" : "") + std::to_string(pcr);
    ASSERT_NE(out.claims.find(name), nullptr) << name;
    EXPECT_EQ(*out.claims.find(name), json::Value{codec::hex_encode(evidence.pcrs[pcr])});
  }
  EXPECT_EQ(*out.claims.find("ak_public"), json::Value{codec::base64_encode(evidence.ak_public)});
  EXPECT_EQ(*out.claims.find("ak_trust"), json::Value{"unverified"});
  EXPECT_EQ(out.report_data, codec::hex_encode(ByteView{report_data}.first(32)));
  EXPECT_EQ(out.init_data, std::string(64, '0'));
  EXPECT_FALSE(out.simulated_root);
  EXPECT_EQ(out.claims.find("uefi_event_logs")->if_array()->size(), 13U);
}

TEST(TpmVerifier, evidence_without_event_log_has_no_claims_of_events) {
  const auto claims = verify(to_json(valid(std::nullopt)));
  ASSERT_TRUE(claims) << to_string(claims.error());
  EXPECT_FALSE(claims->front().claims.contains("uefi_event_logs"));
}

TEST(TpmVerifier, report_data_padded_by_older_guests_is_taken) {
  auto tpm = machine();
  tpm->other_qualifying_data = report_data;
  tpm->other_qualifying_data->resize(64);
  const auto evidence = attester(tpm)->attest(report_data);
  EXPECT_TRUE(verify(*evidence));
}

TEST(TpmVerifier, other_report_data_is_refused_with_expected_and_actual) {
  const Bytes other(48, std::byte{0x22});
  const auto error = refusal(valid(), {other});
  EXPECT_EQ(error.code, EvidenceError::report_data_mismatch);
  EXPECT_THAT(error.message, HasSubstr(codec::hex_encode(ByteView{other}.first(32))));
  EXPECT_THAT(error.message, HasSubstr(codec::hex_encode(ByteView{report_data}.first(32))));
  EXPECT_TRUE(verify(to_json(valid()), {}));
}

TEST(TpmVerifier, init_data_is_held_against_pcr_8) {
  const Bytes digest(32, std::byte{7});
  auto tpm = machine();
  const auto guest = attester(tpm, boot_log({}));
  ASSERT_TRUE(guest->bind_init_data(digest));
  const auto evidence = guest->attest(report_data);
  const auto claims = verify(*evidence, {report_data, digest});
  ASSERT_TRUE(claims) << to_string(claims.error());
  EXPECT_EQ(claims->front().init_data, codec::hex_encode(extended_once(digest)));
  EXPECT_EQ(verify(*evidence, {report_data, Bytes(32)}).error().code, EvidenceError::init_data_mismatch);
  EXPECT_EQ(refusal(valid(), {report_data, digest}).code, EvidenceError::init_data_mismatch);
}

TEST(TpmVerifier, a_listed_pcr_that_was_not_quoted_is_refused) {
  auto evidence = valid();
  evidence.pcrs[4][0] ^= std::byte{1};
  EXPECT_EQ(refusal(evidence).code, TpmError::pcr_digest_mismatch);
  evidence.pcrs.pop_back();
  EXPECT_EQ(refusal(evidence).code, TpmError::bad_pcr_selection);
}

TEST(TpmVerifier, an_event_log_of_another_boot_is_refused) {
  const auto error = refusal(valid(boot_log({.command_line = "debug"})));
  EXPECT_EQ(error.code, TpmError::event_log_mismatch);
  EXPECT_THAT(error.message, HasSubstr("PCR 9"));
  EXPECT_EQ(refusal(valid(Bytes(3))).code, TpmError::bad_event_log);
}

TEST(TpmVerifier, an_event_log_can_be_asked_for) {
  const json::Object config{{"tpm_verifier", json::Object{{"require_event_log", true}}}};
  EXPECT_TRUE(verify(to_json(valid()), {report_data}, config));
  EXPECT_EQ(refusal(valid(std::nullopt), {report_data}, config).code, TpmError::bad_event_log);
}

TEST(TpmVerifier, a_signature_of_another_key_is_refused) {
  auto evidence = valid();
  evidence.ak_public = crypto::PrivateKey::generate(crypto::KeyKind::ec_p256)->public_key().to_spki_der();
  EXPECT_EQ(refusal(evidence).code, TpmError::bad_signature);
  evidence.ak_public = Bytes(10);
  EXPECT_EQ(refusal(evidence).code, TpmError::bad_ak);
}

TEST(TpmVerifier, an_attestation_of_another_type_or_shape_is_refused) {
  auto evidence = valid();
  evidence.message[5] = std::byte{0x17};
  EXPECT_EQ(refusal(evidence).code, TpmError::not_a_quote);
  evidence = valid();
  evidence.message.clear();
  EXPECT_EQ(refusal(evidence).code, TpmError::bad_quote);
  evidence = valid();
  evidence.signature.clear();
  EXPECT_EQ(refusal(evidence).code, TpmError::bad_signature_format);
}

TEST(TpmVerifier, every_changed_byte_of_what_is_signed_is_refused) {
  const auto evidence = valid(std::nullopt);
  const auto with = [&evidence](auto change) {
    auto changed = evidence;
    change(changed);
    return verify(to_json(changed)).has_value();
  };
  expect_every_changed_byte_refused(evidence.message, [&](ByteView bytes) {
    return with([bytes](Evidence& changed) { changed.message = to_bytes(bytes); });
  });
  expect_every_changed_byte_refused(evidence.signature, [&](ByteView bytes) {
    return with([bytes](Evidence& changed) { changed.signature = to_bytes(bytes); });
  });
  expect_every_changed_byte_refused(evidence.ak_public, [&](ByteView bytes) {
    return with([bytes](Evidence& changed) { changed.ak_public = to_bytes(bytes); });
  });
}

TEST(TpmVerifier, every_changed_byte_of_the_event_logs_digests_is_refused) {
  const auto log = boot_log({});
  // What an event says is the log's own; what it hashes to and where it went is not. The last event: its digest.
  const std::size_t name = 8 + 13;
  const ByteRange all{0, log.size()};
  const auto last_digest = log.size() - name - 4 - 32;
  const ByteRange before{0, last_digest};
  const ByteRange after{last_digest + 32, all.end};
  expect_every_changed_byte_refused(
      log, [](ByteView bytes) { return verify(to_json(valid(to_bytes(bytes)))).has_value(); },
      std::array{before, after});
}

TEST(TpmVerifier, malformed_evidence_is_refused) {
  const auto code = [](const json::Value& value) { return verify(value).error().code; };
  EXPECT_EQ(code("text"), EvidenceError::malformed);
  const auto whole = *to_json(valid()).if_object();
  for (const auto name : {"ak_public", "tpm_quote"}) {
    auto broken = whole;
    broken.erase(name);
    EXPECT_EQ(code(broken), EvidenceError::malformed) << name;
    broken.set(name, "not base64!");
    EXPECT_EQ(code(broken), EvidenceError::malformed) << name;
  }
  for (const auto name : {"signature", "message", "pcrs"}) {
    auto broken = whole;
    broken.find("tpm_quote")->if_object()->erase(name);
    EXPECT_EQ(code(broken), EvidenceError::malformed) << name;
  }
  auto broken = whole;
  broken.set("eventlog", 1);
  EXPECT_EQ(code(broken), EvidenceError::malformed);
  broken = whole;
  broken.set("ak_cert", "text");
  EXPECT_EQ(code(broken), EvidenceError::malformed);
  broken.set("ak_cert", json::Array{"not base64!"});
  EXPECT_EQ(code(broken), EvidenceError::malformed);
  broken.set("ak_cert", json::Array(9, "AAAA"));
  EXPECT_EQ(code(broken), EvidenceError::malformed);
  broken = whole;
  auto* pcrs = broken.find("tpm_quote")->if_object()->find("pcrs")->if_array();
  pcrs->emplace_back(std::string(64, '0'));
  EXPECT_EQ(code(broken), EvidenceError::malformed);
  pcrs->assign(24, "no hex");
  EXPECT_EQ(code(broken), EvidenceError::malformed);
  broken = whole;
  broken.set("ak_public", std::string(20000, 'A'));
  EXPECT_EQ(code(broken), EvidenceError::malformed);
}

TEST(TpmVerifier, inspection_shows_every_field) {
  const auto verifier = make_verifier(TeeKind::tpm, {});
  const auto fields = (*verifier)->inspect(to_json(valid()));
  ASSERT_TRUE(fields) << to_string(fields.error());
  for (const auto name : {"ak_public", "quote", "signature", "pcrs", "ak_cert", "uefi_event_logs"}) {
    EXPECT_TRUE(fields->contains(name)) << name;
  }
  EXPECT_EQ((*verifier)->inspect(to_json(valid(Bytes(3)))).error().code, TpmError::bad_event_log);
}

TEST(TpmVectors, upstreams_evidence_holds_with_its_claims) {
  COFFER_REQUIRE_VECTORS();
  const auto evidence = json::parse(coffer::testing::read_vector("tpm/tpm_evidence.json"));
  ASSERT_TRUE(evidence);
  const auto claims = verify(*evidence, {});
  ASSERT_TRUE(claims) << to_string(claims.error());
  const auto& out = claims->front();
  EXPECT_EQ(*out.claims.find("ak_public"), *evidence->find("ak_public"));
  EXPECT_EQ(*out.claims.find("pcr17"), json::Value{std::string(64, 'f')});
  EXPECT_EQ(out.init_data, std::string(64, '0'));
  ASSERT_TRUE(out.report_data);
  EXPECT_EQ(out.report_data->size(), 128U);
  // It was bound by a guest that padded to 64 bytes.
  const auto bound = codec::hex_decode(*out.report_data);
  EXPECT_TRUE(verify(*evidence, {*bound}));
  EXPECT_EQ(verify(*evidence, {report_data}).error().code, EvidenceError::report_data_mismatch);
}

TEST(TpmVectors, upstreams_evidence_with_any_byte_changed_is_refused) {
  COFFER_REQUIRE_VECTORS();
  const auto value = json::parse(coffer::testing::read_vector("tpm/tpm_evidence.json"));
  const auto evidence = *parse_evidence(*value);
  expect_every_changed_byte_refused(evidence.message, [&evidence](ByteView bytes) {
    auto changed = evidence;
    changed.message = to_bytes(bytes);
    return verify(to_json(changed), {}).has_value();
  });
  expect_every_changed_byte_refused(evidence.signature, [&evidence](ByteView bytes) {
    auto changed = evidence;
    changed.signature = to_bytes(bytes);
    return verify(to_json(changed), {}).has_value();
  });
}

}  // namespace
}  // namespace coffer::evidence::tpm
