// Asymmetric keys: EC P-256, P-384, P-521, RSA from 2048 bits, Ed25519. Immutable; an invalid key cannot exist.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/secret_bytes.h"
#include "crypto/error.h"
#include "crypto/hash.h"

namespace coffer::crypto {

enum class KeyKind { ec_p256, ec_p384, ec_p521, rsa, ed25519 };
std::string_view name_of(KeyKind kind);  // "P-256", "RSA", "Ed25519", ...
// Bytes of one coordinate of an EC key (32, 48, 66); 32 for Ed25519.
std::size_t coordinate_size(KeyKind kind);

// What signs and verifies. EC signatures are the raw r || s of IEEE P1363 that JOSE and COSE use; see
// ecdsa_from_der and ecdsa_to_der for the other form.
enum class SignatureAlgorithm {
  es256,
  es384,
  es512,  // ECDSA with P-256/SHA-256, P-384/SHA-384, P-521/SHA-512
  rs256,
  rs384,
  rs512,  // RSASSA-PKCS1-v1_5
  ps256,
  ps384,
  ps512,  // RSASSA-PSS, salt as long as the digest
  eddsa,  // Ed25519
};

// The same without a hash of its own, for formats that name scheme and hash apart (TPM 2.0) or give a digest.
enum class SignatureScheme {
  ecdsa,             // raw r || s, any curve with any hash
  rsa_pkcs1,         // RSASSA-PKCS1-v1_5
  rsa_pss,           // salt as long as the digest
  rsa_pss_any_salt,  // salt of any length, read from the signature: TPMs use the longest that fits
};

class PublicKey {
 public:
  // SubjectPublicKeyInfo, PKCS#1 RSA public keys, or the key of a certificate, in PEM.
  static Result<PublicKey> from_pem(std::string_view pem);
  static Result<PublicKey> from_spki_der(ByteView der);
  // Coordinates of exactly coordinate_size(kind) bytes; the point must be on the curve.
  static Result<PublicKey> from_ec_coordinates(KeyKind curve, ByteView x, ByteView y);
  // The same for formats that drop leading zeros (TPM 2.0): big-endian numbers of any length that fits.
  static Result<PublicKey> from_ec_numbers(KeyKind curve, ByteView x, ByteView y);
  // Big-endian modulus and exponent without sign byte. Moduli under 2048 bits are refused.
  static Result<PublicKey> from_rsa_components(ByteView modulus, ByteView exponent);
  static Result<PublicKey> from_ed25519(ByteView key);

  KeyKind kind() const;
  std::string to_pem() const;  // SubjectPublicKeyInfo
  Bytes to_spki_der() const;
  struct EcCoordinates {
    Bytes x, y;
  };
  Result<EcCoordinates> ec_coordinates() const;  // padded to coordinate_size; for Ed25519, x alone
  struct RsaComponents {
    Bytes modulus, exponent;
  };
  Result<RsaComponents> rsa_components() const;

  // CryptoError::bad_signature where it does not verify, bad_key where the algorithm is not one for this kind of key.
  Result<> verify(SignatureAlgorithm algorithm, ByteView message, ByteView signature) const;
  // The same over a digest that the caller has computed with `hash`: SHA-2. bad_parameter where the hash is another or
  // the digest not as long as its output.
  Result<> verify_digest(SignatureScheme scheme, HashAlgorithm hash, ByteView digest, ByteView signature) const;
  // RSA-OAEP with MGF1 of the same hash, empty label. hash: sha1 or sha256.
  Result<Bytes> encrypt_oaep(HashAlgorithm hash, ByteView plaintext) const;
  Result<Bytes> encrypt_pkcs1v15(ByteView plaintext) const;

  friend bool operator==(const PublicKey& a, const PublicKey& b);

  struct Impl;  // the OpenSSL handle; crypto/detail only
  explicit PublicKey(std::shared_ptr<const Impl> impl);
  const Impl& impl() const { return *impl_; }

 private:
  std::shared_ptr<const Impl> impl_;
};

class PrivateKey {
 public:
  static Result<PrivateKey> generate(KeyKind kind, unsigned rsa_bits = 2048);
  // PKCS#8, SEC1 or PKCS#1, unencrypted, in PEM.
  static Result<PrivateKey> from_pem(ByteView pem);
  static Result<PrivateKey> from_pem(std::string_view pem) { return from_pem(as_bytes(pem)); }
  static Result<PrivateKey> from_pkcs8_der(ByteView der);
  static Result<PrivateKey> from_ec_components(KeyKind curve, ByteView d, ByteView x, ByteView y);
  struct RsaPrivateComponents {
    ByteView n, e, d, p, q, dp, dq, qi;
  };
  static Result<PrivateKey> from_rsa_components(const RsaPrivateComponents& components);
  static Result<PrivateKey> from_ed25519_seed(ByteView seed);

  KeyKind kind() const;
  PublicKey public_key() const;
  // public_key().ec_coordinates(), without the price of making a key of the public half.
  Result<PublicKey::EcCoordinates> ec_coordinates() const;
  SecretBytes to_pem_pkcs8() const;
  Result<SecretBytes> to_pem_pkcs1() const;  // RSA only
  // The private scalar (EC) padded to coordinate_size, or the seed (Ed25519).
  Result<SecretBytes> scalar() const;

  Result<Bytes> sign(SignatureAlgorithm algorithm, ByteView message) const;
  // The x coordinate of the shared point, coordinate_size bytes. Both keys on one curve.
  Result<SecretBytes> ecdh(const PublicKey& peer) const;
  Result<SecretBytes> decrypt_oaep(HashAlgorithm hash, ByteView ciphertext) const;
  // For legacy peers alone; fails with one error for every cause, in constant time as far as OpenSSL 3 goes.
  Result<SecretBytes> decrypt_pkcs1v15(ByteView ciphertext) const;

  struct Impl;
  explicit PrivateKey(std::shared_ptr<const Impl> impl);
  const Impl& impl() const { return *impl_; }

 private:
  std::shared_ptr<const Impl> impl_;
};

// Which algorithms belong to a kind of key, strongest habit first; es256 for P-256, rs256.. and ps256.. for RSA.
bool fits(SignatureAlgorithm algorithm, KeyKind kind);
// The algorithm one would choose for this kind: es256, es384, es512, rs256, eddsa.
SignatureAlgorithm default_algorithm(KeyKind kind);

// ECDSA signatures between ASN.1 (X.509, TPM) and r || s (JOSE, COSE).
Result<Bytes> ecdsa_from_der(KeyKind curve, ByteView der);
Result<Bytes> ecdsa_to_der(KeyKind curve, ByteView raw);
// r || s out of two numbers. Big-endian of any length as TPMs write them; little-endian of any length as SEV-SNP
// reports do (72 bytes each). bad_signature where one is larger than the curve's coordinates.
Result<Bytes> ecdsa_from_big_endian(KeyKind curve, ByteView r, ByteView s);
Result<Bytes> ecdsa_from_little_endian(KeyKind curve, ByteView r, ByteView s);

}  // namespace coffer::crypto
