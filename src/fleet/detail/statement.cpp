#include "fleet/detail/statement.h"

#include <array>

#include "codec/jose/jws.h"

namespace coffer::fleet::detail {
namespace {

using crypto::SignatureAlgorithm;

Result<SignatureAlgorithm> algorithm_of(crypto::KeyKind kind) {
  switch (kind) {
    case crypto::KeyKind::ec_p256: return SignatureAlgorithm::es256;
    case crypto::KeyKind::ec_p384: return SignatureAlgorithm::es384;
    case crypto::KeyKind::ec_p521: return SignatureAlgorithm::es512;
    case crypto::KeyKind::rsa: return SignatureAlgorithm::ps256;
    case crypto::KeyKind::ed25519: break;
  }
  return fail(FleetError::bad_proof, "an attested key of kind " + std::string{crypto::name_of(kind)} +
                                         " cannot sign; expected P-256, P-384, P-521 or RSA");
}

std::unexpected<Error> not_signed(std::string_view type, std::string_view why) {
  return fail(FleetError::bad_proof, "this " + std::string{type} + " is not of the attested key: " + std::string{why});
}

}  // namespace

using codec::json::Object;
using crypto::PrivateKey;
using crypto::PublicKey;

Result<std::string> sign_statement(std::string_view type, const Object& claims, const PrivateKey& key) {
  const auto algorithm = TRY(algorithm_of(key.kind()));
  return codec::jose::sign_compact({{"typ", type}}, as_bytes(codec::json::serialize(claims)), key, algorithm);
}

Result<Object> open_statement(std::string_view type, std::string_view jws, const PublicKey& key, std::size_t longest) {
  if (jws.size() > longest) return not_signed(type, "it is over " + std::to_string(longest) + " bytes");
  const auto parsed = codec::jose::UnverifiedJws::parse_compact(jws);
  if (!parsed) return not_signed(type, parsed.error().message);
  const std::array allowed {
    TRY(algorithm_of(key.kind()))
  };
  const auto verified = codec::jose::verify(*parsed, key, allowed);
  if (!verified) return not_signed(type, verified.error().message);
  const auto* named = parsed->header.find("typ");
  const auto* text = named == nullptr ? nullptr : named->if_string();
  if (text == nullptr || *text != type) return not_signed(type, "its typ is another");
  auto claims = parse_object(as_text(parsed->payload));
  if (!claims) return not_signed(type, claims.error().message);
  return claims;
}

Result<std::int64_t> issued_at(const Members& members) {
  constexpr std::uint64_t latest = 1ULL << 40;
  const auto made = TRY(members.optional_count("iat"));
  if (made && *made <= latest) return static_cast<std::int64_t>(*made);
  return fail(FleetError::bad_proof, members.path("iat") + " is not a time in Unix seconds");
}

}  // namespace coffer::fleet::detail
