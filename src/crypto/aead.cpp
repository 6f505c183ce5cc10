#include "crypto/aead.h"

#include <algorithm>

#include "crypto/detail/algorithms.h"

namespace coffer::crypto {
namespace {

enum class Direction { open = 0, seal = 1 };

// OpenSSL counts in int.
constexpr std::size_t largest_step = 1U << 30;

Result<> check_sizes(Direction direction, ByteView key, ByteView iv) {
  if (detail::aes(detail::CipherKind::gcm, key.size()) == nullptr) {
    return fail(CryptoError::bad_key, "an AES key has 16, 24 or 32 bytes, not " + std::to_string(key.size()));
  }
  const bool fits = direction == Direction::seal ? iv.size() == gcm_iv_size : !iv.empty() && iv.size() <= 64;
  if (!fits) return fail(CryptoError::bad_parameter, "an AES-GCM IV of " + std::to_string(iv.size()) + " bytes");
  return {};
}

Result<detail::CipherContext> start(Direction direction, ByteView key, ByteView iv, ByteView aad) {
  TRY(check_sizes(direction, key, iv));
  detail::CipherContext context{EVP_CIPHER_CTX_new()};
  auto iv_size = iv.size();
  const OSSL_PARAM params[] = {OSSL_PARAM_construct_size_t(OSSL_CIPHER_PARAM_AEAD_IVLEN, &iv_size),
                               OSSL_PARAM_construct_end()};
  if (!context ||
      EVP_CipherInit_ex2(context.get(), detail::aes(detail::CipherKind::gcm, key.size()), detail::data_of(key),
                         detail::data_of(iv), static_cast<int>(direction), params) != 1) {
    return detail::openssl_fail(CryptoError::internal, "AES-GCM does not start");
  }
  while (!aad.empty()) {
    const auto part = aad.first(std::min(aad.size(), largest_step));
    int ignored = 0;
    if (EVP_CipherUpdate(context.get(), nullptr, &ignored, detail::data_of(part), static_cast<int>(part.size())) != 1) {
      return detail::openssl_fail(CryptoError::internal, "AES-GCM refuses the additional data");
    }
    aad = aad.subspan(part.size());
  }
  return context;
}

Result<> transform(EVP_CIPHER_CTX* context, ByteView in, MutableByteView out) {
  while (!in.empty()) {
    const auto part = in.first(std::min(in.size(), largest_step));
    int written = 0;
    if (EVP_CipherUpdate(context, detail::data_of(out), &written, detail::data_of(part),
                         static_cast<int>(part.size())) != 1) {
      return detail::openssl_fail(CryptoError::internal, "AES-GCM refuses the data");
    }
    in = in.subspan(part.size());
    out = out.subspan(static_cast<std::size_t>(written));
  }
  return {};
}

// ciphertext has the size of plaintext, tag gcm_tag_size.
Result<> seal_into(ByteView key, ByteView iv, ByteView aad, ByteView plaintext, MutableByteView ciphertext,
                   MutableByteView tag) {
  const auto context = TRY(start(Direction::seal, key, iv, aad));
  TRY(transform(context.get(), plaintext, ciphertext));
  unsigned char none[1];
  int written = 0;
  if (EVP_CipherFinal_ex(context.get(), none, &written) != 1 ||
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, gcm_tag_size, tag.data()) != 1) {
    return detail::openssl_fail(CryptoError::internal, "AES-GCM does not finish");
  }
  return {};
}

}  // namespace

Result<Sealed> aes_gcm_seal(ByteView key, ByteView iv, ByteView aad, ByteView plaintext) {
  Sealed out{Bytes(plaintext.size()), Bytes(gcm_tag_size)};
  TRY(seal_into(key, iv, aad, plaintext, out.ciphertext, out.tag));
  return out;
}

Result<SecretBytes> aes_gcm_open(ByteView key, ByteView iv, ByteView aad, ByteView ciphertext, ByteView tag) {
  if (tag.size() != gcm_tag_size) {
    return fail(CryptoError::bad_tag, "an AES-GCM tag has 16 bytes, not " + std::to_string(tag.size()));
  }
  const auto context = TRY(start(Direction::open, key, iv, aad));
  SecretBytes plaintext(ciphertext.size());
  TRY(transform(context.get(), ciphertext, plaintext.mutable_expose()));
  Bytes expected = to_bytes(tag);
  unsigned char none[1];
  int written = 0;
  if (EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_TAG, gcm_tag_size, expected.data()) != 1 ||
      EVP_CipherFinal_ex(context.get(), none, &written) != 1) {
    ERR_clear_error();
    return fail(CryptoError::bad_tag, "the AES-GCM tag does not match: another key, or altered data");
  }
  return plaintext;
}

Result<Bytes> aes_gcm_seal_joined(ByteView key, ByteView iv, ByteView aad, ByteView plaintext) {
  Bytes out(plaintext.size() + gcm_tag_size);
  const MutableByteView all{out};
  TRY(seal_into(key, iv, aad, plaintext, all.first(plaintext.size()), all.last(gcm_tag_size)));
  return out;
}

Result<SecretBytes> aes_gcm_open_joined(ByteView key, ByteView iv, ByteView aad, ByteView ciphertext_and_tag) {
  if (ciphertext_and_tag.size() < gcm_tag_size) {
    return fail(CryptoError::bad_tag, "sealed data has at least its tag of 16 bytes, not " +
                                          std::to_string(ciphertext_and_tag.size()) + " bytes");
  }
  const auto size = ciphertext_and_tag.size() - gcm_tag_size;
  return aes_gcm_open(key, iv, aad, ciphertext_and_tag.first(size), ciphertext_and_tag.subspan(size));
}

}  // namespace coffer::crypto
