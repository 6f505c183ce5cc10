#include "appraisal/token_signer.h"

#include <algorithm>

#include "codec/base64.h"
#include "codec/jose/jwk.h"
#include "codec/jose/jwt.h"

namespace coffer::appraisal {

namespace json = codec::json;

namespace {

constexpr std::string_view space = "attestation_service_signer";
constexpr std::string_view key_name = "signer.pem";
// Relying parties pin the certificate, so it outlives everything; the token's own exp is what limits trust.
constexpr auto certificate_lifetime = std::chrono::days{3650};
constexpr auto clock_skew = std::chrono::hours{1};

Error bad(std::string message) {
  return Error{AppraisalError::bad_signer, std::move(message)};
}

Result<crypto::PrivateKey> p256_key(ByteView pem) {
  auto key = crypto::PrivateKey::from_pem(pem);
  if (!key) return fail(bad("the token signer's key does not parse: " + key.error().message));
  if (key->kind() == crypto::KeyKind::ec_p256) return *std::move(key);
  return fail(bad("the token signer's key is expected to be P-256, found " + std::string{name_of(key->kind())}));
}

Result<std::vector<crypto::Certificate>> chain_for(const crypto::PrivateKey& key, std::string_view pem) {
  auto chain = crypto::Certificate::chain_from_pem(pem);
  if (!chain) return fail(bad("the token signer's certificate chain does not parse: " + chain.error().message));
  const auto leaf = chain->front().public_key();
  if (leaf && *leaf == key.public_key()) return *std::move(chain);
  return fail(bad("the first certificate of the token signer's chain (" + chain->front().subject() +
                  ") is expected to hold the signer's key"));
}

// Key and certificate in one value, so that one put_if decides for both.
Result<SecretBytes> generate_bundle(TimePoint now) {
  const auto key = TRY(crypto::PrivateKey::generate(crypto::KeyKind::ec_p256));
  const auto certificate = TRY(crypto::self_sign({.common_name = "Coffer attestation service",
                                                  .not_before = now - clock_skew,
                                                  .not_after = now + certificate_lifetime},
                                                 key));
  const auto key_pem = key.to_pem_pkcs8();
  const auto certificate_pem = certificate.to_pem();
  SecretBytes out{key_pem.size() + certificate_pem.size()};
  const auto target = out.mutable_expose();
  std::ranges::copy(key_pem.expose(), target.begin());
  std::ranges::copy(as_bytes(certificate_pem), target.begin() + static_cast<std::ptrdiff_t>(key_pem.size()));
  return out;
}

Result<std::optional<SecretBytes>> stored_bundle(storage::KeyValueStore& store) {
  auto bytes = TRY(store.get(space, key_name));
  if (!bytes) return std::optional<SecretBytes>{};
  auto out = SecretBytes::copy_of(*bytes);
  wipe(*bytes);
  return std::optional{std::move(out)};
}

Result<SecretBytes> load_or_create_bundle(storage::KeyValueStore& store, TimePoint now) {
  if (auto present = TRY(stored_bundle(store))) return *std::move(present);
  auto bundle = TRY(generate_bundle(now));
  const auto written = store.put_if(space, key_name, std::nullopt, bundle.expose());
  if (written) return bundle;
  if (written.error().code != storage::StorageError::conflict) return fail(written.error());
  // Another replica was first: its key is the one.
  if (auto present = TRY(stored_bundle(store))) return *std::move(present);
  return fail(bad("the token signer's key vanished from the store while it was created"));
}

json::Object make_header_jwk(const crypto::PrivateKey& key, const std::vector<crypto::Certificate>& chain,
                             const std::optional<std::string>& url) {
  json::Object out{{"alg", "ES256"}};
  if (url) out.set("x5u", *url);
  if (!chain.empty()) {
    json::Array x5c;  // RFC 7517 section 4.7: base64, not base64url
    for (const auto& certificate : chain) x5c.emplace_back(codec::base64_encode(certificate.der()));
    out.set("x5c", std::move(x5c));
  }
  const auto point = codec::jose::to_jwk(key.public_key());
  for (const auto name : {"kty", "crv", "x", "y"}) out.set(name, *point.find(name));
  return out;
}

}  // namespace

TokenSigner::TokenSigner(crypto::PrivateKey key, std::vector<crypto::Certificate> chain,
                         const std::optional<std::string>& url)
    : key_(std::move(key)), chain_(std::move(chain)), header_jwk_(make_header_jwk(key_, chain_, url)) {}

Result<TokenSigner> TokenSigner::from_files(const SignerFiles& files) {
  auto key = TRY(p256_key(files.key_pem.expose()));
  std::vector<crypto::Certificate> chain;
  if (files.chain_pem) chain = TRY(chain_for(key, *files.chain_pem));
  return TokenSigner{std::move(key), std::move(chain), files.cert_url};
}

Result<TokenSigner> TokenSigner::load_or_create(storage::KeyValueStore& store, TimePoint now) {
  const auto bundle = TRY(load_or_create_bundle(store, now));
  auto key = TRY(p256_key(bundle.expose()));
  auto chain = TRY(chain_for(key, as_text(bundle.expose())));
  return TokenSigner{std::move(key), std::move(chain), std::nullopt};
}

Result<std::string> TokenSigner::sign(const json::Object& claims) const {
  return codec::jose::sign_jwt({{"typ", "JWT"}, {"alg", "ES256"}, {"jwk", header_jwk()}}, claims, key_,
                               crypto::SignatureAlgorithm::es256);
}

std::string TokenSigner::anchor_pem() const {
  return chain_.empty() ? std::string{} : chain_.back().to_pem();
}

json::Object TokenSigner::jwk_set() const {
  return {{"keys", json::Array{header_jwk()}}};
}

}  // namespace coffer::appraisal
