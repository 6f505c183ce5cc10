#include <algorithm>

#include "codec/base64.h"
#include "evidence/config_section.h"
#include "evidence/keystone/keystone.h"
#include "evidence/keystone/report.h"

namespace coffer::evidence::keystone {

namespace json = codec::json;

namespace {

// The public half of the key pair that Keystone's boot ROM uses where a platform has none of its own
// (bootrom/use_test_keys.h): everybody can sign with it.
constexpr std::string_view published_test_key = "0faad4ff01178583baa588966f7c1ff32564dd17d7dc2b46cb50a84a69270b4c";

constexpr std::size_t max_chain = 4;

struct Settings {
  std::vector<Bytes> trusted_keys{};
  std::vector<Bytes> security_monitors{};  // empty: any, left to the policy
  bool allow_test_key = false;
};

Result<std::vector<Bytes>> hex_list(ConfigSection& section, std::string_view key, std::size_t size) {
  std::vector<Bytes> out;
  const auto* array = TRY(section.array(key));
  if (array == nullptr) return out;
  for (const auto& each : *array) {
    const auto* text = each.if_string();
    auto bytes = text == nullptr ? Result<Bytes>{Bytes{}} : codec::hex_decode(*text);
    if (!bytes || bytes->size() != size) {
      return section.bad(key, "a list of " + std::to_string(size) + " bytes in hex each", json::serialize(each));
    }
    out.push_back(*std::move(bytes));
  }
  return out;
}

Result<Settings> read_settings(const json::Object& config) {
  auto section = TRY(ConfigSection::open(config, "keystone_verifier"));
  Settings settings;
  settings.trusted_keys = TRY(hex_list(section, "trusted_keys", key_size));
  settings.security_monitors = TRY(hex_list(section, "security_monitors", hash_size));
  settings.allow_test_key = TRY(section.flag("allow_test_key", false));
  section.warn_of_unknown_keys();
  return settings;
}

struct Evidence {
  Report report;
  std::vector<crypto::Certificate> chain{};
};

Result<Bytes> base64_value(const json::Value& value, std::string_view what) {
  const auto* text = value.if_string();
  if (text == nullptr) {
    return fail(EvidenceError::malformed,
                std::string{what} + " is expected to be text, found " + std::string{value.type_name()});
  }
  auto bytes = codec::base64_decode_lenient(*text);
  if (!bytes) return fail(EvidenceError::malformed, std::string{what} + ": " + bytes.error().message);
  return bytes;
}

Result<std::vector<crypto::Certificate>> read_chain(const json::Value* value) {
  std::vector<crypto::Certificate> out;
  if (value == nullptr) return out;
  const auto* array = value->if_array();
  if (array == nullptr || array->empty() || array->size() > max_chain) {
    return fail(EvidenceError::malformed, "Keystone evidence.x5chain is expected to hold 1 to 4 certificates");
  }
  for (const auto& each : *array) {
    auto certificate = crypto::Certificate::from_der(TRY(base64_value(each, "Keystone evidence.x5chain")));
    if (!certificate) return fail(KeystoneError::untrusted_chain, "x5chain: " + certificate.error().message);
    out.push_back(*std::move(certificate));
  }
  return out;
}

Result<Evidence> read_evidence(const json::Value& evidence) {
  const auto* report = evidence.find("report");
  if (report == nullptr) {
    return fail(EvidenceError::malformed, "Keystone evidence is expected to be an object with \"report\", found " +
                                              std::string{evidence.type_name()});
  }
  const auto bytes = TRY(base64_value(*report, "Keystone evidence.report"));
  auto parsed = TRY(parse_report(bytes));
  auto chain = TRY(read_chain(evidence.find("x5chain")));
  return Evidence{std::move(parsed), std::move(chain)};
}

Result<> check_signature(ByteView key, ByteView message, ByteView signature, KeystoneError code,
                         std::string_view what) {
  const auto parsed = crypto::PublicKey::from_ed25519(key);
  if (!parsed) return fail(code, std::string{what} + ": " + parsed.error().message);
  const auto verified = parsed->verify(crypto::SignatureAlgorithm::eddsa, message, signature);
  if (verified) return {};
  return fail(code, std::string{what} + ": " + verified.error().message);
}

Result<> check_binding(const Report& report, const Binding& binding) {
  if (binding.report_data && report.data != *binding.report_data) {
    return fail(EvidenceError::report_data_mismatch, "the report's data are expected to be " +
                                                         codec::hex_encode(*binding.report_data) + ", found " +
                                                         codec::hex_encode(report.data));
  }
  if (!binding.init_data_digest) return {};
  return fail(EvidenceError::init_data_mismatch, "init-data of digest " + codec::hex_encode(*binding.init_data_digest) +
                                                     " was sent, and a Keystone report vouches for none");
}

class KeystoneVerifier final : public Verifier {
 public:
  KeystoneVerifier(Settings settings, std::span<const crypto::Certificate> simulated_roots)
      : settings_(std::move(settings)), simulated_roots_(simulated_roots.begin(), simulated_roots.end()) {}
  TeeKind kind() const override { return TeeKind::keystone; }

