#include "fleet/attested_key.h"

#include "base/bytes.h"
#include "codec/base64.h"
#include "crypto/hash.h"
#include "fleet/detail/members.h"
#include "fleet/detail/statement.h"

namespace coffer::fleet {
namespace {

using codec::json::Object;
using detail::issued_at;
using detail::open_statement;
using detail::sign_statement;

constexpr std::string_view presence_type = "coffer-presence+jwt";
constexpr std::string_view result_type = "coffer-result+jwt";

}  // namespace

Result<std::string> sign_presence(std::string_view proplet_id, TimePoint now, const crypto::PrivateKey& key) {
  return sign_statement(presence_type, {{"proplet_id", proplet_id}, {"iat", to_unix_seconds(now)}}, key);
}

Result<> check_presence(std::string_view proof, std::string_view proplet_id, const crypto::PublicKey& key,
                        TimePoint now, Duration tolerance) {
  const auto claims = TRY(open_statement(presence_type, proof, key));
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
    const std::string skew = age < 0 ? std::to_string(-age) + " s ahead of" : std::to_string(age) + " s behind";
    return fail(FleetError::stale_proof, "the proof of worker " + named + " was made " + skew +
                                             " this clock; expected at most " + std::to_string(most) +
                                             " s between the two clocks (is either wrong?)");
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
  return sign_statement(result_type, claims, key);
}

Result<ResultStatement> read_result_statement(std::string_view jws, const crypto::PublicKey& key) {
  const auto claims = TRY(open_statement(result_type, jws, key));
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
