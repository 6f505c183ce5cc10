#include "evidence/tpm/trust.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

#include "evidence/tpm/error.h"
#include "evidence/tpm/simulate.h"

namespace coffer::evidence::tpm {
namespace {

namespace fs = std::filesystem;
namespace json = codec::json;
using namespace std::chrono_literals;
using crypto::KeyKind;

const TimePoint now = from_unix_seconds(1'760'000'000);

crypto::CertificateRequest request(std::string name, bool is_ca = false) {
  return {.common_name = std::move(name), .not_before = now - 1h, .not_after = now + 1h, .is_ca = is_ca};
}

// A manufacturer's root and a key certified under it.
class Trust : public ::testing::Test {
 protected:
  Trust() {
    std::string name = (fs::temp_directory_path() / "coffer-tpm-XXXXXX").string();
    directory_ = ::mkdtemp(name.data());
  }
  ~Trust() override { fs::remove_all(directory_); }

  Bytes certificate(const crypto::CertificateRequest& wanted) const {
    return crypto::issue(wanted, ak_.public_key(), {root_, root_key_})->der();
  }
  Result<AkTrust> judge(std::vector<Bytes> certificates, const TrustSettings& settings,
                        std::span<const crypto::Certificate> simulated = {}) const {
    return judge_ak(ak_.public_key(), certificates, settings, simulated, now);
  }
  TrustSettings with_root() const { return {.ek_roots = {root_}, .restricted = true}; }
  void write(const std::string& name, std::string_view content) const {
    std::ofstream{directory_ / name, std::ios::binary} << content;
  }
  Result<TrustSettings> read(const json::Object& section) const {
    return TrustSettings::read({{"tpm_verifier", section}});
  }

  fs::path directory_;
  crypto::PrivateKey root_key_ = *crypto::PrivateKey::generate(KeyKind::ec_p256);
  crypto::Certificate root_ = *crypto::self_sign(request("TPM manufacturer", true), root_key_);
  crypto::PrivateKey ak_ = *crypto::PrivateKey::generate(KeyKind::ec_p256);
};

TEST_F(Trust, without_settings_is_left_to_the_policy) {
  const auto plain = judge({}, {});
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->how, "unverified");
  EXPECT_EQ(judge({certificate(request("AK"))}, {})->how, "unverified");
}

TEST_F(Trust, is_given_to_a_key_that_is_listed) {
  const TrustSettings settings{.trusted_keys = {ak_.public_key()}, .restricted = true};
  EXPECT_EQ(judge({}, settings)->how, "listed");
}

TEST_F(Trust, is_given_to_a_key_that_is_certified) {
  const auto out = judge({certificate(request("AK"))}, with_root());
  ASSERT_TRUE(out) << to_string(out.error());
  EXPECT_EQ(out->how, "certified");
  EXPECT_FALSE(out->simulated_root);
}

TEST_F(Trust, is_given_through_intermediate_certificates) {
  const auto middle_key = *crypto::PrivateKey::generate(KeyKind::ec_p256);
  const auto middle = *crypto::issue(request("Intermediate", true), middle_key.public_key(), {root_, root_key_});
  const auto leaf = *crypto::issue(request("AK"), ak_.public_key(), {middle, middle_key});
  EXPECT_TRUE(judge({leaf.der(), middle.der()}, with_root()));
  EXPECT_EQ(judge({leaf.der()}, with_root()).error().code, TpmError::bad_ak_certificate);
}

TEST_F(Trust, is_refused_to_a_key_outside_of_what_is_configured) {
  EXPECT_EQ(judge({}, with_root()).error().code, TpmError::untrusted_ak);
  const auto other = crypto::PrivateKey::generate(KeyKind::ec_p256);
  const TrustSettings keys{.trusted_keys = {other->public_key()}, .restricted = true};
  EXPECT_EQ(judge({}, keys).error().code, TpmError::untrusted_ak);
  EXPECT_EQ(judge({certificate(request("AK"))}, keys).error().code, TpmError::untrusted_ak);
}

TEST_F(Trust, is_refused_to_a_certificate_that_does_not_hold) {
  const auto code = [this](const Bytes& der) { return judge({der}, with_root()).error().code; };
  auto expired = request("AK");
  expired.not_after = now - 1s;
  EXPECT_EQ(code(certificate(expired)), TpmError::bad_ak_certificate);
  auto early = request("AK");
  early.not_before = now + 1s;
  EXPECT_EQ(code(certificate(early)), TpmError::bad_ak_certificate);
  EXPECT_EQ(code(Bytes(10)), TpmError::bad_ak_certificate);
  const auto self_signed = crypto::self_sign(request("AK"), ak_);
  EXPECT_EQ(code(self_signed->der()), TpmError::bad_ak_certificate);
}

TEST_F(Trust, is_refused_to_a_certificate_of_another_key) {
  const auto other = crypto::PrivateKey::generate(KeyKind::ec_p256);
  const auto der = crypto::issue(request("AK"), other->public_key(), {root_, root_key_})->der();
  EXPECT_EQ(judge({der}, with_root()).error().code, TpmError::bad_ak_certificate);
}

TEST_F(Trust, is_refused_to_a_certificate_for_another_purpose) {
  auto wanted = request("AK");
  wanted.purposes = {"1.3.6.1.5.5.7.3.1"};  // TLS server
  EXPECT_EQ(judge({certificate(wanted)}, with_root()).error().code, TpmError::bad_ak_certificate);
  for (const auto purpose : {"2.23.133.8.1", "2.23.133.8.3"}) {
    wanted.purposes = {purpose};
    EXPECT_TRUE(judge({certificate(wanted)}, with_root())) << purpose;
  }
}

TEST_F(Trust, is_refused_to_a_simulator_that_was_not_chosen) {
  const auto simulator = *make_simulator_root(now);
  const auto key =
      *make_simulated_key(simulator, {.kind = KeyKind::ec_p256, .not_before = now - 1h, .not_after = now + 1h});
  const std::vector<Bytes> certificates{key.certificate.der()};
  const auto judge_simulated = [&](const TrustSettings& settings, std::span<const crypto::Certificate> roots) {
    return judge_ak(key.key.public_key(), certificates, settings, roots, now);
  };
  EXPECT_EQ(judge_simulated({}, {}).error().code, EvidenceError::simulated_refused);
  EXPECT_EQ(judge_simulated(with_root(), {}).error().code, EvidenceError::simulated_refused);
  const auto chosen = judge_simulated({}, {&simulator.certificate, 1});
  ASSERT_TRUE(chosen) << to_string(chosen.error());
  EXPECT_EQ(chosen->simulated_root, simulated_subject(simulator.certificate));
  EXPECT_EQ(judge({}, {}, {&simulator.certificate, 1}).error().code, TpmError::untrusted_ak);
}

TEST_F(Trust, settings_are_read_from_files) {
  fs::create_directory(directory_ / "keys");
  write("keys/one.pem", ak_.public_key().to_pem());
  write("keys/two.pub", root_key_.public_key().to_pem());
  write("keys/README", "no key");
  write("roots.pem", root_.to_pem());
  const auto settings = read(
      {{"trusted_ak_keys_dir", (directory_ / "keys").string()}, {"ek_roots", (directory_ / "roots.pem").string()}});
  ASSERT_TRUE(settings) << to_string(settings.error());
  EXPECT_EQ(settings->trusted_keys.size(), 2U);
  EXPECT_EQ(settings->ek_roots.size(), 1U);
  EXPECT_TRUE(settings->restricted);
  EXPECT_FALSE(read({})->restricted);
}

TEST_F(Trust, a_folder_that_does_not_exist_trusts_no_key) {
  const auto settings = read({{"trusted_ak_keys_dir", (directory_ / "absent").string()}});
  ASSERT_TRUE(settings) << to_string(settings.error());
  EXPECT_TRUE(settings->restricted);
  EXPECT_TRUE(settings->trusted_keys.empty());
}

TEST_F(Trust, settings_that_do_not_fit_are_refused) {
  const auto code = [this](const json::Object& section) { return read(section).error().code; };
  EXPECT_EQ(code({{"ek_roots", (directory_ / "absent").string()}}), EvidenceError::bad_config);
  EXPECT_EQ(code({{"ek_roots", directory_.string()}}), EvidenceError::bad_config);
  write("bad.pem", "no key");
  EXPECT_EQ(code({{"trusted_ak_keys_dir", directory_.string()}}), EvidenceError::bad_config);
  EXPECT_EQ(code({{"ek_roots", (directory_ / "bad.pem").string()}}), EvidenceError::bad_config);
  EXPECT_EQ(code({{"require_event_log", "yes"}}), EvidenceError::bad_config);
  EXPECT_EQ(TrustSettings::read({{"tpm_verifier", 1}}).error().code, EvidenceError::bad_config);
}

}  // namespace
}  // namespace coffer::evidence::tpm
