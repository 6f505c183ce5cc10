#include "evidence/cca/simulate.h"

#include <mutex>

#include "evidence/arm/simulated_signer.h"
#include "evidence/cca/cca.h"
#include "evidence/init_data.h"

namespace coffer::evidence::cca {

namespace cbor = codec::cbor;
namespace json = codec::json;

namespace {

Bytes sha512_of(std::string_view text) {
  return crypto::hash(crypto::HashAlgorithm::sha512, as_bytes(text));
}

Result<Bytes> encode_key(const crypto::PublicKey& key, bool cose_key) {
  const auto point = TRY(key.ec_coordinates());
  if (cose_key) return cbor::encode(cbor::Map{{1, 2}, {-1, 2}, {-2, point.x}, {-3, point.y}});
  return concat({Bytes{std::byte{0x04}}, point.x, point.y});
}

Result<Realm> make_realm(const crypto::PublicKey& key, const Simulation& wanted) {
  const auto& settings = wanted.settings;
  Realm realm{.challenge = wanted.challenge,
              .personalization_value = wanted.personalization_value,
              .initial_measurement = sha512_of("simulated CCA realm"),
              .hash_algorithm = "sha-512",
              .public_key = {},
              .public_key_hash_algorithm = "sha-256"};
  realm.public_key = TRY(encode_key(key, wanted.cose_key));
  for (auto& measurement : realm.extensible_measurements) measurement = Bytes(64);
  if (wanted.cose_key) realm.profile = realm_profile;
  if (const auto value = TRY(settings.bytes("initial-measurement", 64))) realm.initial_measurement = *value;
  if (const auto value = TRY(settings.bytes("personalization-value", 64))) realm.personalization_value = *value;
  if (settings.has_fault("wrong-measurement")) realm.initial_measurement = sha512_of("another realm");
  if (settings.has_fault("wrong-nonce")) realm.challenge = Bytes(challenge_size, std::byte{0xee});
  return realm;
}

Result<Platform> make_platform(const Realm& realm, const crypto::PublicKey& key, const Simulation& wanted) {
  Platform platform;
  platform.profile = wanted.cose_key ? platform_profile : older_platform_profile;
  platform.challenge = TRY(realm_key_hash(realm));
  platform.implementation_id = crypto::sha256(as_bytes("simulated CCA implementation"));
  platform.instance_id = TRY(arm::instance_id_of(key));
  platform.config = Bytes(4, std::byte{0xcf});
  platform.lifecycle = 0x3000;
  platform.software_components = {{.measurement_type = "RMM",
                                   .measurement_value = crypto::sha256(as_bytes("simulated RMM")),
                                   .version = "1.0.0",
                                   .signer_id = crypto::sha256(as_bytes("simulated signer")),
                                   .description = "sha-256"}};
  platform.hash_algorithm = "sha-256";
  if (wanted.settings.has_fault("debug")) platform.lifecycle = 0x5000;
  if (wanted.settings.has_fault("unbound-realm-key")) platform.challenge = crypto::sha256(as_bytes("another key"));
  return platform;
}

Result<Wrapping> wrapping_of(const SimulatorSettings& settings) {
  const auto tag = TRY(settings.number("cbor-tag", 907))
  .value_or(399);
  if (tag == 399) return Wrapping::plain;
  if (tag == 907) return Wrapping::cmw;
  return fail(EvidenceError::bad_config,
              "the CCA simulator's \"cbor-tag\" is expected to be 399 or 907, found " + std::to_string(tag));
}

class CcaSimulator final : public Attester {
 public:
  explicit CcaSimulator(std::filesystem::path directory) : directory_(std::move(directory)) {}
  TeeKind kind() const override { return TeeKind::cca; }

  Result<json::Value> attest(ByteView report_data) const override {
    const auto root = TRY(load_simulator_root(directory_));
    Simulation wanted{.challenge = fit_digest(report_data, challenge_size)};
    wanted.settings = TRY(load_simulator_settings(directory_, TeeKind::cca));
    wanted.wrapping = TRY(wrapping_of(wanted.settings));
    {
      const std::lock_guard lock(mutex_);
      wanted.personalization_value = personalization_value_;
    }
    return evidence_of(TRY(simulate_token(root, wanted, system_clock().now())));
  }

  // Plays the host as well, which would have set it.
  Result<> bind_init_data(ByteView digest) const override {
    const std::lock_guard lock(mutex_);
    personalization_value_ = fit_digest(digest, 64);
    return {};
  }

 private:
  std::filesystem::path directory_;
  mutable std::mutex mutex_;
  mutable Bytes personalization_value_ = Bytes(64);
};

}  // namespace

Result<Bytes> simulate_token(const SimulatorRoot& root, const Simulation& wanted, TimePoint now) {
  const auto& settings = wanted.settings;
  TRY(settings.check_faults({"wrong-measurement", "wrong-nonce", "debug", "unbound-realm-key", "bad-signature",
                             "bad-realm-signature", "expired", "wrong-root"}));
  auto authority = root;
  if (settings.has_fault("wrong-root")) authority = TRY(make_foreign_root(now));
  const auto signer =
      TRY(arm::make_simulated_signer(authority, crypto::KeyKind::ec_p384, settings.has_fault("expired"), now));
  const auto realm_key = TRY(crypto::PrivateKey::generate(crypto::KeyKind::ec_p384));
  const auto realm = TRY(make_realm(realm_key.public_key(), wanted));
  const auto platform = TRY(make_platform(realm, signer.key.public_key(), wanted));
  const auto es384 = crypto::SignatureAlgorithm::es384;
  auto platform_token = TRY(codec::cose::sign(encode_platform(platform), signer.key, es384, signer.unprotected));
  auto realm_token = TRY(codec::cose::sign(encode_realm(realm), realm_key, es384));
  if (settings.has_fault("bad-signature")) platform_token.back() ^= std::byte{1};
  if (settings.has_fault("bad-realm-signature")) realm_token.back() ^= std::byte{1};
  return encode({std::move(platform_token), std::move(realm_token)}, wanted.wrapping);
}

Result<std::unique_ptr<Attester>> make_simulator(TeeKind, const AttesterOptions& options) {
  return std::make_unique<CcaSimulator>(options.simulator_directory);
}

}  // namespace coffer::evidence::cca
