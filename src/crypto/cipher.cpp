#include "crypto/cipher.h"

#include <algorithm>

#include "crypto/detail/algorithms.h"

namespace coffer::crypto {
namespace {

constexpr std::size_t largest_step = 1U << 30;  // OpenSSL counts in int

}  // namespace

struct AesCtr::Impl {
  detail::CipherContext context{EVP_CIPHER_CTX_new()};
};

AesCtr::AesCtr(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
AesCtr::AesCtr(AesCtr&&) noexcept = default;
AesCtr& AesCtr::operator=(AesCtr&&) noexcept = default;
AesCtr::~AesCtr() = default;

Result<AesCtr> AesCtr::create(ByteView key, ByteView counter) {
  if (key.size() != 32) {
    return fail(CryptoError::bad_key, "an AES-256-CTR key has 32 bytes, not " + std::to_string(key.size()));
  }
  if (counter.size() != 16) {
    return fail(CryptoError::bad_parameter, "a CTR counter block has 16 bytes, not " + std::to_string(counter.size()));
  }
  auto impl = std::make_unique<Impl>();
  if (EVP_EncryptInit_ex2(impl->context.get(), detail::aes(detail::CipherKind::ctr, key.size()), detail::data_of(key),
                          detail::data_of(counter), nullptr) != 1) {
    return detail::openssl_fail(CryptoError::internal, "AES-256-CTR does not start");
  }
  return AesCtr(std::move(impl));
}

void AesCtr::apply(ByteView in, MutableByteView out) {
  if (in.size() != out.size()) detail::openssl_broken("AES-CTR between buffers of different sizes");
  while (!in.empty()) {
    const auto size = std::min(in.size(), largest_step);
    int written = 0;
    if (EVP_EncryptUpdate(impl_->context.get(), detail::data_of(out), &written, detail::data_of(in),
                          static_cast<int>(size)) != 1) {
      detail::openssl_broken("AES-CTR");
    }
    in = in.subspan(size);
    out = out.subspan(size);
  }
}

}  // namespace coffer::crypto
