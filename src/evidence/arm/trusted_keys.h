// The keys that platforms sign with, as their makers or owners gave them out of band: there is no chain.
#pragma once

#include <filesystem>
#include <optional>
#include <vector>

#include "codec/json.h"
#include "crypto/keys.h"
#include "evidence/config_section.h"

namespace coffer::evidence::arm {

struct TrustedKey {
  std::optional<Bytes> instance_id{};        // absent: of any instance
  std::optional<Bytes> implementation_id{};  // absent: of any implementation
  crypto::PublicKey key;
};

// Veraison's trust anchors: [{"instance-id": hex, "implementation-id": hex, "pkey": JWK}]; both ids may be absent, and
// the key may be PEM text. Errors: bad_config, with `what` in the text.
Result<std::vector<TrustedKey>> parse_trusted_keys(const codec::json::Array& entries, const std::string& what);
// The same out of a file.
Result<std::vector<TrustedKey>> read_trusted_keys(const std::filesystem::path& file);
// "trusted_keys" (an array) and "ta_store" (a file) of a leaf's settings, joined.
Result<std::vector<TrustedKey>> trusted_keys_of(ConfigSection& section, const std::string& name);

std::vector<const TrustedKey*> keys_for(const std::vector<TrustedKey>& keys, ByteView instance_id,
                                        ByteView implementation_id);

// 0x01 || SHA-256 of the key as an uncompressed point: how Trusted Firmware makes an instance id out of the initial
// attestation key (RFC 9783 section 4.2.1 leaves the hash's input open). bad_key for keys without a point.
Result<Bytes> instance_id_of(const crypto::PublicKey& key);

}  // namespace coffer::evidence::arm
