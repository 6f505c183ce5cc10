#include "codec/jose/jwk.h"

#include <algorithm>
#include <array>

#include "codec/base64.h"
#include "codec/jose/detail/header.h"
#include "crypto/hash.h"

namespace coffer::codec::jose {
namespace {

using crypto::KeyKind;
using crypto::PublicKey;
using detail::relabel;

constexpr std::array ec_kinds{KeyKind::ec_p256, KeyKind::ec_p384, KeyKind::ec_p521};

Result<std::string_view> member(const json::Object& jwk, std::string_view key) {
  return relabel(json::string_member(jwk, key, "jwk"), JoseError::bad_key);
}

std::unexpected<Error> wrong_size(std::string_view key, std::size_t expected, std::size_t found) {
  return fail(JoseError::bad_key, "jwk." + std::string{key} + " must decode to " + std::to_string(expected) +
                                      " bytes, and has " + std::to_string(found));
}

// A coordinate, which has all its leading zeros.
Result<Bytes> coordinate(const json::Object& jwk, std::string_view key, KeyKind kind) {
  auto bytes = TRY(relabel(base64url_decode(TRY(member(jwk, key))), JoseError::bad_key));
  const auto size = crypto::coordinate_size(kind);
  if (bytes.size() != size) return wrong_size(key, size, bytes.size());
  return bytes;
}

// An unsigned integer, which has no leading zeros (RFC 7518 section 2, Base64urlUInt).
Result<Bytes> big_integer(const json::Object& jwk, std::string_view key) {
  auto bytes = TRY(relabel(base64url_decode(TRY(member(jwk, key))), JoseError::bad_key));
  if (bytes.empty() || bytes.front() == std::byte{0}) {
    return fail(JoseError::bad_key, "jwk." + std::string{key} + " must be an integer without leading zeros");
  }
  return bytes;
}

Result<SecretBytes> secret_member(const json::Object& jwk, std::string_view key) {
  return relabel(base64url_decode_secret(as_bytes(TRY(member(jwk, key)))), JoseError::bad_key);
}

Result<SecretBytes> secret_scalar(const json::Object& jwk, KeyKind kind) {
  auto scalar = TRY(secret_member(jwk, "d"));
  const auto size = crypto::coordinate_size(kind);
  if (scalar.size() != size) return wrong_size("d", size, scalar.size());
  return scalar;
}

// The kind that "kty" and "crv" name.
Result<KeyKind> kind_of(const json::Object& jwk) {
  const auto kty = TRY(member(jwk, "kty"));
  if (kty == "RSA") return KeyKind::rsa;
  if (kty != "EC" && kty != "OKP") {
    return fail(JoseError::bad_key, "jwk.kty must be EC, RSA or OKP, and is " + std::string{kty.substr(0, 40)});
  }
  const auto crv = TRY(member(jwk, "crv"));
  if (kty == "OKP" && crv == crypto::name_of(KeyKind::ed25519)) return KeyKind::ed25519;
  const auto kind =
      std::find_if(ec_kinds.begin(), ec_kinds.end(), [&](KeyKind k) { return crypto::name_of(k) == crv; });
  if (kty == "EC" && kind != ec_kinds.end()) return *kind;
  return fail(JoseError::bad_key,
              "jwk.crv " + std::string{crv.substr(0, 40)} + " is not known with kty " + std::string{kty});
}

Result<PublicKey> public_key_of(const json::Object& jwk) {
  const auto kind = TRY(kind_of(jwk));
  if (kind == KeyKind::rsa) {
    return PublicKey::from_rsa_components(TRY(big_integer(jwk, "n")), TRY(big_integer(jwk, "e")));
  }
  const auto x = TRY(coordinate(jwk, "x", kind));
  if (kind == KeyKind::ed25519) return PublicKey::from_ed25519(x);
  return PublicKey::from_ec_coordinates(kind, x, TRY(coordinate(jwk, "y", kind)));
}

Result<crypto::PrivateKey> rsa_private_key_of(const json::Object& jwk) {
  const auto n = TRY(big_integer(jwk, "n"));
  const auto e = TRY(big_integer(jwk, "e"));
  const auto d = TRY(secret_member(jwk, "d"));
  const auto p = TRY(secret_member(jwk, "p"));
  const auto q = TRY(secret_member(jwk, "q"));
  const auto dp = TRY(secret_member(jwk, "dp"));
  const auto dq = TRY(secret_member(jwk, "dq"));
  const auto qi = TRY(secret_member(jwk, "qi"));
  return crypto::PrivateKey::from_rsa_components(
      {n, e, d.expose(), p.expose(), q.expose(), dp.expose(), dq.expose(), qi.expose()});
}

Result<const json::Object*> as_jwk(const json::Value& value) {
  return relabel(value.as_object("jwk"), JoseError::malformed);
}

Result<std::optional<std::string>> optional_member(const json::Object& jwk, std::string_view key) {
  return relabel(json::optional_string_member(jwk, key, "jwk"), JoseError::malformed);
}

Result<std::vector<std::string>> key_operations(const json::Object& jwk) {
  std::vector<std::string> operations;
  const auto* value = jwk.find("key_ops");
  if (value == nullptr) return operations;
  for (const auto& operation : *TRY(relabel(value->as_array("jwk.key_ops"), JoseError::malformed))) {
    operations.emplace_back(TRY(relabel(operation.as_string("jwk.key_ops[]"), JoseError::malformed)));
  }
  return operations;
}

}  // namespace

Result<Jwk> parse_jwk(const json::Value& value) {
  const auto& jwk = *TRY(as_jwk(value));
  return Jwk {
    TRY(relabel(public_key_of(jwk), JoseError::bad_key))
    , TRY(optional_member(jwk, "alg"))
    , TRY(optional_member(jwk, "kid"))
    , TRY(optional_member(jwk, "use"))
    , TRY(key_operations(jwk))
  };
}

Result<crypto::PrivateKey> parse_private_jwk(const json::Value& value) {
  const auto& jwk = *TRY(as_jwk(value));
  const auto kind = TRY(kind_of(jwk));
  if (kind == KeyKind::rsa) return relabel(rsa_private_key_of(jwk), JoseError::bad_key);
  const auto x = TRY(coordinate(jwk, "x", kind));
  const auto d = TRY(secret_scalar(jwk, kind));
  if (kind != KeyKind::ed25519) {
    const auto y = TRY(coordinate(jwk, "y", kind));
    return relabel(crypto::PrivateKey::from_ec_components(kind, d.expose(), x, y), JoseError::bad_key);
  }
  auto key = TRY(relabel(crypto::PrivateKey::from_ed25519_seed(d.expose()), JoseError::bad_key));
  if (key.public_key() == TRY(relabel(PublicKey::from_ed25519(x), JoseError::bad_key))) return key;
  return fail(JoseError::bad_key, "jwk.x is not the public key of jwk.d");
}

Result<> check_use(const Jwk& jwk, KeyUse use, std::string_view alg) {
  if (jwk.alg && *jwk.alg != alg) {
    return fail(JoseError::bad_key, "the key is for " + jwk.alg->substr(0, 40) + ", not for " + std::string{alg});
  }
  const bool verifies = use == KeyUse::verify;
  if (jwk.use && *jwk.use != (verifies ? "sig" : "enc")) {
    return fail(JoseError::bad_key, "the key's use is " + jwk.use->substr(0, 40));
  }
  if (jwk.key_ops.empty()) return {};
  const auto offered = [&](std::string_view operation) {
    return std::find(jwk.key_ops.begin(), jwk.key_ops.end(), operation) != jwk.key_ops.end();
  };
  // Agreement counts as encryption: its result wraps the content key.
  if (verifies ? offered("verify") : offered("wrapKey") || offered("encrypt") || offered("deriveKey")) return {};
  return fail(JoseError::bad_key, std::string{"the key's key_ops do not hold "} + (verifies ? "verify" : "wrapKey"));
}

Result<std::vector<Jwk>> parse_jwk_set(std::string_view text) {
  const auto value = TRY(relabel(json::parse(text), JoseError::malformed));
  const auto& set = *TRY(relabel(value.as_object("jwks"), JoseError::malformed));
  std::vector<Jwk> keys;
  for (const auto& element : *TRY(relabel(json::array_member(set, "keys", "jwks"), JoseError::malformed))) {
    if (auto jwk = parse_jwk(element)) keys.push_back(*std::move(jwk));
  }
  return keys;
}

}  // namespace coffer::codec::jose
