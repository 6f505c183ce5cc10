// What a sealed payload looks like on the wire, and what its seal binds:
// {"coffer_sealed":{"version":1,"key_id":"..","sender":"..","topic":"..","epoch":"<16 bytes, base64url>","sequence":0,
//                   "sent_at":<milliseconds since 1970>,"ciphertext":"<base64, the tag at its end>"}}
#pragma once

#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/secret_bytes.h"
#include "fleet/sealed/error.h"

namespace coffer::fleet::sealed {

struct Envelope {
  static constexpr std::size_t epoch_size = 16;

  std::string key_id, sender;
  std::string topic;           // whole; said, so that a payload on another topic is known for what it is
  Bytes epoch;                 // made up by the sender for each of its streams, one a topic and process
  std::uint64_t sequence = 0;  // under 2^53, counts up within an epoch
  TimePoint sent_at{};
  Bytes ciphertext{};  // with the tag
  friend bool operator==(const Envelope&, const Envelope&) = default;
};

// SealedError::not_sealed, bad_envelope, unsupported_version. There is nothing that may be left out or added.
Result<Envelope> parse_envelope(std::string_view payload);
std::string to_json(const Envelope& envelope);

// What the tag covers beside the ciphertext: every other member.
Bytes associated_data(const Envelope& envelope);
// The key of one stream: HKDF-SHA256 of the group's secret, the epoch as salt, bound to key id, sender and topic (and
// with it to tenant and channel). An epoch is random, so that no two streams have one key, and its sequence is the
// nonce, which therefore never comes twice (NIST SP 800-38D section 8.2.1).
Result<SecretBytes> stream_key(const SecretBytes& secret, const Envelope& envelope);
Bytes nonce_of(const Envelope& envelope);

}  // namespace coffer::fleet::sealed
