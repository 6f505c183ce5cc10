#include "crypto/aead.h"

#include <algorithm>

#include "crypto/detail/algorithms.h"

namespace coffer::crypto {
namespace {

enum class Direction { open = 0, seal = 1 };

// OpenSSL counts in int.
constexpr std::size_t largest_step = 1U << 30;

struct Scheme {
  const EVP_CIPHER* cipher;
  std::string name;
};

Result<Scheme> gcm(Direction direction, ByteView key, ByteView iv) {
  const auto* cipher = detail::aes(detail::CipherKind::gcm, key.size());
  if (cipher == nullptr) {
    return fail(CryptoError::bad_key, "an AES key has 16, 24 or 32 bytes, not " + std::to_string(key.size()));
  }
  const bool fits = direction == Direction::seal ? iv.size() == gcm_iv_size : !iv.empty() && iv.size() <= 64;
  if (!fits) return fail(CryptoError::bad_parameter, "an AES-GCM IV of " + std::to_string(iv.size()) + " bytes");
  return Scheme{cipher, "AES-GCM"};
}

Result<Scheme> chacha20_poly1305(ByteView key, ByteView iv) {
  if (key.size() != chacha20_poly1305_key_size) {
    return fail(CryptoError::bad_key, "a ChaCha20-Poly1305 key has 32 bytes, not " + std::to_string(key.size()));
  }
  if (iv.size() != gcm_iv_size) {
    return fail(CryptoError::bad_parameter, "a ChaCha20-Poly1305 nonce of " + std::to_string(iv.size()) + " bytes");
  }
  return Scheme{detail::chacha20_poly1305(), "ChaCha20-Poly1305"};
}

Result<detail::CipherContext> start(const Scheme& scheme, Direction direction, ByteView key, ByteView iv,
                                    ByteView aad) {
  detail::CipherContext context{EVP_CIPHER_CTX_new()};
  auto iv_size = iv.size();
  const OSSL_PARAM params[] = {OSSL_PARAM_construct_size_t(OSSL_CIPHER_PARAM_AEAD_IVLEN, &iv_size),
                               OSSL_PARAM_construct_end()};
  if (!context || EVP_CipherInit_ex2(context.get(), scheme.cipher, detail::data_of(key), detail::data_of(iv),
                                     static_cast<int>(direction), params) != 1) {
    return detail::openssl_fail(CryptoError::internal, scheme.name + " does not start");
  }
  while (!aad.empty()) {
    const auto part = aad.first(std::min(aad.size(), largest_step));
    int ignored = 0;
    if (EVP_CipherUpdate(context.get(), nullptr, &ignored, detail::data_of(part), static_cast<int>(part.size())) != 1) {
      return detail::openssl_fail(CryptoError::internal, scheme.name + " refuses the additional data");
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
      return detail::openssl_fail(CryptoError::internal, "the cipher refuses the data");
    }
    in = in.subspan(part.size());
    out = out.subspan(static_cast<std::size_t>(written));
  }
  return {};
}

// ciphertext has the size of plaintext, tag gcm_tag_size.
Result<> seal_into(const Scheme& scheme, ByteView key, ByteView iv, ByteView aad, ByteView plaintext,
                   MutableByteView ciphertext, MutableByteView tag) {
  const auto context = TRY(start(scheme, Direction::seal, key, iv, aad));
  TRY(transform(context.get(), plaintext, ciphertext));
  unsigned char none[1];
  int written = 0;
  if (EVP_CipherFinal_ex(context.get(), none, &written) != 1 ||
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, gcm_tag_size, tag.data()) != 1) {
    return detail::openssl_fail(CryptoError::internal, scheme.name + " does not finish");
  }
  return {};
}

Result<Bytes> seal_joined(const Scheme& scheme, ByteView key, ByteView iv, ByteView aad, ByteView plaintext) {
  Bytes out(plaintext.size() + gcm_tag_size);
  const MutableByteView all{out};
  TRY(seal_into(scheme, key, iv, aad, plaintext, all.first(plaintext.size()), all.last(gcm_tag_size)));
  return out;
}

Result<SecretBytes> open(const Scheme& scheme, ByteView key, ByteView iv, ByteView aad, ByteView ciphertext,
                         ByteView tag) {
  const auto context = TRY(start(scheme, Direction::open, key, iv, aad));
  SecretBytes plaintext(ciphertext.size());
  TRY(transform(context.get(), ciphertext, plaintext.mutable_expose()));
  Bytes expected = to_bytes(tag);
  unsigned char none[1];
  int written = 0;
  if (EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_TAG, gcm_tag_size, expected.data()) != 1 ||
      EVP_CipherFinal_ex(context.get(), none, &written) != 1) {
    ERR_clear_error();
    return fail(CryptoError::bad_tag, "the " + scheme.name + " tag does not match: another key, or altered data");
  }
  return plaintext;
}

// Ciphertext and tag of what has them joined.
Result<std::pair<ByteView, ByteView>> split_tag(ByteView joined) {
  if (joined.size() < gcm_tag_size) {
    return fail(CryptoError::bad_tag,
                "sealed data has at least its tag of 16 bytes, not " + std::to_string(joined.size()) + " bytes");
  }
  const auto size = joined.size() - gcm_tag_size;
  return std::pair{joined.first(size), joined.subspan(size)};
}

}  // namespace

Result<Sealed> aes_gcm_seal(ByteView key, ByteView iv, ByteView aad, ByteView plaintext) {
  const auto scheme = TRY(gcm(Direction::seal, key, iv));
  Sealed out{Bytes(plaintext.size()), Bytes(gcm_tag_size)};
  TRY(seal_into(scheme, key, iv, aad, plaintext, out.ciphertext, out.tag));
  return out;
}

Result<SecretBytes> aes_gcm_open(ByteView key, ByteView iv, ByteView aad, ByteView ciphertext, ByteView tag) {
  if (tag.size() != gcm_tag_size) {
    return fail(CryptoError::bad_tag, "an AES-GCM tag has 16 bytes, not " + std::to_string(tag.size()));
  }
  const auto scheme = TRY(gcm(Direction::open, key, iv));
  return open(scheme, key, iv, aad, ciphertext, tag);
}

Result<Bytes> aes_gcm_seal_joined(ByteView key, ByteView iv, ByteView aad, ByteView plaintext) {
  const auto scheme = TRY(gcm(Direction::seal, key, iv));
  return seal_joined(scheme, key, iv, aad, plaintext);
}

Result<SecretBytes> aes_gcm_open_joined(ByteView key, ByteView iv, ByteView aad, ByteView ciphertext_and_tag) {
  const auto [ciphertext, tag] = TRY(split_tag(ciphertext_and_tag));
  return aes_gcm_open(key, iv, aad, ciphertext, tag);
}

Result<Bytes> chacha20_poly1305_seal_joined(ByteView key, ByteView iv, ByteView aad, ByteView plaintext) {
  const auto scheme = TRY(chacha20_poly1305(key, iv));
  return seal_joined(scheme, key, iv, aad, plaintext);
}

Result<SecretBytes> chacha20_poly1305_open_joined(ByteView key, ByteView iv, ByteView aad,
                                                  ByteView ciphertext_and_tag) {
  const auto [ciphertext, tag] = TRY(split_tag(ciphertext_and_tag));
  const auto scheme = TRY(chacha20_poly1305(key, iv));
  return open(scheme, key, iv, aad, ciphertext, tag);
}

}  // namespace coffer::crypto
