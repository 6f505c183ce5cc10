// What an aggregator of federated rounds signs with its attested key: that it is there now, and what a round came to.
//   presence  {"typ":"coffer-aggregator+jwt"}  {"nonce","iat"}, and {"model_version","model_digest"} where asked for
//   round     {"typ":"coffer-round+jwt"}       RoundStatement's members
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "crypto/keys.h"
#include "fleet/error.h"

namespace coffer::fleet {

// A model as it is served: its digest is over that text.
struct ModelName {
  std::uint64_t version = 0;
  std::string digest;  // "sha256:" and hex
};

// The answer to GET /attestation?nonce=N[&model=VERSION].
struct AggregatorAttestation {
  std::string token;  // EAR as compact JWS, from the broker: names the key that updates are sealed to
  std::string proof;  // over N, and the model
  TimePoint expires_at{};
  std::string tee{};  // for people: the token says it with authority
  friend bool operator==(const AggregatorAttestation&, const AggregatorAttestation&) = default;
};
Result<AggregatorAttestation> parse_aggregator_attestation(std::string_view text);
std::string to_json(const AggregatorAttestation& attestation);

// A challenge: 16 to 128 characters of base64url. FleetError::bad_member.
Result<> check_nonce(std::string_view nonce);
Result<std::string> sign_aggregator(std::string_view nonce, TimePoint now, const crypto::PrivateKey& key,
                                    const std::optional<ModelName>& model = {});
// FleetError::bad_proof where it is of another key, over another nonce or, where one is given, not over this model.
Result<> check_aggregator(std::string_view proof, std::string_view nonce, const crypto::PublicKey& key,
                          const std::optional<ModelName>& model = {});

// Digests are "sha256:" and hex.
struct RoundStatement {
  struct Participant {
    std::string proplet_id;
    std::string update_digest;  // digest_of() of the sealed update; of a plain one, of its text as it came
    std::uint64_t num_samples = 0;
    friend bool operator==(const Participant&, const Participant&) = default;
  };
  std::string round_id;
  std::uint64_t base_version = 0, model_version = 0;
  std::string base_digest, model_digest;  // of the models as they are served
  std::vector<Participant> participants{};
  std::string token_digest{};  // of the aggregator's attestation token: the evidence that it ran under
  TimePoint made{};            // whole seconds on the wire
  friend bool operator==(const RoundStatement&, const RoundStatement&) = default;
};
Result<std::string> sign_round(const RoundStatement& statement, const crypto::PrivateKey& key);
// FleetError::bad_proof; missing_member, bad_member. What the statement says is then for the caller to compare.
Result<RoundStatement> read_round_statement(std::string_view jws, const crypto::PublicKey& key);

}  // namespace coffer::fleet
