// One entry of a token's software components (RFC 9783 section 4.4.1): who measured what.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "codec/json.h"
#include "evidence/cbor_fields.h"

namespace coffer::evidence::arm {

struct SoftwareComponent {
  std::optional<std::string> measurement_type{};  // 1
  Bytes measurement_value{};                      // 2
  std::optional<std::string> version{};           // 4
  std::optional<Bytes> signer_id{};               // 5; required but for the oldest profile
  std::optional<std::string> description{};       // 6; in CCA, the hash's name
};

// The array under `value`, with 1 to 64 entries. Errors carry the code of `fields`.
Result<std::vector<SoftwareComponent>> parse_software_components(const CborFields& fields,
                                                                 const codec::cbor::Value* value, ErrorCode code,
                                                                 bool signer_required);
codec::cbor::Array encode_software_components(const std::vector<SoftwareComponent>& components);

// Veraison's names, bytes in base64; key 6 as `key_6`: "measurement-description" or "hash-algo-id".
codec::json::Array claims_of(const std::vector<SoftwareComponent>& components, std::string_view key_6);

}  // namespace coffer::evidence::arm
