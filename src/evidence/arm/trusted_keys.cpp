#include "evidence/arm/trusted_keys.h"

#include <fstream>
#include <iterator>

#include "codec/base64.h"
#include "codec/jose/jwk.h"

namespace coffer::evidence::arm {

namespace json = codec::json;

namespace {

constexpr std::size_t max_file = 16U << 20;

std::unexpected<Error> bad(const std::string& what, const std::string& reason) {
  return fail(EvidenceError::bad_config, what + ": " + reason);
}

Result<std::optional<Bytes>> id_member(const json::Object& entry, std::string_view key, const std::string& what) {
  const auto* member = entry.find(key);
  if (member == nullptr) return std::nullopt;
  const auto* text = member->if_string();
  if (text == nullptr) return bad(what, std::string{key} + " is expected to be text in hex");
  auto bytes = codec::hex_decode(*text);
  if (!bytes) return bad(what, std::string{key} + ": " + bytes.error().message);
  return *std::move(bytes);
}

Result<crypto::PublicKey> key_member(const json::Object& entry, const std::string& what) {
  const auto* member = entry.find("pkey");
  if (member == nullptr) return bad(what, "\"pkey\" is missing");
  if (const auto* pem = member->if_string()) {
    auto key = crypto::PublicKey::from_pem(*pem);
    if (!key) return bad(what, "pkey: " + key.error().message);
    return key;
  }
  auto jwk = codec::jose::parse_jwk(*member);
  if (!jwk) return bad(what, "pkey: " + jwk.error().message);
  return jwk->key;
}

Result<TrustedKey> parse_entry(const json::Value& value, const std::string& what) {
  const auto* entry = value.if_object();
  if (entry == nullptr) return bad(what, "expected an object, found " + std::string{value.type_name()});
  for (const auto& [name, member] : *entry) {
    if (name == "instance-id" || name == "implementation-id" || name == "pkey") continue;
    return bad(what, "\"" + name + "\" is not known; known are instance-id, implementation-id, pkey");
  }
  auto instance_id = TRY(id_member(*entry, "instance-id", what));
  auto implementation_id = TRY(id_member(*entry, "implementation-id", what));
  auto key = TRY(key_member(*entry, what));
  return TrustedKey{std::move(instance_id), std::move(implementation_id), std::move(key)};
}

bool matches(const std::optional<Bytes>& wanted, ByteView found) {
  return !wanted || equal(*wanted, found);
}

}  // namespace

Result<std::vector<TrustedKey>> parse_trusted_keys(const json::Array& entries, const std::string& what) {
  std::vector<TrustedKey> out;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    out.push_back(TRY(parse_entry(entries[i], what + "[" + std::to_string(i) + "]")));
  }
  return out;
}

Result<std::vector<TrustedKey>> read_trusted_keys(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) return bad(file.string(), "the file of trusted keys cannot be read");
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  const auto value = json::parse(text, {.max_size = max_file});
  if (!value) return bad(file.string(), value.error().message);
  if (const auto* entries = value->if_array()) return parse_trusted_keys(*entries, file.string());
  return bad(file.string(), "expected an array of trusted keys, found " + std::string{value->type_name()});
}

Result<std::vector<TrustedKey>> trusted_keys_of(ConfigSection& section, const std::string& name) {
  std::vector<TrustedKey> keys;
  if (const auto* entries = TRY(section.array("trusted_keys"))) {
    keys = TRY(parse_trusted_keys(*entries, name + ".trusted_keys"));
  }
  if (const auto file = TRY(section.text("ta_store"))) {
    for (auto& key : TRY(read_trusted_keys(*file))) keys.push_back(std::move(key));
  }
  return keys;
}

std::vector<const TrustedKey*> keys_for(const std::vector<TrustedKey>& keys, ByteView instance_id,
                                        ByteView implementation_id) {
  std::vector<const TrustedKey*> out;
  for (const auto& key : keys) {
    if (matches(key.instance_id, instance_id) && matches(key.implementation_id, implementation_id)) {
      out.push_back(&key);
    }
  }
  return out;
}

Result<Bytes> instance_id_of(const crypto::PublicKey& key) {
  const auto point = TRY(key.ec_coordinates());
  if (point.y.empty()) {
    return fail(crypto::CryptoError::bad_key,
                "a key of kind " + std::string{crypto::name_of(key.kind())} + " has no point to hash");
  }
  const Bytes uncompressed{std::byte{0x04}};
  const Bytes random_ueid{std::byte{0x01}};  // RFC 9711 section 4.2.1.1, type RAND
  return concat({random_ueid, crypto::sha256(concat({uncompressed, point.x, point.y}))});
}

}  // namespace coffer::evidence::arm
