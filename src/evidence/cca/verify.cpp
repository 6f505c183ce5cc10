#include "codec/base64.h"
#include "evidence/binding.h"
#include "evidence/cca/cca.h"
#include "evidence/cca/claims.h"
#include "evidence/cca/settings.h"
#include "evidence/json_bytes.h"

namespace coffer::evidence::cca {

namespace json = codec::json;

namespace {

Result<Token> read_token(const json::Value& evidence) {
  if (!evidence.is_object()) {
    return fail(EvidenceError::malformed,
                "CCA evidence is expected to be an object, found " + std::string{evidence.type_name()});
  }
  return parse_token(TRY(bytes_of_integers(evidence.find("token"), "CCA evidence.token", std::nullopt, max_token)));
}

// RMM specification A7.2.3.2.1: the platform's challenge is the hash of the realm's key.
Result<> check_realm_key(const Token& token) {
  const auto hash = TRY(realm_key_hash(token.realm));
  if (hash == token.platform.challenge) return {};
  return fail(CcaError::unbound_realm_key, "the platform is expected to vouch for the realm's key of hash " +
                                               codec::hex_encode(hash) + ", found " +
                                               codec::hex_encode(token.platform.challenge));
}

class CcaVerifier final : public Verifier {
 public:
  CcaVerifier(Settings settings, std::span<const crypto::Certificate> simulated_roots)
      : settings_(std::move(settings)), simulated_roots_(simulated_roots.begin(), simulated_roots.end()) {}
  TeeKind kind() const override { return TeeKind::cca; }

  Result<std::vector<Claims>> verify(const json::Value& evidence, const Binding& binding,
                                     TimePoint now) const override {
    const auto token = TRY(read_token(evidence));
    const auto signer = TRY(verify_platform(token, now));
    TRY(check_lifecycle(token.platform));
    TRY(arm::verify_signature(token.realm_token, TRY(realm_key(token.realm)), realm_codes(), "the realm token"));
    TRY(check_realm_key(token));
    // A7.2.3.1.1: the challenge has 64 bytes; shorter report data is padded with zeros, as upstream does.
    TRY(check_report_data_field(binding, token.realm.challenge, "the realm's challenge"));
    TRY(check_init_data_field(binding, token.realm.personalization_value, "the realm's personalization value"));
    Claims out{claims_of(token)};
    out.report_data = codec::hex_encode(token.realm.challenge);
    out.init_data = codec::hex_encode(token.realm.personalization_value);
    out.simulated_root = signer.simulated_root;
    return std::vector{std::move(out)};
  }

  Result<json::Object> inspect(const json::Value& evidence) const override {
    const auto token = TRY(read_token(evidence));
    auto out = claims_of(token);
    const auto lifecycle = arm::parse_lifecycle(token.platform.lifecycle);
    out.append("platform_lifecycle", arm::name_of(*lifecycle));
    out.append("platform_signature", codec::hex_encode(token.platform_token.message.signature));
    out.append("realm_signature", codec::hex_encode(token.realm_token.message.signature));
    return out;
  }

  Result<json::Value> from_raw(ByteView raw, std::span<const Bytes>) const override {
    TRY(parse_token(raw));
    return evidence_of(raw);
  }

 private:
  Result<arm::TokenSigner> verify_platform(const Token& token, TimePoint now) const {
    const arm::SignerSearch search{settings_.trusted_keys, simulated_roots_, TeeKind::cca, "cca_verifier.trusted_keys"};
    return arm::verify_by_trusted_key(token.platform_token, token.platform.instance_id,
                                      token.platform.implementation_id, search, platform_codes(), "the platform token",
                                      now);
  }

  // A platform that is being tested, debugged or is worn out signs whatever its debugger wants.
  Result<> check_lifecycle(const Platform& platform) const {
    const auto lifecycle = *arm::parse_lifecycle(platform.lifecycle);
    if (lifecycle == arm::Lifecycle::secured || settings_.allow_unsecured) return {};
    return fail(CcaError::not_secured, "the platform's lifecycle is expected to be \"secured\", found \"" +
                                           std::string{arm::name_of(lifecycle)} +
                                           "\", which cca_verifier.allow_unsecured does not allow");
  }

  Settings settings_;
  std::vector<crypto::Certificate> simulated_roots_;
};

}  // namespace

json::Value evidence_of(ByteView token) {
  return json::Object{{"token", integers_of(token)}};
}

Result<std::unique_ptr<Verifier>> make_verifier(TeeKind, const VerifierOptions& options) {
  return std::make_unique<CcaVerifier>(TRY(read_settings(options.config)), options.simulated_roots(TeeKind::cca));
}

}  // namespace coffer::evidence::cca
