#include "evidence/psa/simulate.h"

#include "evidence/arm/simulated_signer.h"
#include "evidence/psa/psa.h"

namespace coffer::evidence::psa {

namespace json = codec::json;

namespace {

Bytes sha256_of(std::string_view text) {
  return crypto::sha256(as_bytes(text));
}

std::vector<arm::SoftwareComponent> components(const Bytes& measurement) {
  const auto signer = sha256_of("simulated signer");
  return {{"PRoT", sha256_of("simulated root of trust"), "2.1.0", signer, "sha-256"},
          {"App", measurement, "1.0.0", signer, "sha-256"}};
}

Result<PsaClaims> make_claims(const crypto::PublicKey& key, const Simulation& wanted) {
  const auto& settings = wanted.settings;
  const auto given = TRY(settings.bytes("measurement", 32));
  auto measurement = given.value_or(sha256_of("simulated application"));
  if (settings.has_fault("wrong-measurement")) measurement = sha256_of("another application");
  PsaClaims claims;
  claims.profile = wanted.profile;
  claims.nonce = wanted.nonce;
  claims.instance_id = TRY(arm::instance_id_of(key));
  claims.implementation_id = sha256_of("simulated PSA implementation");
  claims.client_id = static_cast<std::int64_t>(TRY(settings.number("client-id", 0x7fffffff)).value_or(1));
  claims.lifecycle = 0x3000;
  claims.boot_seed = Bytes(32, std::byte{0xa5});
  claims.software_components = components(measurement);
  if (settings.has_fault("wrong-nonce")) claims.nonce = Bytes(wanted.nonce.size(), std::byte{0xee});
  if (settings.has_fault("debug")) claims.lifecycle = 0x4000;
  if (settings.has_fault("unsecured")) claims.lifecycle = 0x2000;
  if (settings.has_fault("wrong-instance")) claims.instance_id.back() ^= std::byte{1};
  return claims;
}

class PsaSimulator final : public Attester {
 public:
  explicit PsaSimulator(std::filesystem::path directory) : directory_(std::move(directory)) {}
  TeeKind kind() const override { return TeeKind::psa; }

  Result<json::Value> attest(ByteView report_data) const override {
    if (!is_hash_size(report_data.size())) {
      return fail(EvidenceError::malformed,
                  "a PSA token's nonce has 32, 48 or 64 bytes, not " + std::to_string(report_data.size()));
    }
    const auto root = TRY(load_simulator_root(directory_));
    Simulation wanted{.nonce = to_bytes(report_data)};
    wanted.settings = TRY(load_simulator_settings(directory_, TeeKind::psa));
    return evidence_of(TRY(simulate_token(root, wanted, system_clock().now())));
  }

 private:
  std::filesystem::path directory_;
};

}  // namespace

Result<Bytes> simulate_token(const SimulatorRoot& root, const Simulation& wanted, TimePoint now) {
  const auto& settings = wanted.settings;
  TRY(settings.check_faults({"wrong-measurement", "wrong-nonce", "debug", "unsecured", "wrong-instance",
                             "bad-signature", "expired", "wrong-root"}));
  auto authority = root;
  if (settings.has_fault("wrong-root")) authority = TRY(make_foreign_root(now));
  const auto signer =
      TRY(arm::make_simulated_signer(authority, crypto::KeyKind::ec_p256, settings.has_fault("expired"), now));
  const auto claims = TRY(make_claims(signer.key.public_key(), wanted));
  auto token =
      TRY(codec::cose::sign(encode_claims(claims), signer.key, crypto::SignatureAlgorithm::es256, signer.unprotected));
  if (settings.has_fault("bad-signature")) token.back() ^= std::byte{1};
  return token;
}

Result<std::unique_ptr<Attester>> make_simulator(TeeKind, const AttesterOptions& options) {
  return std::make_unique<PsaSimulator>(options.simulator_directory);
}

}  // namespace coffer::evidence::psa
