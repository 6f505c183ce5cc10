// Reading a payload's members under bounds. Null counts as absent.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "codec/json.h"
#include "fleet/error.h"

namespace coffer::fleet::detail {

inline constexpr std::size_t max_payload = 16U << 20;  // bytes; the broker's limit lies far below
inline constexpr std::size_t max_depth = 32;
inline constexpr std::size_t max_values = 1U << 16;
inline constexpr std::size_t max_identifier = 256;
inline constexpr std::size_t max_line = 4096;  // names, URLs, paths
inline constexpr std::size_t max_entries = 1024;

// The payload as an object. FleetError::bad_payload.
Result<codec::json::Object> parse_object(std::string_view payload);

// One object's members; errors name them "start.env".
class Members {
 public:
  Members(const codec::json::Object& object, std::string_view what) : object_(object), what_(what) {}

  // Null where absent or null.
  const codec::json::Value* find(std::string_view key) const;

  // Required, without control characters, at most max_identifier bytes.
  Result<std::string> identifier(std::string_view key) const;
  // Optional, empty where absent.
  Result<std::string> optional_identifier(std::string_view key) const { return bounded(key, max_identifier, true); }
  Result<std::string> line(std::string_view key) const { return bounded(key, max_line, true); }
  Result<std::string> text(std::string_view key) const { return bounded(key, max_payload, false); }

  // What helps and is not needed: empty for anything but a short text.
  std::string hint(std::string_view key) const;

  Result<bool> flag(std::string_view key, bool fallback) const;
  Result<std::uint64_t> count(std::string_view key, std::uint64_t fallback = 0) const;
  Result<std::optional<std::uint64_t>> optional_count(std::string_view key) const;
  Result<double> number(std::string_view key) const;  // zero where absent, never negative
  Result<std::vector<std::string>> texts(std::string_view key) const;
  Result<std::map<std::string, std::string>> text_map(std::string_view key) const;
  // An object; an empty one where absent.
  Result<codec::json::Object> object(std::string_view key) const;
  Result<std::optional<Bytes>> base64(std::string_view key) const;

  Error bad(std::string_view key, std::string_view expected, const codec::json::Value& found) const;
  std::string path(std::string_view key) const;

 private:
  Result<std::string> bounded(std::string_view key, std::size_t limit, bool one_line) const;

  const codec::json::Object& object_;
  std::string_view what_;
};

// Writing: nothing where empty.
void append_text(codec::json::Object& object, std::string_view key, const std::string& text);
codec::json::Array text_array(const std::vector<std::string>& texts);
codec::json::Object text_object(const std::map<std::string, std::string>& texts);

}  // namespace coffer::fleet::detail
