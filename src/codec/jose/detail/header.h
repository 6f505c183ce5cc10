// What JWS and JWE have in common: parts in base64url, and headers that must not contradict each other.
#pragma once

#include <string_view>
#include <vector>

#include "codec/jose/jwk.h"

namespace coffer::codec::jose::detail {

// The same result with another code, the message kept: callers of jose see codes of jose.
template <class T>
Result<T> relabel(Result<T> result, JoseError code) {
  if (result) return result;
  return fail(code, std::move(result.error().message));
}

// Tokens, headers and JSON forms come from the network before anything is verified.
inline constexpr json::Limits header_limits{.max_size = 1U << 18, .max_depth = 16, .max_values = 1U << 12};
inline constexpr json::Limits message_limits{.max_size = 64U << 20, .max_depth = 16, .max_values = 1U << 12};

// `text` cut at its dots into exactly `count` parts; malformed otherwise. `what`: "JWS", "JWE".
Result<std::vector<std::string_view>> split_compact(std::string_view text, std::size_t count, std::string_view what);

// base64url text to bytes; malformed with `what` in the message.
Result<Bytes> decode_part(std::string_view text, std::string_view what);
// The same for a member of an object, which must be there.
Result<Bytes> decode_member(const json::Object& object, std::string_view key, std::string_view what);

// A protected header: base64url of a JSON object.
Result<json::Object> decode_header(std::string_view text);

// Adds the members of `from`. A name that stands in both is malformed (RFC 7515 section 7.2.1, RFC 7516 section 7.2.1).
Result<> merge_header(json::Object& into, const json::Object& from);

// critical_header where there is a "crit" member: no extension is understood here (RFC 7515 section 4.1.11).
Result<> refuse_critical(const json::Object& header);

}  // namespace coffer::codec::jose::detail
