#include <openssl/encoder.h>

#include "crypto/detail/key_impl.h"

namespace coffer::crypto {
namespace {

Result<detail::Pkey> generate_pkey(KeyKind kind, unsigned rsa_bits) {
  EVP_PKEY* made = nullptr;
  if (kind == KeyKind::rsa) {
    made = EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", static_cast<std::size_t>(rsa_bits));
  } else if (const auto* curve = detail::find_curve(kind)) {
    made = EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", curve->group);
  } else {
    made = EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519");
  }
  if (made == nullptr) return detail::openssl_fail(CryptoError::internal, "the key cannot be generated");
  return detail::Pkey{made};
}

Result<SecretBytes> encode_pem(const EVP_PKEY* pkey, const char* structure) {
  const detail::QueueCleaner cleaner;
  const detail::Handle<OSSL_ENCODER_CTX, OSSL_ENCODER_CTX_free> context{
      OSSL_ENCODER_CTX_new_for_pkey(pkey, EVP_PKEY_KEYPAIR, "PEM", structure, nullptr)};
  const auto bio = detail::secret_bio();
  if (!context || OSSL_ENCODER_to_bio(context.get(), bio.get()) != 1) {
    return detail::openssl_fail(CryptoError::internal, "the key cannot be encoded");
  }
  return detail::take_secret(bio.get());
}

}  // namespace

PrivateKey::PrivateKey(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}

KeyKind PrivateKey::kind() const {
  return impl_->kind;
}

Result<PrivateKey> PrivateKey::generate(KeyKind kind, unsigned rsa_bits) {
  if (kind == KeyKind::rsa && (rsa_bits < 2048 || rsa_bits > 8192)) {
    return fail(CryptoError::bad_parameter, "RSA keys have 2048 to 8192 bits, not " + std::to_string(rsa_bits));
  }
  return PrivateKey(std::make_shared<const Impl>(Impl { kind, TRY(generate_pkey(kind, rsa_bits)) }));
}

Result<PrivateKey> PrivateKey::from_ec_components(KeyKind kind, ByteView d, ByteView x, ByteView y) {
  const auto* curve = detail::find_curve(kind);
  if (curve == nullptr) return fail(CryptoError::bad_key, std::string{name_of(kind)} + " is no EC curve");
  // RFC 7518 section 6.2.2.1: d has the size of the curve's order.
  if (d.size() != curve->coordinate) {
    return fail(CryptoError::bad_key, "the private scalar of " + std::string{curve->name} + " has " +
                                          std::to_string(curve->coordinate) + " bytes, not " +
                                          std::to_string(d.size()));
  }
  const auto point = TRY(detail::uncompressed_point(*curve, x, y));
  const detail::Component numbers[] = {{OSSL_PKEY_PARAM_PRIV_KEY, d}};
  return detail::adopt_private(TRY(detail::pkey_from_components("EC", EVP_PKEY_KEYPAIR, curve->group, point, numbers)));
}

Result<PrivateKey> PrivateKey::from_rsa_components(const RsaPrivateComponents& c) {
  const detail::Component numbers[] = {
      {OSSL_PKEY_PARAM_RSA_N, c.n},          {OSSL_PKEY_PARAM_RSA_E, c.e},
      {OSSL_PKEY_PARAM_RSA_D, c.d},          {OSSL_PKEY_PARAM_RSA_FACTOR1, c.p},
      {OSSL_PKEY_PARAM_RSA_FACTOR2, c.q},    {OSSL_PKEY_PARAM_RSA_EXPONENT1, c.dp},
      {OSSL_PKEY_PARAM_RSA_EXPONENT2, c.dq}, {OSSL_PKEY_PARAM_RSA_COEFFICIENT1, c.qi},
  };
  for (const auto& number : numbers) {
    if (number.big_endian.empty()) {
      return fail(CryptoError::bad_key, "the RSA private key lacks '" + std::string{number.name} + "'");
    }
  }
  return detail::adopt_private(TRY(detail::pkey_from_components("RSA", EVP_PKEY_KEYPAIR, nullptr, {}, numbers)));
}

Result<PrivateKey> PrivateKey::from_ed25519_seed(ByteView seed) {
  if (seed.size() != coordinate_size(KeyKind::ed25519)) {
    return fail(CryptoError::bad_key, "an Ed25519 seed has 32 bytes, not " + std::to_string(seed.size()));
  }
  detail::Pkey pkey{EVP_PKEY_new_raw_private_key_ex(nullptr, "ED25519", nullptr, detail::data_of(seed), seed.size())};
  if (!pkey) return detail::openssl_fail(CryptoError::bad_key, "not an Ed25519 seed");
  return detail::adopt_private(std::move(pkey));
}

PublicKey PrivateKey::public_key() const {
  // A copy of the public half alone, so that no PublicKey keeps a private number alive.
  OSSL_PARAM* params = nullptr;
  const auto* type = EVP_PKEY_get0_type_name(impl_->pkey.get());
  const detail::PkeyContext context{EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr)};
  EVP_PKEY* made = nullptr;
  const bool done = context && EVP_PKEY_todata(impl_->pkey.get(), EVP_PKEY_PUBLIC_KEY, &params) == 1 &&
                    EVP_PKEY_fromdata_init(context.get()) == 1 &&
                    EVP_PKEY_fromdata(context.get(), &made, EVP_PKEY_PUBLIC_KEY, params) == 1;
  OSSL_PARAM_free(params);
  if (!done) detail::openssl_broken("the public half of a key");
  return PublicKey(std::make_shared<const PublicKey::Impl>(PublicKey::Impl{impl_->kind, detail::Pkey{made}}));
}

Result<PublicKey::EcCoordinates> PrivateKey::ec_coordinates() const {
  return detail::coordinates_of(impl_->pkey.get(), impl_->kind);
}

SecretBytes PrivateKey::to_pem_pkcs8() const {
  auto pem = encode_pem(impl_->pkey.get(), "PrivateKeyInfo");
  if (!pem) detail::openssl_broken("a PKCS#8 encoder");
  return *std::move(pem);
}

Result<SecretBytes> PrivateKey::to_pem_pkcs1() const {
  if (impl_->kind != KeyKind::rsa) {
    return fail(CryptoError::bad_key, "PKCS#1 is for RSA keys, this one is " + std::string{name_of(impl_->kind)});
  }
  return encode_pem(impl_->pkey.get(), "type-specific");
}

Result<SecretBytes> PrivateKey::scalar() const {
  if (const auto* curve = detail::find_curve(impl_->kind)) {
    return detail::component_of(impl_->pkey.get(), OSSL_PKEY_PARAM_PRIV_KEY, curve->coordinate);
  }
  if (impl_->kind == KeyKind::rsa) return fail(CryptoError::bad_key, "an RSA key has no private scalar");
  SecretBytes seed(coordinate_size(KeyKind::ed25519));
  auto size = seed.size();
  if (EVP_PKEY_get_raw_private_key(impl_->pkey.get(), detail::data_of(seed.mutable_expose()), &size) != 1) {
    return detail::openssl_fail(CryptoError::internal, "the Ed25519 key has no seed");
  }
  return seed;
}

}  // namespace coffer::crypto
