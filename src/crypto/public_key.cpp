#include <openssl/pem.h>

#include <algorithm>

#include "crypto/detail/key_impl.h"

namespace coffer::crypto {

PublicKey::PublicKey(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}

KeyKind PublicKey::kind() const {
  return impl_->kind;
}

Result<PublicKey> PublicKey::from_spki_der(ByteView der) {
  const auto* cursor = detail::data_of(der);
  const auto* end = cursor + der.size();
  detail::Pkey pkey{d2i_PUBKEY(nullptr, &cursor, static_cast<long>(der.size()))};
  if (!pkey) return detail::openssl_fail(CryptoError::bad_key, "not a DER SubjectPublicKeyInfo");
  if (cursor != end) return fail(CryptoError::bad_key, "bytes follow the SubjectPublicKeyInfo");
  return detail::adopt_public(std::move(pkey));
}

Result<PublicKey> PublicKey::from_ec_coordinates(KeyKind kind, ByteView x, ByteView y) {
  const auto* curve = detail::find_curve(kind);
  if (curve == nullptr) return fail(CryptoError::bad_key, std::string{name_of(kind)} + " is no EC curve");
  const auto point = TRY(detail::uncompressed_point(*curve, x, y));
  return detail::adopt_public(TRY(detail::pkey_from_components("EC", EVP_PKEY_PUBLIC_KEY, curve->group, point, {})));
}

Result<PublicKey> PublicKey::from_ec_numbers(KeyKind kind, ByteView x, ByteView y) {
  const auto size = coordinate_size(kind);
  const auto fit = [size](ByteView number) {
    const auto leading = std::ranges::find_if(number, [](std::byte b) { return b != std::byte{0}; }) - number.begin();
    const auto digits = number.subspan(static_cast<std::size_t>(leading));
    Bytes out(size - std::min(size, digits.size()));
    out.insert(out.end(), digits.begin(), digits.end());
    return out;  // longer than `size` where the number does not fit, which the next step refuses
  };
  return from_ec_coordinates(kind, fit(x), fit(y));
}

Result<PublicKey> PublicKey::from_rsa_components(ByteView modulus, ByteView exponent) {
  if (modulus.empty() || exponent.empty()) {
    return fail(CryptoError::bad_key, "an RSA key needs a modulus and an exponent");
  }
  const detail::Component numbers[] = {{OSSL_PKEY_PARAM_RSA_N, modulus}, {OSSL_PKEY_PARAM_RSA_E, exponent}};
  return detail::adopt_public(TRY(detail::pkey_from_components("RSA", EVP_PKEY_PUBLIC_KEY, nullptr, {}, numbers)));
}

Result<PublicKey> PublicKey::from_ed25519(ByteView key) {
  if (key.size() != coordinate_size(KeyKind::ed25519)) {
    return fail(CryptoError::bad_key, "an Ed25519 key has 32 bytes, not " + std::to_string(key.size()));
  }
  detail::Pkey pkey{EVP_PKEY_new_raw_public_key_ex(nullptr, "ED25519", nullptr, detail::data_of(key), key.size())};
  if (!pkey) return detail::openssl_fail(CryptoError::bad_key, "not an Ed25519 key");
  return detail::adopt_public(std::move(pkey));
}

std::string PublicKey::to_pem() const {
  const detail::BioPtr bio{BIO_new(BIO_s_mem())};
  if (!bio || PEM_write_bio_PUBKEY(bio.get(), impl_->pkey.get()) != 1) detail::openssl_broken("a PEM encoder");
  return detail::take_text(bio.get());
}

Bytes PublicKey::to_spki_der() const {
  unsigned char* encoded = nullptr;
  const int size = i2d_PUBKEY(impl_->pkey.get(), &encoded);
  if (size <= 0) detail::openssl_broken("a DER encoder");
  const auto* first = reinterpret_cast<const std::byte*>(encoded);
  Bytes out(first, first + size);
  OPENSSL_free(encoded);
  return out;
}

Result<PublicKey::EcCoordinates> PublicKey::ec_coordinates() const {
  return detail::coordinates_of(impl_->pkey.get(), impl_->kind);
}

Result<PublicKey::RsaComponents> PublicKey::rsa_components() const {
  if (impl_->kind != KeyKind::rsa) {
    return fail(CryptoError::bad_key, "an RSA key was expected, this one is " + std::string{name_of(impl_->kind)});
  }
  const auto n = TRY(detail::component_of(impl_->pkey.get(), OSSL_PKEY_PARAM_RSA_N, 0));
  const auto e = TRY(detail::component_of(impl_->pkey.get(), OSSL_PKEY_PARAM_RSA_E, 0));
  return RsaComponents{to_bytes(n.expose()), to_bytes(e.expose())};
}

bool operator==(const PublicKey& a, const PublicKey& b) {
  if (a.kind() != b.kind()) return false;
  const detail::QueueCleaner cleaner;
  return EVP_PKEY_eq(a.impl_->pkey.get(), b.impl_->pkey.get()) == 1;
}

}  // namespace coffer::crypto
