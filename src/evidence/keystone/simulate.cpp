#include "evidence/keystone/simulate.h"

#include "codec/base64.h"
#include "evidence/keystone/keystone.h"

namespace coffer::evidence::keystone {

namespace json = codec::json;

namespace {

using namespace std::chrono_literals;
using crypto::SignatureAlgorithm;

Bytes hash_of(std::string_view text) {
  return crypto::hash(crypto::HashAlgorithm::sha512, as_bytes(text));
}

Result<crypto::PrivateKey> new_key() {
  return crypto::PrivateKey::generate(crypto::KeyKind::ed25519);
}

Result<Report> make_report(const crypto::PrivateKey& device, ByteView data, const SimulatorSettings& settings) {
  const auto monitor = TRY(new_key());
  Report report;
  report.enclave_hash = TRY(settings.bytes("enclave", hash_size))
  .value_or(hash_of("simulated enclave"));
  report.data = to_bytes(data);
  report.monitor_hash = TRY(settings.bytes("monitor", hash_size))
  .value_or(hash_of("simulated monitor"));
  report.monitor_key = TRY(monitor.public_key().ec_coordinates())
  .x;
  report.device_key = TRY(device.public_key().ec_coordinates())
  .x;
  if (settings.has_fault("wrong-measurement")) report.enclave_hash = hash_of("another enclave");
  if (settings.has_fault("wrong-monitor")) report.monitor_hash = hash_of("another monitor");
  if (settings.has_fault("wrong-nonce")) report.data = Bytes(data.size(), std::byte{0xee});
  report.monitor_signature = TRY(device.sign(SignatureAlgorithm::eddsa, report.monitor_signed()));
  report.enclave_signature = TRY(monitor.sign(SignatureAlgorithm::eddsa, report.enclave_signed()));
  if (settings.has_fault("bad-signature")) report.enclave_signature[0] ^= std::byte{1};
  if (settings.has_fault("bad-monitor-signature")) report.monitor_signature[0] ^= std::byte{1};
  return report;
}

Result<SimulatorRoot> foreign_root(TimePoint now) {
  auto key = TRY(crypto::PrivateKey::generate(crypto::KeyKind::ec_p384));
  auto certificate = TRY(crypto::self_sign(
      {.common_name = "a foreign root", .not_before = now - 24h, .not_after = now + 24h * 365, .is_ca = true}, key));
  return SimulatorRoot{std::move(certificate), std::move(key)};
}

class KeystoneSimulator final : public Attester {
 public:
  explicit KeystoneSimulator(std::filesystem::path directory) : directory_(std::move(directory)) {}
  TeeKind kind() const override { return TeeKind::keystone; }

  Result<json::Value> attest(ByteView report_data) const override {
    return simulate_evidence(TRY(load_simulator_root(directory_)), report_data,
                             TRY(load_simulator_settings(directory_, TeeKind::keystone)), system_clock().now());
  }

 private:
  std::filesystem::path directory_;
};

}  // namespace

Result<json::Value> simulate_evidence(const SimulatorRoot& root, ByteView data, const SimulatorSettings& settings,
                                      TimePoint now) {
  TRY(settings.check_faults({"wrong-measurement", "wrong-monitor", "wrong-nonce", "bad-signature",
                             "bad-monitor-signature", "expired", "wrong-root"}));
  if (data.size() > max_data) {
    return fail(EvidenceError::malformed,
                "a Keystone report has room for 1024 bytes of data, not for " + std::to_string(data.size()));
  }
  const auto device = TRY(new_key());
  const auto report = TRY(make_report(device, data, settings));
  const auto authority = settings.has_fault("wrong-root") ? TRY(foreign_root(now)) : root;
  const auto begin = settings.has_fault("expired") ? now - 25h : now - 1h;
  const auto certificate =
      TRY(crypto::issue({.common_name = "simulated Keystone device", .not_before = begin, .not_after = begin + 24h},
                        device.public_key(), authority.issuer()));
  return json::Value{json::Object{{"report", codec::base64_encode(encode_report(report))},
                                  {"x5chain", json::Array{codec::base64_encode(certificate.der()),
                                                          codec::base64_encode(authority.certificate.der())}}}};
}

Result<std::unique_ptr<Attester>> make_simulator(TeeKind, const AttesterOptions& options) {
  return std::make_unique<KeystoneSimulator>(options.simulator_directory);
}

}  // namespace coffer::evidence::keystone
