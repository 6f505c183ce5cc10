#include <algorithm>

#include "codec/base64.h"
#include "evidence/config_section.h"
#include "evidence/nvidia/claims.h"
#include "evidence/nvidia/nvidia.h"
#include "evidence/verified_cache.h"

namespace coffer::evidence::nvidia {

namespace json = codec::json;

namespace {

struct Settings {
  bool check_revocation = false;
};

Result<Settings> read_settings(const json::Object& config) {
  auto section = TRY(ConfigSection::open(config, "nvidia_verifier"));
  const auto type = TRY(section.text("type"));
  if (type && *type != "Local" && *type != "local") {
    return section.bad("type", "\"Local\" (asking NVIDIA's attestation service is not in this build)", *type);
  }
  const auto revocation = TRY(section.text("revocation_checks"));
  if (revocation && *revocation != "none" && *revocation != "required") {
    return section.bad("revocation_checks", "\"none\" or \"required\"", *revocation);
  }
  section.warn_of_unknown_keys();
  return Settings{revocation == "required"};
}

// DSP0274 section 10.11.1: the signature covers request and response, as they were received.
Result<> check_signature(const Device& device, const crypto::PublicKey& key) {
  const auto message = ByteView{device.report_bytes}.first(device.report.signed_size);
  const auto verified = key.verify(crypto::SignatureAlgorithm::es384, message, device.report.signature);
  if (verified) return {};
  return fail(NvidiaError::bad_signature,
              "the report's signature by the key of the GPU's first certificate: " + verified.error().message);
}

// Upstream's rule: the first 32 bytes of the report data, filled up with zeros, are the request's nonce.
Result<> check_nonce(const Report& report, const Binding& binding) {
  if (!binding.report_data) return {};
  auto expected = *binding.report_data;
  expected.resize(nonce_size);
  if (report.nonce == expected) return {};
  return fail(EvidenceError::report_data_mismatch, "the nonce in the GPU's report is expected to be " +
                                                       codec::hex_encode(expected) + ", found " +
                                                       codec::hex_encode(report.nonce));
}

Result<> check_init_data(const Binding& binding) {
  if (!binding.init_data_digest) return {};
  return fail(EvidenceError::init_data_mismatch, "init-data of digest " + codec::hex_encode(*binding.init_data_digest) +
                                                     " was sent, and a GPU's report vouches for none");
}

Result<> check_firmware(const Device& device, const TrustedDevice& trusted) {
  const auto& stated = device.report.opaque_data.firmware_id();
  if (stated == trusted.firmware.digest) return {};
  return fail(NvidiaError::wrong_firmware, "the report's firmware id is expected to be the certificate's, " +
                                               codec::hex_encode(trusted.firmware.digest) + ", found " +
                                               codec::hex_encode(stated));
}

Result<> check_architecture(const Device& device, const TrustedDevice& trusted) {
  if (device.architecture == trusted.architecture) return {};
  return fail(NvidiaError::wrong_architecture, "the evidence says " + std::string{name_of(device.architecture)} +
                                                   ", its certificates " + std::string{name_of(trusted.architecture)});
}

Result<> check_supported(const Device& device) {
  if (device.architecture == Architecture::ls10) {
    return fail(NvidiaError::unsupported_device, "reports of NVSwitches (LS10) are not verified by this build");
  }
  if (!device.certificates.empty()) return {};
  return fail(EvidenceError::collateral_missing,
              "the evidence carries no certificates of the GPU, and nobody else has "
              "them: the driver gives them beside the report");
}

class NvidiaVerifier final : public Verifier {
 public:
  NvidiaVerifier(Settings settings, const VerifierOptions& options)
      : settings_(settings), collateral_(options.collateral) {
    const auto roots = options.simulated_roots(TeeKind::nvidia);
    simulated_roots_.assign(roots.begin(), roots.end());
  }
  TeeKind kind() const override { return TeeKind::nvidia; }

  Result<std::vector<Claims>> verify(const json::Value& evidence, const Binding& binding,
                                     TimePoint now) const override {
    const auto devices = TRY(parse_evidence(evidence));
    TRY(check_init_data(binding));
    std::vector<Claims> out;
    std::vector<Bytes> seen;
    for (const auto& device : devices) {
      const auto trusted = verify_one(device, binding, seen, now);
      if (!trusted) return fail(Error{trusted.error()}.with("device", std::to_string(out.size())));
      Claims claims{claims_of(device, *trusted)};
      claims.simulated_root = trusted->simulated_root;
      out.push_back(std::move(claims));
    }
    return out;
  }

