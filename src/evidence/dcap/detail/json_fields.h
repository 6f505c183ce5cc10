// Members of Intel's signed JSON, read with one error code for everything that is not as the schema has it.
#pragma once

#include <algorithm>
#include <array>
#include <string>

#include "base/clock.h"
#include "codec/base64.h"
#include "codec/json.h"
#include "evidence/dcap/error.h"

namespace coffer::evidence::dcap::detail {

class Fields {
 public:
  // `object` outlives this. `path` is for error texts: "tcbInfo.tcbLevels[2]".
  Fields(const codec::json::Object& object, DcapError code, std::string path)
      : object_(object), code_(code), path_(std::move(path)) {}

  Result<std::string_view> text(std::string_view key) const { return lift(string_member(object_, key, path_)); }
  Result<const codec::json::Array*> array(std::string_view key) const {
    return lift(array_member(object_, key, path_));
  }
  // Absent: null.
  Result<const codec::json::Array*> optional_array(std::string_view key) const;
  Result<Fields> object(std::string_view key) const;
  Result<Fields> element(const codec::json::Array& array, std::size_t index, std::string_view key) const;
  Result<std::uint64_t> number(std::string_view key, std::uint64_t max) const;
  Result<TimePoint> time(std::string_view key) const;
  Result<std::vector<std::string>> optional_texts(std::string_view key) const;
  bool has(std::string_view key) const { return object_.contains(key); }

  template <std::size_t N>
  Result<std::array<std::uint8_t, N>> hex(std::string_view key) const {
    const auto digits = TRY(text(key));
    const auto bytes = TRY(lift(codec::hex_decode(digits)));
    if (bytes.size() != N) {
      return bad(key, std::to_string(N) + " bytes in hex", std::to_string(bytes.size()) + " bytes");
    }
    std::array<std::uint8_t, N> out{};
    std::ranges::transform(bytes, out.begin(), [](std::byte b) { return std::to_integer<std::uint8_t>(b); });
    return out;
  }

  // "tcbInfo.version is expected to be 3, found 2".
  std::unexpected<Error> bad(std::string_view key, std::string_view expected, std::string_view found) const;

 private:
  template <class T>
  Result<T> lift(Result<T> result) const {
    if (result) return result;
    return fail(code_, path_ + ": " + result.error().message);
  }

  const codec::json::Object& object_;
  DcapError code_;
  std::string path_;
};

}  // namespace coffer::evidence::dcap::detail