  // The device endorses the monitor, the monitor signs for the enclave (sm/src/enclave.c, bootrom/bootloader.c).
  Result<std::vector<Claims>> verify(const json::Value& evidence, const Binding& binding,
                                     TimePoint now) const override {
    const auto read = TRY(read_evidence(evidence));
    const auto& report = read.report;
    const auto simulated_root = TRY(check_device(read, now));
    TRY(check_signature(report.device_key, report.monitor_signed(), report.monitor_signature,
                        KeystoneError::monitor_signature, "the security monitor's endorsement by the device"));
    TRY(check_monitor(report));
    TRY(check_signature(report.monitor_key, report.enclave_signed(), report.enclave_signature,
                        KeystoneError::enclave_signature, "the enclave's report by the security monitor"));
    TRY(check_binding(report, binding));
    Claims out{claims_of(report)};
    out.report_data = codec::hex_encode(report.data);
    out.simulated_root = simulated_root;
    return std::vector{std::move(out)};
  }

  Result<json::Object> inspect(const json::Value& evidence) const override {
    const auto report = TRY(read_evidence(evidence))
    .report;
    auto out = claims_of(report);
    out.append("enclave_signature", codec::hex_encode(report.enclave_signature));
    out.append("security_monitor_signature", codec::hex_encode(report.monitor_signature));
    return out;
  }

  Result<json::Value> from_raw(ByteView raw, std::span<const Bytes>) const override {
    TRY(parse_report(raw));
    return json::Value{json::Object{{"report", codec::base64_encode(raw)}}};
  }

 private:
  // Nothing, or the simulator's root that the device's key stands under.
  Result<std::optional<std::string>> check_device(const Evidence& evidence, TimePoint now) const {
    const auto hex = codec::hex_encode(evidence.report.device_key);
    if (hex == published_test_key && !settings_.allow_test_key) {
      return fail(KeystoneError::test_key,
                  "the device's key is the one that Keystone's sources publish, with its "
                  "private half; keystone_verifier.allow_test_key would take it");
    }
    if (!evidence.chain.empty()) return check_chain(evidence, now);
    if (settings_.trusted_keys.empty()) {
      return fail(EvidenceError::collateral_missing,
                  "no device's key is known: keystone_verifier.trusted_keys lists none");
    }
    if (std::ranges::find(settings_.trusted_keys, evidence.report.device_key) != settings_.trusted_keys.end()) {
      return std::nullopt;
    }
    return fail(KeystoneError::unknown_device,
                "the device's key is expected to be one of keystone_verifier.trusted_keys, found " + hex);
  }

  Result<std::optional<std::string>> check_chain(const Evidence& evidence, TimePoint now) const {
    const auto& root = evidence.chain.back();
    const auto subject = simulated_subject(root);
    if (!subject) {
      return fail(KeystoneError::untrusted_chain,
                  "x5chain is expected to end in a simulator's root, found \"" + root.subject() + "\"");
    }
    const auto same = [&](const crypto::Certificate& known) { return known.der() == root.der(); };
    if (std::ranges::none_of(simulated_roots_, same)) {
      return fail(EvidenceError::simulated_refused, "the report is a simulator's (\"" + *subject +
                                                        "\"), which was not chosen by name: `--allow-tee "
                                                        "simulated:keystone` with that root would");
    }
    const auto verified = crypto::verify_chain(evidence.chain.front(), {&root, 1}, {.at = now});
    if (!verified) return fail(KeystoneError::untrusted_chain, "x5chain: " + verified.error().message);
    const auto key = evidence.chain.front().public_key();
    const auto device = crypto::PublicKey::from_ed25519(evidence.report.device_key);
    if (key && device && *key == *device) return *subject;
    return fail(KeystoneError::untrusted_chain, "x5chain is expected to be of the report's device key, and is not");
  }

  // The device endorses whatever monitor it booted: which one that was must be judged, here or by the policy.
  Result<> check_monitor(const Report& report) const {
    const auto& known = settings_.security_monitors;
    if (known.empty() || std::ranges::find(known, report.monitor_hash) != known.end()) return {};
    return fail(KeystoneError::unknown_monitor,
                "the security monitor is expected to be one of "
                "keystone_verifier.security_monitors, found " +
                    codec::hex_encode(report.monitor_hash));
  }

  Settings settings_;
  std::vector<crypto::Certificate> simulated_roots_;
};

}  // namespace

Result<std::unique_ptr<Verifier>> make_verifier(TeeKind, const VerifierOptions& options) {
  return std::make_unique<KeystoneVerifier>(TRY(read_settings(options.config)),
                                            options.simulated_roots(TeeKind::keystone));
}

}  // namespace coffer::evidence::keystone