  Result<json::Object> inspect(const json::Value& evidence) const override {
    json::Array devices;
    for (const auto& device : TRY(parse_evidence(evidence))) devices.emplace_back(TRY(describe(device)));
    return json::Object{{"devices", std::move(devices)}};
  }

  Result<json::Value> from_raw(ByteView raw, std::span<const Bytes> certificates) const override;

 private:
  Result<TrustedDevice> verify_one(const Device& device, const Binding& binding, std::vector<Bytes>& seen,
                                   TimePoint now) const {
    TRY(check_supported(device));
    auto trusted = TRY(verify_signer(device, now));
    TRY(check_firmware(device, trusted));
    TRY(check_architecture(device, trusted));
    TRY(check_nonce(device.report, binding));
    TRY(check_new(trusted, seen));
    return trusted;
  }

  // The device, once its key has signed the report. Revocation lists change under a chain, so that one which is held
  // against them is verified anew each time.
  Result<TrustedDevice> verify_signer(const Device& device, TimePoint now) const {
    const auto check = TRY(chain_check(now));
    if (check.revocation_lists != nullptr) return verify_anew(device, check);
    const auto digest = crypto::sha256(device.certificates);
    const auto known = chains_.find(as_text(digest));
    if (known != nullptr && now >= known->valid_from && now <= known->valid_until) {
      TRY(check_signature(device, known->key));
      return *known;
    }
    auto trusted = TRY(verify_anew(device, check));
    chains_.put(as_text(digest), std::make_shared<const TrustedDevice>(trusted));
    return trusted;
  }

  // The signature comes first although nothing vouches for its key yet: a report changed on the way costs one
  // signature to refuse, not five.
  static Result<TrustedDevice> verify_anew(const Device& device, const ChainCheck& check) {
    const auto chain = TRY(parse_certificates(device.certificates));
    TRY(check_signature(device, TRY(leaf_key(chain))));
    return verify_device(chain, check);
  }

  Result<ChainCheck> chain_check(TimePoint now) const {
    ChainCheck out{simulated_roots_, nullptr, now};
    if (!settings_.check_revocation) return out;
    if (collateral_ == nullptr) {
      return fail(EvidenceError::collateral_missing,
                  "revocation lists are required (nvidia_verifier), and this verifier has no store of collateral");
    }
    out.revocation_lists = collateral_.get();
    return out;
  }

  // All devices answer the same nonce, so that one of them could be shown twice.
  static Result<> check_new(const TrustedDevice& trusted, std::vector<Bytes>& seen) {
    if (std::ranges::find(seen, trusted.device_key) == seen.end()) {
      seen.push_back(trusted.device_key);
      return {};
    }
    return fail(NvidiaError::repeated_device,
                "device " + trusted.ueid + " is in the evidence more than once, and counts once");
  }

  Settings settings_;
  std::shared_ptr<Collateral> collateral_;
  std::vector<crypto::Certificate> simulated_roots_;
  mutable VerifiedCache<TrustedDevice> chains_;  // by SHA-256 of the PEM text
};

// NVIDIA's own tools keep reports as text in hex.
Bytes without_hex(ByteView raw) {
  auto text = as_text(raw);
  while (text.ends_with('\n') || text.ends_with('\r')) text.remove_suffix(1);
  return codec::hex_decode(text).value_or(to_bytes(raw));
}

Architecture guess_architecture(const std::vector<crypto::Certificate>& chain, const Report& report) {
  for (const auto& certificate : chain) {
    const auto found = architecture_of_name(certificate.subject_attribute("2.5.4.3").value_or(""));
    if (found) return *found;
  }
  // Hopper's reports do not name their chip.
  return report.opaque_data.find(OpaqueType::chip_info) == nullptr ? Architecture::hopper : Architecture::blackwell;
}

Result<json::Value> NvidiaVerifier::from_raw(ByteView raw, std::span<const Bytes> certificates) const {
  const auto bytes = without_hex(raw);
  const auto report = TRY(parse_report(bytes));
  std::string pem;
  std::vector<crypto::Certificate> chain;
  for (const auto& der : certificates) {
    auto certificate = crypto::Certificate::from_der(der);
    if (!certificate) return fail(NvidiaError::bad_certificate, "a GPU's certificate: " + certificate.error().message);
    pem += certificate->to_pem();
    chain.push_back(*std::move(certificate));
  }
  const std::vector devices{device_json(guess_architecture(chain, report), "unknown", bytes, pem)};
  return evidence_of(devices);
}

}  // namespace

Result<std::unique_ptr<Verifier>> make_verifier(TeeKind, const VerifierOptions& options) {
  return std::make_unique<NvidiaVerifier>(TRY(read_settings(options.config)), options);
}

}  // namespace coffer::evidence::nvidia
