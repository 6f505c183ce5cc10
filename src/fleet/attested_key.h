// What a worker signs with its attested key: the key that its attestation token names, made in the TEE for one token
// and gone with it. A token alone is no proof, for whoever has seen it can show it.
//
// The wire form is a compact JWS (RFC 7515) whose "typ" keeps the two kinds apart from each other and from tokens:
//   presence  {"typ":"coffer-presence+jwt","alg":"ES256"}  {"proplet_id","iat"}
//   result    {"typ":"coffer-result+jwt","alg":"ES256"}    ResultStatement's members
// The key's JWK says what brokers use it for ("alg":"ECDH-ES+A256KW" or "RSA-OAEP-256"); for signatures its kind
// decides: P-256 ES256, P-384 ES384, P-521 ES512, RSA PS256.
#pragma once

#include <string>
#include <string_view>

#include "base/clock.h"
#include "codec/json.h"
#include "crypto/keys.h"
#include "fleet/commands.h"
#include "fleet/error.h"

namespace coffer::fleet {

Result<std::string> sign_presence(std::string_view proplet_id, TimePoint now, const crypto::PrivateKey& key);
// FleetError::bad_proof where it is not signed by `key` or names another worker; stale_proof where it was made more
// than `tolerance` before or after `now`.
Result<> check_presence(std::string_view proof, std::string_view proplet_id, const crypto::PublicKey& key,
                        TimePoint now, Duration tolerance);

// A result, bound to what was run, on what, and to the evidence of where. Digests are "sha256:" and hex.
struct ResultStatement {
  std::string task_id, proplet_id;
  std::string module_digest;   // of the module that ran, decrypted
  std::string inputs_digest;   // digest_of_inputs()
  std::string result_digest;   // digest_of_text() of the result's "results"
  std::string token_digest{};  // digest_of_text() of the attestation token: the evidence it ran under
  TimePoint made{};            // whole seconds on the wire
  friend bool operator==(const ResultStatement&, const ResultStatement&) = default;
};
Result<std::string> sign_result(const ResultStatement& statement, const crypto::PrivateKey& key);
// FleetError::bad_proof. What the statement says is then for the caller to compare.
Result<ResultStatement> read_result_statement(std::string_view jws, const crypto::PublicKey& key);

std::string digest_of_text(std::string_view text);
// Over the RFC 8785 form of {"cli_args":[...],"env":{...},"inputs":[...],"name":"..."} as the start command had them.
// An invocation of a latent task gives its own inputs and environment.
Result<std::string> digest_of_inputs(const StartCommand& command);

}  // namespace coffer::fleet
