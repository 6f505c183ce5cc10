#include "codec/jose/detail/jwe_encrypt.h"

#include "codec/base64.h"
#include "codec/jose/detail/header.h"
#include "codec/jose/detail/jwe_keys.h"
#include "crypto/aead.h"
#include "crypto/random.h"

namespace coffer::codec::jose {
namespace {

using detail::JweRandomness;

constexpr std::string_view content_encryption = "A256GCM";
constexpr std::size_t content_key_size = 32;

Result<std::optional<crypto::PrivateKey>> ephemeral_for(const crypto::PublicKey& recipient, KeyManagement algorithm) {
  if (!detail::is_agreement(algorithm) || !detail::fits(algorithm, recipient.kind())) return std::nullopt;
  return TRY(crypto::PrivateKey::generate(recipient.kind()));
}

JweRandomness fresh_randomness() {
  return {crypto::system_random().secret(content_key_size), crypto::system_random().bytes(crypto::gcm_iv_size)};
}

// The members that stand last in every JSON form, in the order that upstream's broker has them.
Result<> append_sealed(json::Object& message, std::string_view protected_text, ByteView plaintext,
                       const JweRandomness& randomness) {
  const auto sealed =
      TRY(crypto::aes_gcm_seal(randomness.content_key.expose(), randomness.iv, as_bytes(protected_text), plaintext));
  message.append("iv", base64url_encode(randomness.iv));
  message.append("ciphertext", base64url_encode(sealed.ciphertext));
  message.append("tag", base64url_encode(sealed.tag));
  return {};
}

std::string protected_text_of(const json::Object& header) {
  return base64url_encode(as_bytes(json::serialize(header)));
}

// The algorithm that ocicrypt chooses for a kind of key.
KeyManagement image_algorithm(const crypto::PublicKey& key) {
  return key.kind() == crypto::KeyKind::rsa ? KeyManagement::rsa_oaep : KeyManagement::ecdh_es_a256kw;
}

// An element of "recipients": {"header":{"alg"[,"epk"]},"encrypted_key"}.
Result<json::Value> general_recipient(const crypto::PublicKey& key, const JweRandomness& randomness) {
  const auto algorithm = image_algorithm(key);
  const auto ephemeral = TRY(ephemeral_for(key, algorithm));
  auto wrapped =
      TRY(detail::wrap_content_key(randomness.content_key.expose(), key, algorithm, ephemeral ? &*ephemeral : nullptr));
  json::Object header{{"alg", name_of(algorithm)}};
  TRY(detail::merge_header(header, wrapped.header));
  return json::Object{{"header", std::move(header)}, {"encrypted_key", base64url_encode(wrapped.encrypted_key)}};
}

}  // namespace

Result<std::string> detail::encrypt_flattened_with(ByteView plaintext, const crypto::PublicKey& recipient,
                                                   KeyManagement algorithm, const JweRandomness& randomness) {
  const auto* ephemeral = randomness.ephemeral ? &*randomness.ephemeral : nullptr;
  const auto wrapped = TRY(wrap_content_key(randomness.content_key.expose(), recipient, algorithm, ephemeral));
  json::Object header{{"alg", name_of(algorithm)}, {"enc", content_encryption}};
  TRY(merge_header(header, wrapped.header));
  const auto protected_text = protected_text_of(header);
  json::Object message{{"protected", protected_text}, {"encrypted_key", base64url_encode(wrapped.encrypted_key)}};
  TRY(append_sealed(message, protected_text, plaintext, randomness));
  return json::serialize(message);
}

Result<std::string> encrypt_flattened(ByteView plaintext, const crypto::PublicKey& recipient, KeyManagement algorithm) {
  auto randomness = fresh_randomness();
  randomness.ephemeral = TRY(ephemeral_for(recipient, algorithm));
  return detail::encrypt_flattened_with(plaintext, recipient, algorithm, randomness);
}

Result<std::string> encrypt_general(ByteView plaintext, std::span<const crypto::PublicKey> recipients) {
  if (recipients.empty()) return fail(JoseError::bad_key, "a JWE needs at least one recipient, and there is none");
  if (recipients.size() == 1) return encrypt_flattened(plaintext, recipients[0], image_algorithm(recipients[0]));
  const auto randomness = fresh_randomness();
  const auto protected_text = protected_text_of({{"enc", content_encryption}});
  json::Array entries;
  for (const auto& recipient : recipients) entries.push_back(TRY(general_recipient(recipient, randomness)));
  json::Object message{{"protected", protected_text}, {"recipients", std::move(entries)}};
  TRY(append_sealed(message, protected_text, plaintext, randomness));
  return json::serialize(message);
}

}  // namespace coffer::codec::jose
