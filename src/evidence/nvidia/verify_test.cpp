#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "codec/base64.h"
#include "codec/der.h"
#include "crypto/crl.h"
#include "evidence/mutation_testing.h"
#include "evidence/nvidia/nvidia.h"
#include "evidence/nvidia/simulate.h"

namespace coffer::evidence::nvidia {
namespace {

namespace json = codec::json;
using namespace std::chrono_literals;
using testing::HasSubstr;

const TimePoint now = *parse_rfc3339("2026-03-01T12:00:00Z");
const Bytes digest(48, std::byte{0x33});
const Bytes nonce(32, std::byte{0x33});

const SimulatorRoot& root() {
  static const auto made = *make_simulator_root(now);
  return made;
}

const SimulatedDevice& hopper() {
  static const auto made = *make_simulated_device(root(), {}, now);
  return made;
}

const SimulatedDevice& blackwell() {
  static const auto made = *make_simulated_device(root(), {.architecture = Architecture::blackwell}, now);
  return made;
}

json::Value device(const SimulatedDevice& from) {
  return evidence_of(from, *sign_report(simulated_report(from, nonce), from.key));
}

json::Value list(std::vector<json::Value> devices) {
  return evidence_of(std::span<const json::Value>{devices});
}

json::Object config(json::Object settings) {
  return {{"nvidia_verifier", std::move(settings)}};
}

VerifierOptions options() {
  VerifierOptions out;
  out.simulator_roots = {root().certificate};
  out.simulated_tees = {TeeKind::nvidia};
  return out;
}

Result<std::vector<Claims>> verify(const json::Value& evidence, const Binding& binding = {digest, {}},
                                   const VerifierOptions& with = options(), TimePoint at = now) {
  return (*make_verifier(TeeKind::nvidia, with))->verify(evidence, binding, at);
}

template <class Code>
void expect_refused(const Result<std::vector<Claims>>& claims, Code code, std::string_view text = {}) {
  ASSERT_FALSE(claims);
  EXPECT_EQ(claims.error().code, code) << to_string(claims.error());
  EXPECT_THAT(claims.error().message, HasSubstr(text));
}

TEST(NvidiaVerifier, takes_reports_of_both_generations) {
  const auto claims = verify(list({device(hopper()), device(blackwell())}));
  ASSERT_TRUE(claims) << to_string(claims.error());
  ASSERT_EQ(claims->size(), 2U);
  const json::Value first{claims->front().claims};
  EXPECT_EQ(*first.find("arch")->if_string(), "Hopper");
  EXPECT_EQ(first.find("measurements")->if_object()->size(), 64U);
  EXPECT_EQ(*first.at_pointer("/config/driver_version")->if_string(), "550.90.07");
  EXPECT_EQ(*claims->back().claims.find("arch")->if_string(), "Blackwell");
  EXPECT_NE(*claims->front().claims.find("ueid"), *claims->back().claims.find("ueid"));
  for (const auto& each : *claims) {
    EXPECT_TRUE(each.simulated_root);
    EXPECT_FALSE(each.report_data) << "as upstream";
    EXPECT_FALSE(each.init_data);
  }
}

TEST(NvidiaVerifier, binds_the_first_32_bytes_of_the_report_data) {
  auto other = digest;
  other[47] ^= std::byte{1};
  EXPECT_TRUE(verify(list({device(hopper())}), {other, {}})) << "upstream's rule: what is behind them is cut off";
  other[31] ^= std::byte{1};
  expect_refused(verify(list({device(hopper())}), {other, {}}), EvidenceError::report_data_mismatch,
                 "is expected to be 3333");
  expect_refused(verify(list({device(hopper())}), {Bytes(16, std::byte{0x33}), {}}),
                 EvidenceError::report_data_mismatch);
  EXPECT_TRUE(verify(list({device(hopper())}), {}));
}

TEST(NvidiaVerifier, vouches_for_no_init_data) {
  expect_refused(verify(list({device(hopper())}), {digest, Bytes(32)}), EvidenceError::init_data_mismatch);
}

TEST(NvidiaVerifier, names_the_device_that_is_refused) {
  const auto stranger = *make_simulated_device(*make_foreign_root(now), {}, now);
  const auto claims = verify(list({device(hopper()), device(stranger)}));
  expect_refused(claims, NvidiaError::unknown_root, "102bf659d541");
  EXPECT_EQ(claims.error().context, (std::vector<std::pair<std::string, std::string>>{{"device", "1"}}));
}

TEST(NvidiaVerifier, knows_a_chain_again_and_still_checks_each_report_and_time) {
  const auto verifier = *make_verifier(TeeKind::nvidia, options());
  const auto valid = list({device(hopper())});
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(verifier->verify(valid, {digest, {}}, now));
  auto report = *sign_report(simulated_report(hopper(), nonce), hopper().key);
  report.back() ^= std::byte{1};
  expect_refused(verifier->verify(list({evidence_of(hopper(), report)}), {digest, {}}, now),
                 NvidiaError::bad_signature);
  expect_refused(verifier->verify(valid, {Bytes(48), {}}, now), EvidenceError::report_data_mismatch);
  expect_refused(verifier->verify(valid, {digest, {}}, now + 24h * 400), NvidiaError::certificate_expired);
  ASSERT_TRUE(verifier->verify(valid, {digest, {}}, now));
}

TEST(NvidiaVerifier, counts_a_device_once) {
  expect_refused(verify(list({device(hopper()), device(hopper())})), NvidiaError::repeated_device);
}

TEST(NvidiaVerifier, refuses_a_simulator_that_was_not_chosen) {
  expect_refused(verify(list({device(hopper())}), {digest, {}}, {}), EvidenceError::simulated_refused,
                 "simulated:nvidia");
}

TEST(NvidiaVerifier, compares_firmware_and_architecture_with_the_certificates) {
  auto other = hopper();
  other.firmware_id = Bytes(48, std::byte{0xee});
  expect_refused(verify(list({device(other)})), NvidiaError::wrong_firmware, "found eeee");
  other = hopper();
  other.architecture = Architecture::blackwell;
  expect_refused(verify(list({device(other)})), NvidiaError::wrong_architecture, "says Blackwell");
  const auto foreign = *make_simulated_device(root(), {.foreign_device_key = true}, now);
  expect_refused(verify(list({device(foreign)})), NvidiaError::wrong_device_key);
}

TEST(NvidiaVerifier, takes_certificates_at_their_time_alone) {
  expect_refused(verify(list({device(hopper())}), {digest, {}}, options(), now + 24h * 400),
                 NvidiaError::certificate_expired);
  expect_refused(verify(list({device(hopper())}), {digest, {}}, options(), now - 48h),
                 NvidiaError::certificate_expired);
}

TEST(NvidiaVerifier, refuses_a_report_of_another_key) {
  const auto report = simulated_report(hopper(), nonce);
  expect_refused(verify(list({evidence_of(hopper(), *sign_report(report, blackwell().key))})),
                 NvidiaError::bad_signature);
}

TEST(NvidiaVerifier, refuses_a_chain_that_breaks) {
  for (const std::size_t missing : {1U, 2U, 3U}) {
    auto broken = hopper();
    broken.certificates.erase(broken.certificates.begin() + static_cast<std::ptrdiff_t>(missing));
    expect_refused(verify(list({device(broken)})), NvidiaError::untrusted);
  }
  auto rootless = hopper();
  rootless.certificates.pop_back();
  expect_refused(verify(list({device(rootless)})), NvidiaError::unknown_root);
  auto mixed = hopper();
  mixed.certificates[1] = blackwell().certificates[1];
  expect_refused(verify(list({device(mixed)})), NvidiaError::untrusted);
  auto alone = hopper();
  alone.certificates.resize(1, alone.certificates[0]);
  expect_refused(verify(list({device(alone)})), NvidiaError::untrusted, "at least 3 certificates, found 1");
}

// A device whose leaf the caller describes, below its own device's certificate.
struct Leaf {
  bool is_ca = false;
  std::vector<crypto::CertificateExtension> extensions{};
  std::vector<crypto::KeyUsage> usages{};
};
SimulatedDevice with_leaf(const Leaf& wanted, crypto::KeyKind kind = crypto::KeyKind::ec_p384) {
  const auto authority = *crypto::PrivateKey::generate(crypto::KeyKind::ec_p384);
  const auto line = *crypto::issue(
      {.common_name = "SIMULATED GH100 Identity", .not_before = now - 1h, .not_after = now + 1h, .is_ca = true},
      authority.public_key(), root().issuer());
  auto key = *crypto::PrivateKey::generate(kind);
  const crypto::CertificateRequest request{.common_name = "leaf",
                                           .not_before = now - 1h,
                                           .not_after = now + 1h,
                                           .is_ca = wanted.is_ca,
                                           .extensions = wanted.extensions,
                                           .usages = wanted.usages};
  auto leaf = *crypto::issue(request, key.public_key(), {line, authority});
  return {Architecture::hopper, {std::move(leaf), line, root().certificate}, std::move(key), authority, Bytes(48)};
}

crypto::CertificateExtension firmware(Bytes value) {
  return {.oid = std::string{tcb_info_oid}, .value = std::move(value)};
}

TEST(NvidiaVerifier, asks_a_leaf_for_its_purpose_and_its_firmware) {
  const auto good = encode_tcb_info(Bytes(48));
  EXPECT_TRUE(verify(list({device(with_leaf({.extensions = {firmware(good)}}))})));
  expect_refused(verify(list({device(with_leaf({.is_ca = true, .extensions = {firmware(good)}}))})),
                 NvidiaError::bad_key_usage);
  expect_refused(
      verify(
          list({device(with_leaf({.extensions = {firmware(good)}, .usages = {crypto::KeyUsage::key_encipherment}}))})),
      NvidiaError::bad_key_usage);
  expect_refused(verify(list({device(with_leaf({}))})), NvidiaError::bad_firmware_id, "found neither");
  expect_refused(verify(list({device(with_leaf({.extensions = {firmware(*codec::hex_decode("3000"))}}))})),
                 NvidiaError::bad_firmware_id, "no firmware id is in it");
  const crypto::CertificateExtension second{.oid = std::string{composite_device_id_oid}, .value = good};
  expect_refused(verify(list({device(with_leaf({.extensions = {firmware(good), second}}))})),
                 NvidiaError::bad_firmware_id, "found both");
}

TEST(NvidiaVerifier, takes_reports_of_p384_alone) {
  auto weak = with_leaf({.extensions = {firmware(encode_tcb_info(Bytes(48)))}}, crypto::KeyKind::ec_p256);
  const auto report = concat({encode_unsigned(simulated_report(weak, nonce)), Bytes(signature_size)});
  expect_refused(verify(list({evidence_of(weak, report)})), NvidiaError::bad_certificate, "P-384");
}

TEST(NvidiaVerifier, takes_no_line_of_certificates_that_is_of_no_gpu) {
  const auto key = *crypto::PrivateKey::generate(crypto::KeyKind::ec_p384);
  const auto line = *crypto::issue(
      {.common_name = "SIMULATED LS10 Identity", .not_before = now - 1h, .not_after = now + 1h, .is_ca = true},
      key.public_key(), root().issuer());
  const auto leaf_key = *crypto::PrivateKey::generate(crypto::KeyKind::ec_p384);
  const auto leaf = *crypto::issue({.common_name = "leaf",
                                    .not_before = now - 1h,
                                    .not_after = now + 1h,
                                    .extensions = {firmware(encode_tcb_info(Bytes(48)))}},
                                   leaf_key.public_key(), {line, key});
  const SimulatedDevice switched{Architecture::hopper, {leaf, line, root().certificate}, leaf_key, key, Bytes(48)};
  expect_refused(verify(list({device(switched)})), NvidiaError::wrong_architecture, "found \"CN=SIMULATED LS10");
}

json::Value with(json::Value device, std::string_view key, json::Value value) {
  device.if_object()->set(key, std::move(value));
  return device;
}

json::Value without(json::Value device, std::string_view key) {
  device.if_object()->erase(key);
  return device;
}

TEST(NvidiaEvidence, is_read_in_every_spelling_that_guests_write) {
  const auto valid = device(hopper());
  const auto report = *codec::base64_decode(*valid.find("evidence")->if_string());
  for (const auto& each : {with(valid, "evidence", codec::hex_encode(report)), without(valid, "uuid"),
                           with(valid, "arch", "Hopper"), with(valid, "arch", "HOPPER")}) {
    const auto claims = verify(list({each}));
    EXPECT_TRUE(claims) << to_string(claims.error());
  }
  const auto nameless = verify(list({without(valid, "uuid")}));
  EXPECT_EQ(*nameless->front().claims.find("uuid")->if_string(), "unknown");
}

TEST(NvidiaEvidence, of_another_shape_is_malformed) {
  const auto valid = device(hopper());
  expect_refused(verify(nullptr), EvidenceError::malformed);
  expect_refused(verify(list({})), EvidenceError::malformed, "1 to 32 devices, found 0");
  expect_refused(verify(list(std::vector(33, valid))), EvidenceError::malformed, "found 33");
  expect_refused(verify(list({"x"})), EvidenceError::malformed, "an object");
  for (const auto* key : {"arch", "evidence", "certificate"}) {
    expect_refused(verify(list({without(valid, key)})), EvidenceError::malformed, key);
    expect_refused(verify(list({with(valid, key, 7)})), EvidenceError::malformed, key);
    expect_refused(verify(list({with(valid, key, "?!")})), EvidenceError::malformed);
    expect_refused(verify(list({with(valid, key, std::string(1U << 18, 'A'))})), EvidenceError::malformed);
  }
  expect_refused(verify(list({with(valid, "uuid", 7)})), EvidenceError::malformed, "uuid");
  expect_refused(verify(list({with(valid, "evidence", "00")})), NvidiaError::bad_report);
  expect_refused(verify(list({with(valid, "certificate", codec::base64_encode(as_bytes("x")))})),
                 NvidiaError::bad_certificate);
  auto many = hopper();
  many.certificates.resize(max_certificates + 1, many.certificates.back());
  expect_refused(verify(list({device(many)})), NvidiaError::bad_certificate, "at most 10");
}

TEST(NvidiaEvidence, of_a_switch_is_named_and_refused) {
  expect_refused(verify(list({with(device(hopper()), "arch", "LS10")})), NvidiaError::unsupported_device);
}

TEST(NvidiaEvidence, without_certificates_is_not_verified) {
  expect_refused(verify(list({with(device(hopper()), "certificate", "")})), EvidenceError::collateral_missing);
}

TEST(NvidiaEvidence, is_shown_unverified) {
  auto other = hopper();
  other.architecture = Architecture::blackwell;
  const auto shown = (*make_verifier(TeeKind::nvidia, {}))->inspect(list({device(other)}));
  ASSERT_TRUE(shown) << to_string(shown.error());
  const json::Value first = shown->find("devices")->if_array()->front();
  EXPECT_EQ(*first.find("arch")->if_string(), "Blackwell");
  EXPECT_EQ(*first.find("nonce")->if_string(), codec::hex_encode(nonce));
  EXPECT_EQ(first.find("certificates")->if_array()->size(), 5U);
  EXPECT_EQ(*first.at_pointer("/certificates/0/fwid")->if_string(), codec::hex_encode(hopper().firmware_id));
}

TEST(NvidiaEvidence, is_made_around_a_raw_report) {
  const auto verifier = *make_verifier(TeeKind::nvidia, options());
  for (const auto* from : {&hopper(), &blackwell()}) {
    const auto report = *sign_report(simulated_report(*from, nonce), from->key);
    std::vector<Bytes> chain;
    for (const auto& certificate : from->certificates) chain.push_back(certificate.der());
    const auto hex = codec::hex_encode(report) + "\n";
    for (const auto raw : {ByteView{report}, as_bytes(hex)}) {
      const auto evidence = verifier->from_raw(raw, chain);
      ASSERT_TRUE(evidence) << to_string(evidence.error());
      EXPECT_TRUE(verifier->verify(*evidence, {digest, {}}, now));
    }
    const auto bare = verifier->from_raw(report, {});
    ASSERT_TRUE(bare);
    EXPECT_TRUE(verifier->inspect(*bare));
    EXPECT_EQ(verifier->verify(*bare, {}, now).error().code, EvidenceError::collateral_missing);
  }
  const Bytes none(3);
  EXPECT_EQ(verifier->from_raw(*sign_report(simulated_report(hopper(), nonce), hopper().key), {&none, 1}).error().code,
            NvidiaError::bad_certificate);
  EXPECT_EQ(verifier->from_raw(none, {}).error().code, NvidiaError::bad_report);
}

TEST(NvidiaSettings, are_read_strictly) {
  for (const auto& good : {config({}), config({{"type", "Local"}}), config({{"revocation_checks", "required"}})}) {
    VerifierOptions with;
    with.config = good;
    EXPECT_TRUE(make_verifier(TeeKind::nvidia, with));
  }
  for (const auto& bad :
       {config({{"type", "Remote"}}), config({{"type", 7}}), config({{"revocation_checks", "some"}})}) {
    VerifierOptions with;
    with.config = bad;
    EXPECT_EQ(make_verifier(TeeKind::nvidia, with).error().code, EvidenceError::bad_config);
  }
}

// NVIDIA's service of revocation lists.
class Lists final : public Collateral {
 public:
  Result<std::shared_ptr<const CollateralBlob>> get(const CollateralItem& item, TimePoint) override {
    asked.push_back(item.service + item.path);
    const auto found = lists.find(item.key);
    if (found == lists.end()) return fail(CollateralError::not_found, "no such list");
    auto blob = std::make_shared<CollateralBlob>(CollateralBlob{found->second.der(), {}});
    TRY(item.inspect(*blob));
    return blob;
  }
  std::map<std::string, crypto::Crl> lists;
  std::vector<std::string> asked;
};

class Revocation : public testing::Test {
 protected:
  Revocation() {
    options_.config = config({{"revocation_checks", "required"}});
    options_.collateral = lists_;
  }
  crypto::Crl list_of(const crypto::Issuer& issuer, std::vector<Bytes> serials, Duration valid = 24h) {
    return *crypto::issue_crl(
        {.this_update = now - 48h, .next_update = now - 48h + 24h + valid, .serial_numbers = std::move(serials)},
        issuer);
  }
  crypto::Issuer line() { return {hopper().certificates[3], hopper().line_key}; }
  Result<std::vector<Claims>> verify_with_lists(std::vector<Bytes> of_root, std::vector<Bytes> of_line) {
    lists_->lists.clear();
    lists_->lists.emplace("l1-root", list_of(root().issuer(), std::move(of_root), 48h));
    lists_->lists.emplace("l2-simulated", list_of(line(), std::move(of_line), 48h));
    return verify(list({device(hopper())}), {digest, {}}, options_);
  }
  std::shared_ptr<Lists> lists_ = std::make_shared<Lists>();
  VerifierOptions options_ = options();
};

TEST_F(Revocation, lists_are_asked_for_where_they_are_required) {
  const auto claims = verify_with_lists({}, {});
  ASSERT_TRUE(claims) << to_string(claims.error());
  EXPECT_THAT(lists_->asked,
              testing::UnorderedElementsAre("nvidia-crl/crl/l1-root.crl", "nvidia-crl/crl/l2-simulated.crl"));
}

TEST_F(Revocation, what_they_name_is_refused) {
  expect_refused(verify_with_lists({hopper().certificates[3].serial_number()}, {}), NvidiaError::revoked);
  expect_refused(verify_with_lists({}, {hopper().certificates[2].serial_number()}), NvidiaError::revoked);
}

TEST_F(Revocation, without_a_list_nothing_is_verified) {
  expect_refused(verify(list({device(hopper())}), {digest, {}}, options_), CollateralError::not_found,
                 "nvidia-crl l2-simulated");
  options_.collateral = nullptr;
  expect_refused(verify(list({device(hopper())}), {digest, {}}, options_), EvidenceError::collateral_missing,
                 "revocation lists are required");
}

TEST_F(Revocation, a_list_that_ended_is_none) {
  lists_->lists.emplace("l1-root", list_of(root().issuer(), {}, 0h));
  lists_->lists.emplace("l2-simulated", list_of(line(), {}, 48h));
  ASSERT_FALSE(verify(list({device(hopper())}), {digest, {}}, options_));
}

TEST(RevocationList, of_another_place_is_not_asked_for) {
  const auto named = [](std::string_view uri) {
    const auto key = *crypto::PrivateKey::generate(crypto::KeyKind::ec_p384);
    const auto name = codec::der::encode(0xa0, codec::der::encode(0xa0, codec::der::encode(0x86, as_bytes(uri))));
    const crypto::CertificateExtension points{
        .oid = "2.5.29.31", .value = codec::der::encode_sequence({codec::der::encode_sequence({name})})};
    return revocation_list_item(*crypto::self_sign(
        {.common_name = "x", .not_before = now, .not_after = now + 1h, .is_ca = true, .extensions = {points}}, key));
  };
  EXPECT_EQ(named("http://crl.ndis.nvidia.com/crl/l2-gb20x.crl")->key, "l2-gb20x");
  for (const auto* uri : {"http://crl.example.com/crl/l2-gb20x.crl", "http://crl.ndis.nvidia.com/l2.crl",
                          "http://crl.ndis.nvidia.com/crl/../x.crl", "http://crl.ndis.nvidia.com/crl/.crl",
                          "http://crl.ndis.nvidia.com/crl/l2-gb20x"}) {
    EXPECT_FALSE(named(uri)) << uri;
  }
  const auto item = *named("http://crl.ndis.nvidia.com/crl/l1-root.crl");
  EXPECT_EQ(item.inspect({to_bytes("<html>"), {}}).error().code, CollateralError::malformed);
}

TEST(NvidiaError, codes_have_names) {
  for (int i = 0; i <= static_cast<int>(NvidiaError::repeated_device); ++i) {
    EXPECT_TRUE(code_name(static_cast<NvidiaError>(i)).starts_with("nvidia."));
    EXPECT_NE(code_name(static_cast<NvidiaError>(i)), "nvidia.unknown");
  }
}

}  // namespace
}  // namespace coffer::evidence::nvidia
