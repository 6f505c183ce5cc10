#include "appraisal/detail/token_key.h"

#include <algorithm>
#include <array>

#include "codec/base64.h"

namespace coffer::appraisal::detail {

namespace json = codec::json;
namespace jose = codec::jose;

namespace {

constexpr std::size_t max_chain = 8;

constexpr std::array<std::string_view, 5> tee_key_pointers{
    "/tdx/attester_runtime_data/tee-pubkey",
    "/tdx/attester_user_data/tee-pubkey",
    "/customized_claims/runtime_data/tee-pubkey",
    "/submods/cpu0/ear.veraison.annotated-evidence/runtime_data_claims/tee-pubkey",
    "/tee-pubkey",
};

constexpr std::array all_algorithms{crypto::SignatureAlgorithm::es256, crypto::SignatureAlgorithm::es384,
                                    crypto::SignatureAlgorithm::es512, crypto::SignatureAlgorithm::rs256,
                                    crypto::SignatureAlgorithm::rs384, crypto::SignatureAlgorithm::rs512,
                                    crypto::SignatureAlgorithm::ps256, crypto::SignatureAlgorithm::ps384,
                                    crypto::SignatureAlgorithm::ps512, crypto::SignatureAlgorithm::eddsa};

// The JWK's own alg decides; a key of a trusted set without one may use what fits its kind.
Result<std::vector<crypto::SignatureAlgorithm>> algorithms_of(const jose::Jwk& jwk) {
  std::vector<crypto::SignatureAlgorithm> out;
  if (!jwk.alg) {
    std::ranges::copy_if(all_algorithms, std::back_inserter(out),
                         [&](auto algorithm) { return fits(algorithm, jwk.key.kind()); });
    return out;
  }
  const auto algorithm = jose::parse_signature_algorithm(*jwk.alg);
  if (!algorithm || !fits(*algorithm, jwk.key.kind())) {
    return fail(TokenError::algorithm_not_allowed, "a signature algorithm for " + std::string{name_of(jwk.key.kind())} +
                                                       " is expected, the key says \"" + jwk.alg->substr(0, 32) + "\"");
  }
  out.push_back(*algorithm);
  return out;
}

Result<std::vector<crypto::Certificate>> parse_x5c(const json::Value& x5c) {
  const auto* elements = x5c.if_array();
  if (elements == nullptr || elements->empty() || elements->size() > max_chain) {
    return fail(TokenError::bad_x5c, "x5c is expected to be an array of 1 to 8 certificates");
  }
  std::vector<crypto::Certificate> out;
  for (const auto& element : *elements) {
    const auto* text = element.if_string();
    if (text == nullptr) return fail(TokenError::bad_x5c, "x5c is expected to hold strings");
    const auto der = codec::base64_decode_lenient(*text);
    if (!der) return fail(TokenError::bad_x5c, "x5c is expected to hold base64: " + der.error().message);
    auto certificate = crypto::Certificate::from_der(*der);
    if (!certificate) return fail(TokenError::bad_x5c, "x5c holds no certificate: " + certificate.error().message);
    out.push_back(*std::move(certificate));
  }
  return out;
}

Result<TimePoint> check_chain(std::vector<crypto::Certificate> chain, const Anchors& anchors, TimePoint now) {
  const auto leaf = chain.front();
  chain.erase(chain.begin());
  const auto verified =
      crypto::verify_chain(leaf, anchors.certificates, {.at = now, .intermediates = std::move(chain)});
  if (!verified) {
    return fail(TokenError::untrusted_chain,
                "the token signer's certificate (" + leaf.subject() + ", issued by " + leaf.issuer() +
                    ") is expected to chain to a certificate of attestation_token.trusted_certs_paths: " +
                    verified.error().message);
  }
  return std::ranges::min(*verified, {}, &crypto::Certificate::not_after).not_after();
}

Result<jose::Jwk> header_jwk(const json::Value& value) {
  auto jwk = jose::parse_jwk(value);
  if (!jwk) return fail(TokenError::bad_jwk, "the token header's jwk is no key: " + jwk.error().message);
  if (!jwk->alg) return fail(TokenError::bad_jwk, "the token header's jwk is expected to have \"alg\"");
  return *std::move(jwk);
}

Result<SigningKey> key_by_chain(const json::Value& value, const Anchors& anchors, TimePoint now) {
  const auto jwk = TRY(header_jwk(value));
  SigningKey out {
    .key = jwk.key, .allowed = TRY(algorithms_of(jwk))
  };
  if (anchors.header_jwk) return out;
  // With a jwk in the header, JWK sets do not count: upstream's rule, kept so that one token has one verdict.
  if (anchors.certificates.empty()) {
    return fail(TokenError::no_trusted_certificate,
                "the token brings its key and chain, and no certificate is trusted: set "
                "attestation_token.trusted_certs_paths to the issuer's CA certificate");
  }
  const auto* x5c = value.find("x5c");
  if (x5c == nullptr) {
    return fail(TokenError::missing_x5c,
                "the token header's jwk is expected to have x5c: its issuer signs without a "
                "certificate chain, so nothing links its key to a trusted certificate");
  }
  const auto chain = TRY(parse_x5c(*x5c));
  const auto leaf_key = chain.front().public_key();
  if (!leaf_key || !(*leaf_key == jwk.key)) {
    return fail(TokenError::key_mismatch,
                "the first certificate of x5c (" + chain.front().subject() + ") is expected to hold the header's jwk");
  }
  out.valid_until = TRY(check_chain(chain, anchors, now));
  return out;
}

}  // namespace

Result<SigningKey> signing_key(const json::Object& header, const Anchors& anchors, TimePoint now) {
  if (const auto* jwk = header.find("jwk")) return key_by_chain(*jwk, anchors, now);
  const auto* kid = header.find("kid");
  if (kid == nullptr || !kid->is_string()) {
    return fail(TokenError::no_key_id, "the token header is expected to have jwk or kid, found neither");
  }
  const auto* jwk = anchors.find(*kid->if_string());
  if (jwk == nullptr) {
    return fail(TokenError::unknown_key_id, "no key of attestation_token.trusted_jwk_sets has the kid \"" +
                                                kid->if_string()->substr(0, 100) + "\" (" +
                                                std::to_string(anchors.keys.size()) + " keys are known)");
  }
  return SigningKey {
    .key = jwk->key, .allowed = TRY(algorithms_of(*jwk))
  };
}

std::optional<json::Object> tee_public_key(const json::Object& claims, std::span<const std::string> extra) {
  const json::Value root{claims};
  const auto at = [&](std::string_view pointer) -> const json::Object* {
    const auto* value = root.at_pointer(pointer);
    return value == nullptr ? nullptr : value->if_object();
  };
  for (const auto& pointer : extra) {
    if (const auto* key = at(pointer)) return *key;
  }
  for (const auto pointer : tee_key_pointers) {
    if (const auto* key = at(pointer)) return *key;
  }
  return std::nullopt;
}

}  // namespace coffer::appraisal::detail
