#include "fleet/attested_key.h"

#include <array>

#include "base/bytes.h"
#include "codec/base64.h"
#include "codec/jose/jws.h"
#include "crypto/hash.h"
#include "fleet/detail/members.h"

namespace coffer::fleet {
namespace {

using codec::json::Object;
using crypto::SignatureAlgorithm;

constexpr std::string_view presence_type = "coffer-presence+jwt";
constexpr std::string_view result_type = "coffer-result+jwt";
constexpr std::size_t longest_statement = 16U << 10;

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

Result<std::string> sign(std::string_view type, const Object& claims, const crypto::PrivateKey& key) {
  const auto algorithm = TRY(algorithm_of(key.kind()));
  return codec::jose::sign_compact({{"typ", type}}, as_bytes(codec::json::serialize(claims)), key, algorithm);
}

std::unexpected<Error> not_signed(std::string_view type, std::string_view why) {
  return fail(FleetError::bad_proof, "this " + std::string{type} + " is not of the attested key: " + std::string{why});
}

Result<Object> open(std::string_view type, std::string_view jws, const crypto::PublicKey& key) {
  if (jws.size() > longest_statement)
    return not_signed(type, "it is over " + std::to_string(longest_statement) + " bytes");
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
  auto claims = detail::parse_object(as_text(parsed->payload));
  if (!claims) return not_signed(type, claims.error().message);
  return claims;
}

// "iat": present, and in a range in which differences cannot overflow.
Result<std::int64_t> issued_at(const detail::Members& members) {
  constexpr std::uint64_t latest = 1ULL << 40;
  const auto made = TRY(members.optional_count("iat"));
  if (made && *made <= latest) return static_cast<std::int64_t>(*made);
  return fail(FleetError::bad_proof, members.path("iat") + " is not a time in Unix seconds");
}

}  // namespace

Result<std::string> sign_presence(std::string_view proplet_id, TimePoint now, const crypto::PrivateKey& key) {
  return sign(presence_type, {{"proplet_id", proplet_id}, {"iat", to_unix_seconds(now)}}, key);
}

Result<> check_presence(std::string_view proof, std::string_view proplet_id, const crypto::PublicKey& key,
                        TimePoint now, Duration tolerance) {
  const auto claims = TRY(open(presence_type, proof, key));
  const detail::Members members(claims, "proof");
  const auto named = TRY(members.identifier("proplet_id"));
  if (named != proplet_id) {
    return fail(FleetError::bad_proof,
                "the proof names worker " + named + ", but worker " + std::string{proplet_id} + " shows it");
  }
  const auto made = TRY(issued_at(members));
  const auto age = to_unix_seconds(now) - made;
  const auto most = std::chrono::duration_cast<std::chrono::seconds>(tolerance).count();
  if (age > most || age < -most) {
    return fail(FleetError::stale_proof, "the proof of worker " + named + " was made " + std::to_string(age) +
                                             " s ago; expected at most " + std::to_string(most) +
                                             " s in either direction (are both clocks right?)");
  }
  return {};
}

Result<std::string> sign_result(const ResultStatement& statement, const crypto::PrivateKey& key) {
  const Object claims{{"task_id", statement.task_id},
                      {"proplet_id", statement.proplet_id},
                      {"module_digest", statement.module_digest},
                      {"inputs_digest", statement.inputs_digest},
                      {"result_digest", statement.result_digest},
                      {"token_digest", statement.token_digest},
                      {"iat", to_unix_seconds(statement.made)}};
  return sign(result_type, claims, key);
}

Result<ResultStatement> read_result_statement(std::string_view jws, const crypto::PublicKey& key) {
  const auto claims = TRY(open(result_type, jws, key));
  const detail::Members members(claims, "signature");
  ResultStatement out;
  out.task_id = TRY(members.identifier("task_id"));
  out.proplet_id = TRY(members.identifier("proplet_id"));
  out.module_digest = TRY(members.identifier("module_digest"));
  out.inputs_digest = TRY(members.identifier("inputs_digest"));
  out.result_digest = TRY(members.identifier("result_digest"));
  out.token_digest = TRY(members.identifier("token_digest"));
  const auto made = TRY(issued_at(members));
  out.made = from_unix_seconds(made);
  return out;
}

std::string digest_of_text(std::string_view text) {
  return "sha256:" + codec::hex_encode(crypto::sha256(as_bytes(text)));
}

Result<std::string> digest_of_inputs(const StartCommand& command) {
  const Object inputs{{"cli_args", detail::text_array(command.cli_args)},
                      {"env", detail::text_object(command.env)},
                      {"inputs", detail::text_array(command.inputs)},
                      {"name", command.name}};
  const auto canonical = TRY(codec::json::canonicalize(inputs));
  return digest_of_text(canonical);
}

}  // namespace coffer::fleet
