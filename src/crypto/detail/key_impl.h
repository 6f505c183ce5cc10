// What a key object holds, and the making of OpenSSL keys from numbers. For the .cpp files of crypto alone.
#pragma once

#include <span>

#include "crypto/detail/openssl.h"
#include "crypto/keys.h"

namespace coffer::crypto {

// An EVP_PKEY is only read after it is made, so that threads may share it.
struct PublicKey::Impl {
  KeyKind kind;
  detail::Pkey pkey;
};
struct PrivateKey::Impl {
  KeyKind kind;
  detail::Pkey pkey;
};

namespace detail {

struct Curve {
  KeyKind kind;
  std::string_view name;
  const char* group;       // OpenSSL's name
  std::size_t coordinate;  // bytes
};
// Null for kinds that are no EC curve.
const Curve* find_curve(KeyKind kind);

// The kind of a key that OpenSSL has parsed; bad_key where it is none that we take: another type or curve, explicit
// curve parameters, a small modulus, a strange exponent.
Result<KeyKind> classify(EVP_PKEY* pkey);

// Classify and wrap.
Result<PublicKey> adopt_public(Pkey pkey);
// Also checks that the private part belongs to the public one.
Result<PrivateKey> adopt_private(Pkey pkey);

// One number of a key: big-endian, of any sign-free length.
struct Component {
  const char* name;  // OSSL_PKEY_PARAM_...
  ByteView big_endian;
};
// `point`: uncompressed, or empty for RSA. Everything secret is copied into wiped memory only.
Result<Pkey> pkey_from_components(const char* type, int selection, const char* group, ByteView point,
                                  std::span<const Component> numbers);

// A number of a key, big-endian, padded to `size` bytes where size is not 0.
Result<SecretBytes> component_of(const EVP_PKEY* pkey, const char* name, std::size_t size);

// The public point of either half of a key; of Ed25519 the public key as x. bad_key for RSA.
Result<PublicKey::EcCoordinates> coordinates_of(const EVP_PKEY* pkey, KeyKind kind);

// 0x04 || x || y; both coordinates must have the curve's size.
Result<Bytes> uncompressed_point(const Curve& curve, ByteView x, ByteView y);

// What is written to it is wiped when it is freed.
BioPtr secret_bio();
SecretBytes take_secret(BIO* bio);
std::string take_text(BIO* bio);
BioPtr reading_bio(ByteView data);

}  // namespace detail
}  // namespace coffer::crypto
