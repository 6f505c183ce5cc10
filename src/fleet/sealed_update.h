// A federated round's update on its way through hands that must not see it: MQTT broker, manager, host. The worker
// encrypts it to the key that the aggregator's attestation token names, and signs it with its own attested key. On the
// wire, in the place of an update:
//   {"task_id","round_id","proplet_id","format":"sealed","update_sealed":{"key":"<RFC 7638 thumbprint>","jwe":"..."}}
// and inside the JWE (RFC 7516, flattened):
//   {"update":"<the update's text>","token":"<the worker's EAR>","signature":"<coffer-update+jwt>"}
// How many samples it stands for is sealed, too: it tells of the participant's data.
#pragma once

#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/secret_bytes.h"
#include "codec/jose/jwk.h"
#include "codec/json.h"
#include "crypto/keys.h"
#include "fleet/error.h"

namespace coffer::fleet {

// What the seal holds. Token and signature are empty where a worker has no TEE.
struct SignedUpdate {
  std::string document;  // RoundUpdate as text: what is signed are these bytes
  std::string token{}, signature{};
  friend bool operator==(const SignedUpdate&, const SignedUpdate&) = default;
};

struct SealedUpdate {
  static constexpr std::string_view format = "sealed";
  std::string task_id{}, round_id{}, proplet_id{};
  std::string key{};  // thumbprint of the one that opens it
  std::string jwe{};
  std::string digest{};  // in the place of a JWE that has reached the aggregator and is too long for a message
  friend bool operator==(const SealedUpdate&, const SealedUpdate&) = default;
};

// Whose the update is, and of which round.
struct UpdateOrigin {
  std::string_view proplet_id, round_id;
};
Result<std::string> sign_update(std::string_view document, const UpdateOrigin& origin, TimePoint now,
                                const crypto::PrivateKey& key);
// FleetError::bad_proof where it is of another key, document, worker or round.
Result<> check_update(std::string_view signature, std::string_view document, const UpdateOrigin& origin,
                      const crypto::PublicKey& key);

// `sealed` with its key and JWE set. What the key cannot be used for is an error of codec/jose.
Result<SealedUpdate> seal_update(SealedUpdate sealed, const SignedUpdate& content, const codec::jose::Jwk& recipient);
// FleetError::bad_seal, one for whatever does not open; bad_payload for content that is none.
Result<SignedUpdate> open_update(const SealedUpdate& sealed, const crypto::PrivateKey& key);

bool is_sealed_update(const codec::json::Object& object);
// FleetError::missing_member, bad_member.
Result<SealedUpdate> read_sealed_update(const codec::json::Object& object);
codec::json::Object write_sealed_update(const SealedUpdate& update);
// The content of a seal. FleetError::bad_payload, missing_member, bad_member.
Result<SignedUpdate> parse_signed_update(std::string_view text);

// The digest of the JWE (digest_of_text()): names an update without telling of it.
std::string digest_of(const SealedUpdate& update);

}  // namespace coffer::fleet
