#include "crypto/detail/key_impl.h"

#include <openssl/params.h>

#include <algorithm>
#include <array>
#include <vector>

namespace coffer::crypto::detail {
namespace {

constexpr std::array<Curve, 3> curves = {{
    {KeyKind::ec_p256, "P-256", "prime256v1", 32},
    {KeyKind::ec_p384, "P-384", "secp384r1", 48},
    {KeyKind::ec_p521, "P-521", "secp521r1", 66},
}};

constexpr int smallest_modulus = 2048;
constexpr int largest_modulus = 8192;  // bounds the time that a stranger's key can cost

Result<KeyKind> classify_ec(EVP_PKEY* pkey) {
  int explicit_parameters = 0;
  EVP_PKEY_get_int_param(pkey, OSSL_PKEY_PARAM_EC_DECODED_FROM_EXPLICIT_PARAMS, &explicit_parameters);
  if (explicit_parameters != 0) {
    ERR_clear_error();
    return fail(CryptoError::bad_key, "an EC key must name its curve, this one spells out curve parameters");
  }
  std::array<char, 64> group{};
  std::size_t size = 0;
  if (EVP_PKEY_get_group_name(pkey, group.data(), group.size(), &size) != 1) {
    return openssl_fail(CryptoError::bad_key, "an EC key without a curve name");
  }
  for (const auto& curve : curves) {
    if (std::string_view{group.data(), size} == curve.group) return curve.kind;
  }
  return fail(CryptoError::bad_key,
              "an EC key on P-256, P-384 or P-521 was expected, found " + std::string{group.data()});
}

Result<KeyKind> classify_rsa(const EVP_PKEY* pkey) {
  const int bits = EVP_PKEY_get_bits(pkey);
  if (bits < smallest_modulus || bits > largest_modulus) {
    return fail(CryptoError::bad_key,
                "an RSA modulus of 2048 to 8192 bits was expected, found " + std::to_string(bits) + " bits");
  }
  const auto n = TRY(component_of(pkey, OSSL_PKEY_PARAM_RSA_N, 0));
  const auto e = TRY(component_of(pkey, OSSL_PKEY_PARAM_RSA_E, 0));
  const auto odd = [](const SecretBytes& number) {
    return !number.empty() && (std::to_integer<int>(number.expose().back()) & 1) == 1;
  };
  const bool one = e.size() == 1 && e.expose()[0] == std::byte{1};
  if (!odd(n) || !odd(e) || one || e.size() > 8) {
    return fail(CryptoError::bad_key, "an RSA key needs an odd modulus and an odd exponent of 3 to 64 bits");
  }
  return KeyKind::rsa;
}

// OSSL_PARAM has integers in the machine's order.
SecretBytes to_native(ByteView big_endian) {
  auto copy = SecretBytes::copy_of(big_endian);
  if constexpr (std::endian::native == std::endian::little) std::ranges::reverse(copy.mutable_expose());
  return copy;
}

}  // namespace

const Curve* find_curve(KeyKind kind) {
  const auto* found = std::ranges::find(curves, kind, &Curve::kind);
  return found == curves.end() ? nullptr : found;
}

Result<KeyKind> classify(EVP_PKEY* pkey) {
  if (EVP_PKEY_is_a(pkey, "EC") == 1) return classify_ec(pkey);
  if (EVP_PKEY_is_a(pkey, "RSA") == 1) return classify_rsa(pkey);
  if (EVP_PKEY_is_a(pkey, "ED25519") == 1) return KeyKind::ed25519;
  const char* type = EVP_PKEY_get0_type_name(pkey);
  return fail(CryptoError::bad_key,
              "an EC, RSA or Ed25519 key was expected, found " + std::string{type != nullptr ? type : "another type"});
}

Result<PublicKey> adopt_public(Pkey pkey) {
  const QueueCleaner cleaner;
  const auto kind = TRY(classify(pkey.get()));
  if (find_curve(kind) != nullptr) {
    // SEC 1 section 3.2.2.2 without the order, which every point of these curves has. DER also spells the point at
    // infinity, under which signatures can be made by anyone.
    const PkeyContext context{EVP_PKEY_CTX_new_from_pkey(nullptr, pkey.get(), nullptr)};
    if (!context || EVP_PKEY_public_check_quick(context.get()) != 1) {
      return openssl_fail(CryptoError::bad_key, "the point of the EC key is none that a public key may be");
    }
  }
  return PublicKey(std::make_shared<const PublicKey::Impl>(PublicKey::Impl{kind, std::move(pkey)}));
}

Result<PrivateKey> adopt_private(Pkey pkey) {
  const QueueCleaner cleaner;
  const auto kind = TRY(classify(pkey.get()));
  if (kind != KeyKind::ed25519) {  // whose public half is always computed from the seed
    const PkeyContext context{EVP_PKEY_CTX_new_from_pkey(nullptr, pkey.get(), nullptr)};
    if (!context || EVP_PKEY_pairwise_check(context.get()) != 1) {
      return openssl_fail(CryptoError::bad_key, "the private part of the key does not belong to its public part");
    }
  }
  return PrivateKey(std::make_shared<const PrivateKey::Impl>(PrivateKey::Impl{kind, std::move(pkey)}));
}

Result<Pkey> pkey_from_components(const char* type, int selection, const char* group, ByteView point,
                                  std::span<const Component> numbers) {
  std::vector<SecretBytes> natives;
  std::vector<OSSL_PARAM> params;
  std::string group_name = group != nullptr ? group : "";
  auto point_copy = to_bytes(point);
  if (group != nullptr) {
    params.push_back(OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group_name.data(), 0));
    params.push_back(OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point_copy.data(), point_copy.size()));
  }
  for (const auto& number : numbers) {
    auto& native = natives.emplace_back(to_native(number.big_endian));
    params.push_back(OSSL_PARAM_construct_BN(number.name, data_of(native.mutable_expose()), native.size()));
  }
  params.push_back(OSSL_PARAM_construct_end());

  const PkeyContext context{EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr)};
  EVP_PKEY* made = nullptr;
  if (!context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &made, selection, params.data()) != 1) {
    return openssl_fail(CryptoError::bad_key, "the numbers make no valid " + std::string{type} + " key");
  }
  return Pkey{made};
}

