#include "codec/base64.h"
#include "evidence/psa/psa.h"
#include "evidence/psa/token.h"

namespace coffer::evidence::psa {

namespace json = codec::json;

namespace {

constexpr auto section_name = "psa_verifier";

struct Settings {
  std::vector<arm::TrustedKey> trusted_keys{};
  bool allow_non_rot_debug = false;
};

Result<Settings> read_settings(const json::Object& config) {
  auto section = TRY(ConfigSection::open(config, section_name));
  Settings settings;
  settings.trusted_keys = TRY(arm::trusted_keys_of(section, section_name));
  settings.allow_non_rot_debug = TRY(section.flag("allow_non_rot_debug", false));
  section.warn_of_unknown_keys();
  return settings;
}

Result<Token> read_token(const json::Value& evidence) {
  const auto* object = evidence.if_object();
  if (object == nullptr) {
    return fail(EvidenceError::malformed,
                "PSA evidence is expected to be an object, found " + std::string{evidence.type_name()});
  }
  const auto text = json::string_member(*object, "token", "PSA evidence");
  if (!text) return fail(EvidenceError::malformed, text.error().message);
  const auto bytes = codec::base64_decode_lenient(*text);
  if (!bytes) return fail(EvidenceError::malformed, "PSA evidence.token: " + bytes.error().message);
  return parse_token(*bytes);
}

Result<> check_binding(const PsaClaims& claims, const Binding& binding) {
  if (binding.report_data && claims.nonce != *binding.report_data) {
    return fail(EvidenceError::report_data_mismatch, "the PSA token's nonce is expected to be " +
                                                         codec::hex_encode(*binding.report_data) + ", found " +
                                                         codec::hex_encode(claims.nonce));
  }
  if (!binding.init_data_digest) return {};
  return fail(EvidenceError::init_data_mismatch, "init-data of digest " + codec::hex_encode(*binding.init_data_digest) +
                                                     " was sent, and a PSA token vouches for none");
}

// RFC 9783 section 4.2.1 and the PSA attestation API: the instance id stands for the key. Where the configuration names
// the instance, it has said so; where it does not, the id must be derived from the key.
Result<> check_instance(const PsaClaims& claims, const arm::TokenSigner& signer) {
  if (!signer.by_any_instance && !signer.simulated_root) return {};
  const auto derived = arm::instance_id_of(signer.key);
  if (derived && *derived == claims.instance_id) return {};
  return fail(PsaError::wrong_instance,
              "the instance id is expected to be the key's hash" +
                  (derived ? " " + codec::hex_encode(*derived) : std::string{}) + ", found " +
                  codec::hex_encode(claims.instance_id) +
                  "; an \"instance-id\" beside the key in psa_verifier.trusted_keys would allow another");
}

class PsaVerifier final : public Verifier {
 public:
  PsaVerifier(Settings settings, std::span<const crypto::Certificate> simulated_roots)
      : settings_(std::move(settings)), simulated_roots_(simulated_roots.begin(), simulated_roots.end()) {}
  TeeKind kind() const override { return TeeKind::psa; }

  Result<std::vector<Claims>> verify(const json::Value& evidence, const Binding& binding,
                                     TimePoint now) const override {
    const auto token = TRY(read_token(evidence));
    const auto& claims = token.claims;
    const arm::SignerSearch search{settings_.trusted_keys, simulated_roots_, TeeKind::psa, "psa_verifier.trusted_keys"};
    const auto signer = TRY(arm::verify_by_trusted_key(token.signed_token, claims.instance_id, claims.implementation_id,
                                                       search, token_codes(), "the PSA token", now));
    TRY(check_instance(claims, signer));
    TRY(check_lifecycle(claims));
    TRY(check_binding(claims, binding));
    Claims out{json_claims(claims)};
    out.report_data = codec::hex_encode(claims.nonce);
    out.simulated_root = signer.simulated_root;
    return std::vector{std::move(out)};
  }

  Result<json::Object> inspect(const json::Value& evidence) const override {
    const auto token = TRY(read_token(evidence));
    auto out = json_claims(token.claims);
    out.append("signature", codec::hex_encode(token.signed_token.message.signature));
    return out;
  }

  Result<json::Value> from_raw(ByteView raw, std::span<const Bytes>) const override {
    TRY(parse_token(raw));
    return evidence_of(raw);
  }

 private:
  // Section 4.3.1: reports mean something in the states "secured" and "non-psa-rot-debug" alone.
  Result<> check_lifecycle(const PsaClaims& claims) const {
    const auto lifecycle = *arm::parse_lifecycle(claims.lifecycle);
    if (lifecycle == arm::Lifecycle::secured) return {};
    if (lifecycle == arm::Lifecycle::non_rot_debug && settings_.allow_non_rot_debug) return {};
    return fail(PsaError::not_secured,
                "the security lifecycle is expected to be \"secured\"" +
                    std::string{settings_.allow_non_rot_debug ? " or \"non-psa-rot-debug\"" : ""} + ", found \"" +
                    std::string{arm::name_of(lifecycle)} + "\"");
  }

  Settings settings_;
  std::vector<crypto::Certificate> simulated_roots_;
};

}  // namespace

json::Value evidence_of(ByteView token) {
  return json::Object{{"token", codec::base64_encode(token)}};
}

Result<std::unique_ptr<Verifier>> make_verifier(TeeKind, const VerifierOptions& options) {
  return std::make_unique<PsaVerifier>(TRY(read_settings(options.config)), options.simulated_roots(TeeKind::psa));
}

}  // namespace coffer::evidence::psa
