#include "crypto/key_wrap.h"

#include "crypto/detail/algorithms.h"

namespace coffer::crypto {
namespace {

constexpr std::size_t largest_key = 1U << 16;  // keys, not data

Result<detail::CipherContext> start(ByteView kek, bool wrapping) {
  const auto* cipher = detail::aes(detail::CipherKind::wrap, kek.size());
  if (cipher == nullptr) {
    return fail(CryptoError::bad_key, "a key-encryption key has 16, 24 or 32 bytes, not " + std::to_string(kek.size()));
  }
  detail::CipherContext context{EVP_CIPHER_CTX_new()};
  if (context) EVP_CIPHER_CTX_set_flags(context.get(), EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
  // A null IV selects the initial value of RFC 3394 section 2.2.3.1.
  if (!context ||
      EVP_CipherInit_ex2(context.get(), cipher, detail::data_of(kek), nullptr, wrapping ? 1 : 0, nullptr) != 1) {
    return detail::openssl_fail(CryptoError::internal, "AES key wrap does not start");
  }
  return context;
}

}  // namespace

Result<Bytes> aes_key_wrap(ByteView kek, ByteView key) {
  // RFC 3394 section 2.2.1: n >= 2 blocks of 64 bits.
  if (key.size() < 16 || key.size() % 8 != 0 || key.size() > largest_key) {
    return fail(CryptoError::bad_parameter,
                "a key to wrap has a multiple of 8 and at least 16 bytes, not " + std::to_string(key.size()));
  }
  const auto context = TRY(start(kek, true));
  Bytes wrapped(key.size() + 8);
  int written = 0;
  if (EVP_CipherUpdate(context.get(), detail::data_of(MutableByteView{wrapped}), &written, detail::data_of(key),
                       static_cast<int>(key.size())) != 1 ||
      static_cast<std::size_t>(written) != wrapped.size()) {
    return detail::openssl_fail(CryptoError::internal, "AES key wrap refuses the key");
  }
  return wrapped;
}

Result<SecretBytes> aes_key_unwrap(ByteView kek, ByteView wrapped) {
  if (wrapped.size() < 24 || wrapped.size() % 8 != 0 || wrapped.size() > largest_key + 8) {
    return fail(CryptoError::bad_parameter,
                "a wrapped key has a multiple of 8 and at least 24 bytes, not " + std::to_string(wrapped.size()));
  }
  const auto context = TRY(start(kek, false));
  SecretBytes key(wrapped.size());  // OpenSSL may use all of it while it works
  int written = 0;
  if (EVP_CipherUpdate(context.get(), detail::data_of(key.mutable_expose()), &written, detail::data_of(wrapped),
                       static_cast<int>(wrapped.size())) != 1 ||
      static_cast<std::size_t>(written) != wrapped.size() - 8) {
    ERR_clear_error();
    return fail(CryptoError::bad_tag, "the wrapped key does not open: another key-encryption key, or altered data");
  }
  key.truncate(wrapped.size() - 8);
  return key;
}

}  // namespace coffer::crypto
