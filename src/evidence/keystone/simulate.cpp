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
  const auto enclave = TRY(settings.bytes("enclave", hash_size));
  const auto monitor_hash = TRY(settings.bytes("monitor", hash_size));
  report.enclave_hash = enclave.value_or(hash_of("simulated enclave"));
  report.monitor_hash = monitor_hash.value_or(hash_of("simulated monitor"));
  report.data = to_bytes(data);
  const auto monitor_point = TRY(monitor.public_key().ec_coordinates());
  const auto device_point = TRY(device.public_key().ec_coordinates());
  report.monitor_key = monitor_point.x;
  report.device_key = device_point.x;
  if (settings.has_fault("wrong-measurement")) report.enclave_hash = hash_of("another enclave");
  if (settings.has_fault("wrong-monitor")) report.monitor_hash = hash_of("another monitor");
  if (settings.has_fault("wrong-nonce")) report.data = Bytes(data.size(), std::byte{0xee});
  report.monitor_signature = TRY(device.sign(SignatureAlgorithm::eddsa, report.monitor_signed()));
  report.enclave_signature = TRY(monitor.sign(SignatureAlgorithm::eddsa, report.enclave_signed()));
  if (settings.has_fault("bad-signature")) report.enclave_signature[0] ^= std::byte{1};
  if (settings.has_fault("bad-monitor-signature")) report.monitor_signature[0] ^= std::byte{1};
  return report;
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
  auto authority = root;
  if (settings.has_fault("wrong-root")) authority = TRY(make_foreign_root(now));
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
