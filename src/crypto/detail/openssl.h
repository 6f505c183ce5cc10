// OpenSSL's objects as unique pointers, and its error queue as our errors. For the .cpp files of crypto alone.
#pragma once

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <memory>

#include "base/bytes.h"
#include "crypto/error.h"

namespace coffer::crypto::detail {

template <auto release>
struct Releaser {
  template <class T>
  void operator()(T* object) const {
    release(object);
  }
};
template <class T, auto release>
using Handle = std::unique_ptr<T, Releaser<release>>;

using BioPtr = Handle<BIO, BIO_free_all>;
using BignumPtr = Handle<BIGNUM, BN_clear_free>;
using CipherContext = Handle<EVP_CIPHER_CTX, EVP_CIPHER_CTX_free>;
using DigestContext = Handle<EVP_MD_CTX, EVP_MD_CTX_free>;
using MacContext = Handle<EVP_MAC_CTX, EVP_MAC_CTX_free>;
using Pkey = Handle<EVP_PKEY, EVP_PKEY_free>;
using PkeyContext = Handle<EVP_PKEY_CTX, EVP_PKEY_CTX_free>;
using X509Ptr = Handle<X509, X509_free>;
using X509CrlPtr = Handle<X509_CRL, X509_CRL_free>;

// The error for a call that OpenSSL refused: `message`, then the library's last reason. Empties the queue, so that no
// later caller finds an error that is not its own.
inline Error openssl_error(CryptoError code, std::string message) {
  const auto last = ERR_peek_last_error();
  if (const char* reason = last != 0 ? ERR_reason_error_string(last) : nullptr) {
    message += " (OpenSSL: " + std::string{reason} + ")";
  }
  ERR_clear_error();
  return Error{code, std::move(message)};
}

inline std::unexpected<Error> openssl_fail(CryptoError code, std::string message) {
  return std::unexpected<Error>(openssl_error(code, std::move(message)));
}

// Ends the program: for what fails only when memory or the installation is broken.
[[noreturn]] void openssl_broken(const char* what);

// Empties the error queue on leaving a scope whose calls may leave errors although they succeed.
struct QueueCleaner {
  QueueCleaner() = default;
  QueueCleaner(const QueueCleaner&) = delete;
  QueueCleaner& operator=(const QueueCleaner&) = delete;
  ~QueueCleaner() { ERR_clear_error(); }
};

inline const unsigned char* data_of(ByteView bytes) {
  // Some calls take a null pointer to mean "keep what was set": an empty view gets a valid address instead.
  static constexpr unsigned char nothing = 0;
  return bytes.empty() ? &nothing : reinterpret_cast<const unsigned char*>(bytes.data());
}
inline unsigned char* data_of(MutableByteView bytes) {
  return reinterpret_cast<unsigned char*>(bytes.data());
}

}  // namespace coffer::crypto::detail
