#include "fleet/aggregator_statements.h"

#include <algorithm>

#include "fleet/detail/statement.h"

namespace coffer::fleet {
namespace {

using codec::json::Array;
using codec::json::Object;
using detail::Members;

constexpr std::string_view presence_type = "coffer-aggregator+jwt";
constexpr std::string_view round_type = "coffer-round+jwt";
constexpr std::size_t longest_round = 1U << 20;  // room for the most participants that a round may have

bool is_base64url(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

Array participants_of(const RoundStatement& statement) {
  Array list;
  for (const auto& each : statement.participants) {
    list.emplace_back(Object{
        {"proplet_id", each.proplet_id}, {"update_digest", each.update_digest}, {"num_samples", each.num_samples}});
  }
  return list;
}

Result<std::vector<RoundStatement::Participant>> read_participants(const Members& members) {
  std::vector<RoundStatement::Participant> list;
  const auto* value = members.find("participants");
  const auto* array = value == nullptr ? nullptr : value->if_array();
  if (array == nullptr) return fail(FleetError::missing_member, members.path("participants") + ": expected a list");
  for (const auto& each : *array) {
    const auto* object = each.if_object();
    if (object == nullptr) return fail(members.bad("participants", "objects", each));
    const Members participant(*object, "participant");
    auto& out = list.emplace_back();
    out.proplet_id = TRY(participant.identifier("proplet_id"));
    out.update_digest = TRY(participant.identifier("update_digest"));
    out.num_samples = TRY(participant.count("num_samples"));
  }
  return list;
}

}  // namespace

Result<AggregatorAttestation> parse_aggregator_attestation(std::string_view text) {
  const auto object = TRY(detail::parse_object(text));
  const Members members(object, "attestation");
  AggregatorAttestation out;
  out.token = TRY(members.text("token"));
  out.proof = TRY(members.text("proof"));
  if (out.token.empty() || out.proof.empty()) {
    return fail(FleetError::missing_member, "attestation: expected a token and a proof");
  }
  out.tee = TRY(members.optional_identifier("tee"));
  const auto expires = TRY(members.line("expires_at"));
  if (expires.empty()) return out;
  const auto time = parse_rfc3339(expires);
  if (!time) return fail(FleetError::bad_member, members.path("expires_at") + ": " + time.error().message);
  out.expires_at = *time;
  return out;
}

std::string to_json(const AggregatorAttestation& attestation) {
  return codec::json::serialize(Object{{"token", attestation.token},
                                       {"proof", attestation.proof},
                                       {"expires_at", format_rfc3339(attestation.expires_at)},
                                       {"tee", attestation.tee}});
}

Result<> check_nonce(std::string_view nonce) {
  if (nonce.size() >= 16 && nonce.size() <= 128 && std::ranges::all_of(nonce, is_base64url)) return {};
  return fail(FleetError::bad_member, "nonce: expected 16 to 128 characters of base64url, found " +
                                          std::to_string(nonce.size()) + " characters");
}

Result<std::string> sign_aggregator(std::string_view nonce, TimePoint now, const crypto::PrivateKey& key,
                                    const std::optional<ModelName>& model) {
  Object claims{{"nonce", nonce}, {"iat", to_unix_seconds(now)}};
  if (model) {
    claims.append("model_version", model->version);
    claims.append("model_digest", model->digest);
  }
  return detail::sign_statement(presence_type, claims, key);
}

Result<> check_aggregator(std::string_view proof, std::string_view nonce, const crypto::PublicKey& key,
                          const std::optional<ModelName>& model) {
  const auto claims = TRY(detail::open_statement(presence_type, proof, key));
  const Members members(claims, "proof");
  if (TRY(members.identifier("nonce")) != nonce) {
    return fail(FleetError::bad_proof, "the proof is over another nonce than the one that was sent: it is an old one");
  }
  if (!model) return {};
  const auto version = TRY(members.optional_count("model_version"));
  const auto digest = TRY(members.optional_identifier("model_digest"));
  if (version == model->version && digest == model->digest) return {};
  return fail(FleetError::bad_proof, "the aggregator's model " + std::to_string(model->version) + " is \"" + digest +
                                         "\"; the one that was received is " + model->digest);
}

Result<std::string> sign_round(const RoundStatement& statement, const crypto::PrivateKey& key) {
  return detail::sign_statement(round_type,
                                {{"round_id", statement.round_id},
                                 {"base_version", statement.base_version},
                                 {"base_digest", statement.base_digest},
                                 {"model_version", statement.model_version},
                                 {"model_digest", statement.model_digest},
                                 {"participants", participants_of(statement)},
                                 {"token_digest", statement.token_digest},
                                 {"iat", to_unix_seconds(statement.made)}},
                                key);
}

Result<RoundStatement> read_round_statement(std::string_view jws, const crypto::PublicKey& key) {
  const auto claims = TRY(detail::open_statement(round_type, jws, key, longest_round));
  const Members members(claims, "statement");
  RoundStatement out;
  out.round_id = TRY(members.identifier("round_id"));
  out.base_version = TRY(members.count("base_version"));
  out.base_digest = TRY(members.identifier("base_digest"));
  out.model_version = TRY(members.count("model_version"));
  out.model_digest = TRY(members.identifier("model_digest"));
  out.participants = TRY(read_participants(members));
  out.token_digest = TRY(members.identifier("token_digest"));
  out.made = from_unix_seconds(TRY(detail::issued_at(members)));
  return out;
}

}  // namespace coffer::fleet