Result<SecretBytes> component_of(const EVP_PKEY* pkey, const char* name, std::size_t size) {
  SecretBytes buffer(size != 0 ? size : largest_modulus / 8 + 8);
  OSSL_PARAM params[] = {OSSL_PARAM_construct_BN(name, data_of(buffer.mutable_expose()), buffer.size()),
                         OSSL_PARAM_construct_end()};
  if (EVP_PKEY_get_params(pkey, params) != 1 || OSSL_PARAM_modified(params) == 0) {
    return openssl_fail(CryptoError::bad_key, "the key has no component '" + std::string{name} + "'");
  }
  buffer.truncate(params[0].return_size);
  if constexpr (std::endian::native == std::endian::little) std::ranges::reverse(buffer.mutable_expose());
  if (size != 0) return buffer;
  const auto bytes = buffer.expose();
  const auto first = std::ranges::find_if(bytes, [](std::byte b) { return b != std::byte{0}; });
  return SecretBytes::copy_of(ByteView{first, bytes.end()});
}

Result<PublicKey::EcCoordinates> coordinates_of(const EVP_PKEY* pkey, KeyKind kind) {
  if (kind == KeyKind::ed25519) {
    Bytes key(coordinate_size(KeyKind::ed25519));
    auto size = key.size();
    if (EVP_PKEY_get_raw_public_key(pkey, data_of(MutableByteView{key}), &size) != 1) {
      return openssl_fail(CryptoError::internal, "the Ed25519 key has no bytes");
    }
    return PublicKey::EcCoordinates{std::move(key), {}};
  }
  const auto* curve = find_curve(kind);
  if (curve == nullptr) return fail(CryptoError::bad_key, "an RSA key has no coordinates");
  const auto x = TRY(component_of(pkey, OSSL_PKEY_PARAM_EC_PUB_X, curve->coordinate));
  const auto y = TRY(component_of(pkey, OSSL_PKEY_PARAM_EC_PUB_Y, curve->coordinate));
  return PublicKey::EcCoordinates{to_bytes(x.expose()), to_bytes(y.expose())};
}

Result<Bytes> uncompressed_point(const Curve& curve, ByteView x, ByteView y) {
  if (x.size() != curve.coordinate || y.size() != curve.coordinate) {
    return fail(CryptoError::bad_key, "coordinates of " + std::string{curve.name} + " have " +
                                          std::to_string(curve.coordinate) + " bytes, not " + std::to_string(x.size()) +
                                          " and " + std::to_string(y.size()));
  }
  const auto form = std::byte{0x04};  // SEC 1 section 2.3.3
  return concat({ByteView{&form, 1}, x, y});
}

BioPtr secret_bio() {
  BioPtr bio{BIO_new(BIO_s_secmem())};
  if (!bio) openssl_broken("memory");
  return bio;
}

SecretBytes take_secret(BIO* bio) {
  char* data = nullptr;
  const auto size = BIO_get_mem_data(bio, &data);
  return SecretBytes::copy_of(std::string_view{data, static_cast<std::size_t>(size)});
}

std::string take_text(BIO* bio) {
  char* data = nullptr;
  const auto size = BIO_get_mem_data(bio, &data);
  return {data, static_cast<std::size_t>(size)};
}

BioPtr reading_bio(ByteView data) {
  BioPtr bio{BIO_new_mem_buf(data_of(data), static_cast<int>(data.size()))};
  if (!bio) openssl_broken("memory");
  return bio;
}

}  // namespace coffer::crypto::detail
