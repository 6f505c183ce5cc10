#include "crypto/mac.h"

#include "crypto/detail/algorithms.h"

namespace coffer::crypto {

Bytes hmac(HashAlgorithm algorithm, ByteView key, ByteView data) {
  Hmac mac(algorithm, key);
  mac.update(data);
  return mac.finish();
}

struct Hmac::Impl {
  HashAlgorithm algorithm;
  detail::MacContext context;
};

Hmac::Hmac(HashAlgorithm algorithm, ByteView key) : impl_(new Impl{algorithm, detail::new_hmac(algorithm)}) {
  if (EVP_MAC_init(impl_->context.get(), detail::data_of(key), key.size(), nullptr) != 1) {
    detail::openssl_broken("HMAC");
  }
}
Hmac::Hmac(Hmac&&) noexcept = default;
Hmac& Hmac::operator=(Hmac&&) noexcept = default;
Hmac::~Hmac() = default;

void Hmac::update(ByteView data) {
  if (EVP_MAC_update(impl_->context.get(), detail::data_of(data), data.size()) != 1) detail::openssl_broken("HMAC");
}

Bytes Hmac::finish() {
  Bytes out(digest_size(impl_->algorithm));
  finish(out);
  return out;
}

void Hmac::finish(MutableByteView out) {
  std::size_t size = 0;
  if (out.size() != digest_size(impl_->algorithm) ||
      EVP_MAC_final(impl_->context.get(), detail::data_of(out), &size, out.size()) != 1 ||
      EVP_MAC_init(impl_->context.get(), nullptr, 0, nullptr) != 1) {
    detail::openssl_broken("HMAC");
  }
}

}  // namespace coffer::crypto
