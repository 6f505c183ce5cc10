// Byte strings as serde writes them in JSON where nobody said otherwise: an array of integers.
#pragma once

#include <optional>
#include <string_view>

#include "codec/json.h"
#include "evidence/tee.h"

namespace coffer::evidence {

codec::json::Array integers_of(ByteView bytes);
// EvidenceError::malformed where `value` is null, no array of integers from 0 to 255, or has not `size` of them
// (with `size` nothing: at most `most`).
Result<Bytes> bytes_of_integers(const codec::json::Value* value, std::string_view what, std::optional<std::size_t> size,
                                std::size_t most = 1U << 20);

// A required member of base64, in either alphabet. malformed, with `what` + "." + key in the text.
Result<Bytes> base64_member(const codec::json::Object& object, std::string_view key, std::string_view what);

}  // namespace coffer::evidence
