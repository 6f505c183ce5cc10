// Boost.JSON as the second opinion on our parser. It is more lenient where a security product must not be: duplicate
// keys, numbers beyond range, depth. What ours takes it takes as well, with the same content, and what it refuses as no
// JSON ours refuses.
#pragma once

#include <boost/json.hpp>
#include <cmath>
#include <string>
#include <string_view>

#include "codec/json.h"

namespace coffer::codec::json {

inline bool same(const Value& ours, const boost::json::value& theirs);

inline bool same_number(const Value& ours, const boost::json::value& theirs) {
  if (const auto number = ours.if_int64()) return theirs.is_int64() && theirs.as_int64() == *number;
  if (const auto number = ours.if_uint64()) return theirs.is_uint64() && theirs.as_uint64() == *number;
  if (!theirs.is_double()) return false;
  // It rounds some doubles to a neighbour, and finds no number where a power of ten beyond range is times 0.
  const double a = *ours.if_double();
  const double b = theirs.as_double();
  if (!std::isfinite(b)) return true;
  return a == b || std::abs(a - b) <= 1e-12 * std::max(std::abs(a), std::abs(b)) || std::abs(a - b) < 1e-300;
}

inline bool same(const Value& ours, const boost::json::value& theirs) {
  if (ours.is_number()) return same_number(ours, theirs);
  if (ours.is_null()) return theirs.is_null();
  if (const auto* flag = ours.if_bool()) return theirs.is_bool() && theirs.as_bool() == *flag;
  if (const auto* text = ours.if_string()) return theirs.is_string() && theirs.as_string() == *text;
  if (const auto* array = ours.if_array()) {
    if (!theirs.is_array() || theirs.as_array().size() != array->size()) return false;
    for (std::size_t i = 0; i < array->size(); ++i) {
      if (!same((*array)[i], theirs.as_array()[i])) return false;
    }
    return true;
  }
  if (!theirs.is_object() || theirs.as_object().size() != ours.if_object()->size()) return false;
  for (const auto& [key, value] : *ours.if_object()) {
    const auto* other = theirs.as_object().if_contains(key);
    if (other == nullptr || !same(value, *other)) return false;
  }
  return true;
}

// Empty, or how the two differ.
inline std::string difference(std::string_view text) {
  const auto ours = parse(text);
  boost::json::parse_options options;
  options.max_depth = Limits{}.max_depth;
  boost::json::error_code refused;
  const auto theirs = boost::json::parse({text.data(), text.size()}, refused, {}, options);
  // Its own limit, also where the exponent changes nothing: 0e99999999999.
  if (refused == boost::json::error::exponent_overflow) return {};
  if (ours && refused) return "accepted, though it is no JSON: " + refused.message();
  if (ours && !same(*ours, theirs)) return "read as " + serialize(*ours);
  if (!ours && ours.error().code == JsonError::syntax && !refused) return ours.error().message;
  return {};
}

}  // namespace coffer::codec::json
