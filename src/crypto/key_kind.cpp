#include "crypto/detail/key_impl.h"

namespace coffer::crypto {

std::string_view name_of(KeyKind kind) {
  if (const auto* curve = detail::find_curve(kind)) return curve->name;
  return kind == KeyKind::rsa ? "RSA" : "Ed25519";
}

std::size_t coordinate_size(KeyKind kind) {
  if (const auto* curve = detail::find_curve(kind)) return curve->coordinate;
  return kind == KeyKind::ed25519 ? 32 : 0;
}

bool fits(SignatureAlgorithm algorithm, KeyKind kind) {
  switch (algorithm) {
    case SignatureAlgorithm::es256: return kind == KeyKind::ec_p256;
    case SignatureAlgorithm::es384: return kind == KeyKind::ec_p384;
    case SignatureAlgorithm::es512: return kind == KeyKind::ec_p521;
    case SignatureAlgorithm::eddsa: return kind == KeyKind::ed25519;
    default: return kind == KeyKind::rsa;
  }
}

SignatureAlgorithm default_algorithm(KeyKind kind) {
  switch (kind) {
    case KeyKind::ec_p256: return SignatureAlgorithm::es256;
    case KeyKind::ec_p384: return SignatureAlgorithm::es384;
    case KeyKind::ec_p521: return SignatureAlgorithm::es512;
    case KeyKind::rsa: return SignatureAlgorithm::rs256;
    case KeyKind::ed25519: return SignatureAlgorithm::eddsa;
  }
  return SignatureAlgorithm::es256;
}

}  // namespace coffer::crypto
