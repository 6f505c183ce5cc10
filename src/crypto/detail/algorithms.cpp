#include "crypto/detail/algorithms.h"

#include <array>
#include <cstdio>
#include <cstdlib>

namespace coffer::crypto::detail {
namespace {

constexpr std::array<const char*, 5> digest_names = {"SHA1", "SHA256", "SHA384", "SHA512", "SM3"};

constexpr std::array<std::array<const char*, 3>, 3> cipher_names = {{
    {"AES-128-GCM", "AES-192-GCM", "AES-256-GCM"},
    {"AES-128-CTR", "AES-192-CTR", "AES-256-CTR"},
    {"AES-128-WRAP", "AES-192-WRAP", "AES-256-WRAP"},
}};

std::array<EVP_MD*, digest_names.size()> fetch_digests() {
  std::array<EVP_MD*, digest_names.size()> out{};
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = EVP_MD_fetch(nullptr, digest_names[i], nullptr);
  ERR_clear_error();  // SM3 may be absent
  return out;
}

auto fetch_ciphers() {
  std::array<std::array<EVP_CIPHER*, 3>, cipher_names.size()> out{};
  for (std::size_t kind = 0; kind < out.size(); ++kind) {
    for (std::size_t size = 0; size < 3; ++size) {
      out[kind][size] = EVP_CIPHER_fetch(nullptr, cipher_names[kind][size], nullptr);
      if (out[kind][size] == nullptr) openssl_broken(cipher_names[kind][size]);
    }
  }
  return out;
}

MacContext hmac_template(std::size_t index) {
  static EVP_MAC* const mac = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
  if (mac == nullptr) openssl_broken("HMAC");
  MacContext context{EVP_MAC_CTX_new(mac)};
  std::string name = digest_names[index];
  const OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name.data(), 0),
                               OSSL_PARAM_construct_end()};
  if (!context || EVP_MAC_CTX_set_params(context.get(), params) != 1) openssl_broken("HMAC digest");
  return context;
}

}  // namespace

void openssl_broken(const char* what) {
  std::fprintf(stderr, "fatal: OpenSSL cannot provide %s\n", what);
  std::abort();
}

const EVP_MD* digest(HashAlgorithm algorithm) {
  static const auto digests = fetch_digests();
  const auto index = static_cast<std::size_t>(algorithm);
  if (digests[index] == nullptr) openssl_broken(digest_names[index]);
  return digests[index];
}

const EVP_CIPHER* chacha20_poly1305() {
  static const EVP_CIPHER* const cipher = EVP_CIPHER_fetch(nullptr, "ChaCha20-Poly1305", nullptr);
  if (cipher == nullptr) openssl_broken("ChaCha20-Poly1305");
  return cipher;
}

const EVP_CIPHER* aes(CipherKind kind, std::size_t key_size) {
  static const auto ciphers = fetch_ciphers();
  if (key_size != 16 && key_size != 24 && key_size != 32) return nullptr;
  return ciphers[static_cast<std::size_t>(kind)][key_size / 8 - 2];
}

MacContext new_hmac(HashAlgorithm algorithm) {
  // One template a thread and digest: setting the digest by name is the expensive half of a short HMAC. Templates
  // never see a key; each use works on a duplicate that wipes its key when it is freed.
  thread_local std::array<MacContext, digest_names.size()> templates;
  auto& prepared = templates[static_cast<std::size_t>(algorithm)];
  if (!prepared) prepared = hmac_template(static_cast<std::size_t>(algorithm));
  MacContext context{EVP_MAC_CTX_dup(prepared.get())};
  if (!context) openssl_broken("an HMAC context");
  return context;
}

}  // namespace coffer::crypto::detail
