#include "codec/base64.h"
#include "codec/der.h"
#include "codec/jose/detail/header.h"
#include "codec/jose/jwk.h"
#include "crypto/hash.h"

namespace coffer::codec::jose {
namespace {

using crypto::KeyKind;

// The members that RFC 7638 section 3.2 hashes, in the order it demands.
json::Object members_of_point(KeyKind kind, const crypto::PublicKey::EcCoordinates& point) {
  json::Object jwk{{"crv", crypto::name_of(kind)},
                   {"kty", kind == KeyKind::ed25519 ? "OKP" : "EC"},
                   {"x", base64url_encode(point.x)}};
  if (kind != KeyKind::ed25519) jwk.append("y", base64url_encode(point.y));
  return jwk;
}

json::Object required_members(const crypto::PublicKey& key) {
  if (key.kind() == KeyKind::rsa) {
    const auto rsa = *key.rsa_components();
    return {{"e", base64url_encode(rsa.exponent)}, {"kty", "RSA"}, {"n", base64url_encode(rsa.modulus)}};
  }
  return members_of_point(key.kind(), *key.ec_coordinates());
}

// The DER inside a PKCS#1 PEM text (RFC 7468).
Result<SecretBytes> der_of_pem(ByteView pem) {
  const auto text = as_text(pem);
  const auto begin = text.find('\n');
  const auto end = text.rfind("-----END");
  if (begin == std::string_view::npos || end == std::string_view::npos || end < begin) {
    return fail(JoseError::bad_key, "the private key has no PEM text");
  }
  SecretBytes symbols(end - begin);
  std::size_t size = 0;
  for (const char c : text.substr(begin, end - begin)) {
    if (c != '\n' && c != '\r') symbols.mutable_expose()[size++] = static_cast<std::byte>(c);
  }
  symbols.truncate(size);
  return base64_decode_secret(symbols.expose());
}

ByteView without_leading_zeros(ByteView integer) {
  while (!integer.empty() && integer.front() == std::byte{0}) integer = integer.subspan(1);
  return integer;
}

// RSAPrivateKey (RFC 8017 appendix A.1.2): version, n, e, then the secret integers in JWK's order.
Result<> add_rsa_secrets(json::Object& jwk, const crypto::PrivateKey& key) {
  const auto der = TRY(der_of_pem(TRY(key.to_pem_pkcs1()).expose()));
  der::Reader outer(der.expose());
  der::Reader integers(TRY(outer.expect(0x30, "RSAPrivateKey")).content);
  for (const auto* skipped : {"version", "n", "e"}) TRY(integers.expect(0x02, skipped));
  for (const auto* name : {"d", "p", "q", "dp", "dq", "qi"}) {
    const auto element = TRY(integers.expect(0x02, name));
    jwk.append(name, base64url_encode(without_leading_zeros(element.content)));
  }
  return {};
}

}  // namespace

json::Object to_jwk(const crypto::PublicKey& key, std::optional<std::string_view> alg,
                    std::optional<std::string_view> kid) {
  json::Object jwk;
  if (alg) jwk.append("alg", *alg);
  if (kid) jwk.append("kid", *kid);
  for (auto& [name, value] : required_members(key)) jwk.append(name, std::move(value));
  return jwk;
}

Result<json::Object> to_public_jwk(const crypto::PrivateKey& key) {
  return members_of_point(key.kind(), TRY(detail::relabel(key.ec_coordinates(), JoseError::bad_key)));
}

Result<json::Object> to_private_jwk(const crypto::PrivateKey& key) {
  auto jwk = required_members(key.public_key());
  if (key.kind() == KeyKind::rsa) {
    TRY(detail::relabel(add_rsa_secrets(jwk, key), JoseError::bad_key));
  } else {
    jwk.append("d", base64url_encode(TRY(key.scalar()).expose()));
  }
  return jwk;
}

std::string thumbprint(const crypto::PublicKey& key) {
  return base64url_encode(crypto::sha256(as_bytes(json::serialize(required_members(key)))));
}

}  // namespace coffer::codec::jose
