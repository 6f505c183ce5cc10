#include "fleet/sealed/envelope.h"

#include <array>

#include "base/byte_reader.h"
#include "codec/base64.h"
#include "codec/json.h"
#include "crypto/aead.h"
#include "crypto/kdf.h"
#include "fleet/detail/members.h"

namespace coffer::fleet::sealed {
namespace {

using codec::json::Object;
using codec::json::Value;

constexpr std::string_view label = "coffer_sealed";
constexpr std::size_t member_count = 8;
constexpr std::uint64_t number_bound = std::uint64_t{1} << 53;  // what every JSON reader keeps exactly
// The largest payload in base64, and the other members.
constexpr std::size_t max_size = detail::max_payload / 3 * 4 + (64U << 10);

std::unexpected<Error> bad(const std::string& what) {
  return fail(SealedError::bad_envelope, "sealed payload: " + what);
}

Result<Object> sealed_object(std::string_view payload) {
  auto value = codec::json::parse(payload, {.max_size = max_size, .max_depth = 4, .max_values = 64});
  auto* outer = value ? value->if_object() : nullptr;
  auto* inner = outer == nullptr ? nullptr : outer->find(label);
  if (inner == nullptr) {
    // One that was cut is no plain one.
    if (payload.starts_with("{\"coffer_sealed\"")) return bad("expected JSON: " + value.error().message);
    return fail(SealedError::not_sealed, "expected a payload that is sealed with a group key, found a plain one");
  }
  if (outer->size() != 1) return bad("there are members beside " + std::string{label});
  if (!inner->is_object()) return bad("expected an object, found " + std::string{inner->type_name()});
  return std::move(*inner->if_object());
}

Result<std::uint64_t> read_number(const Object& object, std::string_view key) {
  const auto* value = object.find(key);
  const auto number = value == nullptr ? std::nullopt : value->if_uint64();
  if (!number || *number >= number_bound) return bad(std::string{key} + ": expected a whole number from 0 to 2^53");
  return *number;
}

Result<std::string> read_text(const Object& object, std::string_view key) {
  auto text = detail::Members{object, label}.identifier(key);
  if (!text) return bad(text.error().message);
  return text;
}

Result<Bytes> read_bytes(const Object& object, std::string_view key, Result<Bytes> (*decode)(std::string_view)) {
  const auto* value = object.find(key);
  const auto* text = value == nullptr ? nullptr : value->if_string();
  if (text == nullptr) return bad(std::string{key} + ": expected text");
  auto bytes = decode(*text);
  if (!bytes) return bad(std::string{key} + ": " + bytes.error().message);
  return bytes;
}

void append(ByteWriter& writer, std::string_view text) {
  writer.u32_be(static_cast<std::uint32_t>(text.size())).bytes(as_bytes(text));
}

}  // namespace

Result<Envelope> parse_envelope(std::string_view payload) {
  const auto object = TRY(sealed_object(payload));
  const auto version = TRY(read_number(object, "version"));
  if (version != 1) {
    return fail(SealedError::unsupported_version,
                "sealed payload: expected version 1, found " + std::to_string(version));
  }
  if (object.size() != member_count) return bad("expected 8 members, found " + std::to_string(object.size()));
  Envelope out;
  out.key_id = TRY(read_text(object, "key_id"));
  out.sender = TRY(read_text(object, "sender"));
  out.topic = TRY(read_text(object, "topic"));
  out.epoch = TRY(read_bytes(object, "epoch", codec::base64url_decode));
  out.sequence = TRY(read_number(object, "sequence"));
  const auto sent = TRY(read_number(object, "sent_at"));
  out.sent_at = TimePoint{Duration{static_cast<std::int64_t>(sent)}};
  out.ciphertext = TRY(read_bytes(object, "ciphertext", codec::base64_decode));
  if (out.epoch.size() != Envelope::epoch_size) return bad("epoch: expected 16 bytes");
  if (out.ciphertext.size() < crypto::gcm_tag_size) return bad("ciphertext: too short for its tag");
  return out;
}

std::string to_json(const Envelope& envelope) {
  const Object inner{{"version", 1},
                     {"key_id", envelope.key_id},
                     {"sender", envelope.sender},
                     {"topic", envelope.topic},
                     {"epoch", codec::base64url_encode(envelope.epoch)},
                     {"sequence", envelope.sequence},
                     {"sent_at", envelope.sent_at.time_since_epoch().count()}};
  auto text = codec::json::serialize(Object{{std::string{label}, inner}});
  // The last member is large, and has nothing to be escaped.
  const auto ciphertext = codec::base64_encode(envelope.ciphertext);
  text.resize(text.size() - 2);
  text.reserve(text.size() + ciphertext.size() + 32);
  return std::move(text.append(",\"ciphertext\":\"").append(ciphertext).append("\"}}"));
}

Bytes associated_data(const Envelope& envelope) {
  ByteWriter writer;
  append(writer, "coffer fleet payload v1");
  append(writer, envelope.key_id);
  append(writer, envelope.sender);
  append(writer, envelope.topic);
  writer.bytes(envelope.epoch).u64_be(envelope.sequence);
  writer.u64_be(static_cast<std::uint64_t>(envelope.sent_at.time_since_epoch().count()));
  return writer.take();
}

Result<SecretBytes> stream_key(const SecretBytes& secret, const Envelope& envelope) {
  ByteWriter info;
  append(info, "coffer fleet stream key v1");
  append(info, envelope.key_id);
  append(info, envelope.sender);
  append(info, envelope.topic);
  return crypto::hkdf(crypto::HashAlgorithm::sha256, secret.expose(), envelope.epoch, info.view(), 32);
}

Bytes nonce_of(const Envelope& envelope) {
  return ByteWriter{}.zeros(crypto::gcm_iv_size - 8).u64_be(envelope.sequence).take();
}

}  // namespace coffer::fleet::sealed
