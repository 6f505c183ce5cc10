#include "fleet/sealed/group_keys.h"

#include <algorithm>
#include <cctype>

#include "codec/base64.h"
#include "codec/json_secret.h"

namespace coffer::fleet::sealed {
namespace {

using codec::json::Object;
using codec::json::Value;

constexpr std::size_t max_document = 64U << 10;

std::unexpected<Error> bad(const std::string& what) {
  return fail(SealedError::bad_key_list, "group keys: " + what);
}

bool is_id(std::string_view text) {
  const auto allowed = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_' || c == '.';
  };
  return !text.empty() && text.size() <= 64 && std::ranges::all_of(text, allowed);
}

// "20260102T030405Z-1f2e3d4c": people see its age, and nobody makes the same one twice.
std::string new_id(TimePoint now, crypto::RandomSource& random) {
  auto text = format_rfc3339(now);
  std::erase_if(text, [](char c) { return c == '-' || c == ':'; });
  return text + "-" + codec::hex_encode(random.bytes(4));
}

GroupKey new_key(TimePoint now, crypto::RandomSource& random) {
  return {.id = new_id(now, random), .secret = random.secret(GroupKeys::secret_size)};
}

Result<SecretBytes> read_secret(const Object& object, const std::string& place) {
  const auto* member = object.find("secret");
  const auto* text = member == nullptr ? nullptr : member->if_string();
  if (text == nullptr) return bad(place + ".secret: expected text");
  auto secret = codec::base64url_decode_secret(as_bytes(*text));
  if (!secret || secret->size() != GroupKeys::secret_size) {
    return bad(place + ".secret: expected 32 bytes in base64url without padding");
  }
  return std::move(*secret);
}

Result<std::optional<TimePoint>> read_time(const Object& object, const std::string& place) {
  const auto* member = object.find("active_at");
  if (member == nullptr || member->is_null()) return std::optional<TimePoint>{};
  const auto* text = member->if_string();
  const auto time = text == nullptr ? Result<TimePoint>{fail(TimeError::malformed, "")} : parse_rfc3339(*text);
  // What can be written again.
  const bool plausible = time && to_unix_seconds(*time) >= 0 && to_unix_seconds(*time) < 253'402'300'800;
  if (!plausible) return bad(place + ".active_at: expected a time as 2026-01-02T03:04:05Z");
  return std::optional{*time};
}

Result<GroupKey> read_key(const Value& value, const std::string& place) {
  const auto* object = value.if_object();
  if (object == nullptr) return bad(place + ": expected an object, found " + std::string{value.type_name()});
  const auto* id = object->find("id");
  const auto* text = id == nullptr ? nullptr : id->if_string();
  if (text == nullptr || !is_id(*text)) {
    return bad(place + ".id: expected 1 to 64 letters, digits, '-', '_' and '.'");
  }
  GroupKey key{.id = *text, .secret = {}};
  key.secret = TRY(read_secret(*object, place));
  key.active_at = TRY(read_time(*object, place));
  return key;
}

}  // namespace

Result<GroupKeys> GroupKeys::parse(ByteView document) {
  auto parsed = codec::json::parse(as_text(document), {.max_size = max_document, .max_depth = 8, .max_values = 1024});
  if (!parsed) return bad("expected JSON");  // the parser's own words may quote a secret
  const codec::json::SecretDocument wiped(std::move(*parsed));
  const auto* list = wiped->find("keys");
  const auto* items = list == nullptr ? nullptr : list->if_array();
  if (items == nullptr || items->empty() || items->size() > max_keys) {
    return bad("expected a member \"keys\" with 1 to " + std::to_string(max_keys) + " keys, newest first");
  }
  GroupKeys keys;
  for (std::size_t i = 0; i < items->size(); ++i) {
    auto key = TRY(read_key((*items)[i], "keys[" + std::to_string(i) + "]"));
    if (keys.find(key.id) != nullptr) return bad("the id " + key.id + " stands there twice");
    keys.keys_.push_back(std::move(key));
  }
  return keys;
}

GroupKeys GroupKeys::create(TimePoint now, crypto::RandomSource& random) {
  GroupKeys keys;
  keys.keys_.push_back(new_key(now, random));
  return keys;
}

SecretBytes GroupKeys::document() const {
  codec::json::Array list;
  for (const auto& key : keys_) {
    Object object{{"id", key.id}, {"secret", codec::base64url_encode(key.secret.expose())}};
    if (key.active_at) object.append("active_at", format_rfc3339(*key.active_at));
    list.emplace_back(std::move(object));
  }
  const codec::json::SecretDocument wiped(Value{Object{{"keys", std::move(list)}}});
  auto text = codec::json::serialize(*wiped);
  auto document = SecretBytes::copy_of(std::string_view{text});
  wipe(std::as_writable_bytes(std::span{text}));
  return document;
}

const GroupKey* GroupKeys::find(std::string_view id) const {
  const auto found = std::ranges::find(keys_, id, &GroupKey::id);
  return found == keys_.end() ? nullptr : &*found;
}

const GroupKey* GroupKeys::sending(TimePoint now) const {
  const auto found =
      std::ranges::find_if(keys_, [&](const GroupKey& key) { return !key.active_at || *key.active_at <= now; });
  return found == keys_.end() ? nullptr : &*found;
}

void GroupKeys::rotate(TimePoint now, TimePoint active_at, crypto::RandomSource& random) {
  const auto* seals = sending(now);
  if (seals != nullptr) keys_.erase(keys_.begin() + (seals - keys_.data()) + 1, keys_.end());
  auto key = new_key(now, random);
  key.active_at = active_at;
  keys_.insert(keys_.begin(), std::move(key));
  if (keys_.size() > max_keys) keys_.erase(keys_.begin() + 1);  // one that never came to seal
}

}  // namespace coffer::fleet::sealed
