// What a guest gives to a function, read in order and by type. Everything that is not of its WIT type is
// HalError::bad_arguments, and traps.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "wasm/value.h"
#include "workload/hal/error.h"

namespace coffer::workload::hal {

inline constexpr std::size_t max_bytes = std::size_t{8} << 20;  // of one list<u8>, in and out
inline constexpr std::size_t max_text = 4096;                   // bytes of one string

class Arguments {
 public:
  // The values outlive what is read of them.
  explicit Arguments(std::span<const wasm::Value> values) : values_(values) {}

  // limit where there are more than max_bytes.
  Result<ByteView> bytes();
  // limit where it has more than max_text bytes.
  Result<std::string> text();
  Result<std::uint64_t> u64();
  Result<std::uint32_t> u32();
  Result<std::uint16_t> u16();
  Result<bool> boolean();
  // An enum: the number of its case.
  Result<std::size_t> choice(std::span<const std::string_view> names);

  // A record with exactly these fields, to be read in their order.
  template <std::size_t count>
  Result<std::array<wasm::Value, count>> record(const std::array<std::string_view, count>& fields);

 private:
  Result<const wasm::Value*> next();
  Result<std::uint64_t> integer(std::uint64_t most);

  std::span<const wasm::Value> values_;
  std::size_t position_ = 0;
};

std::unexpected<Error> bad_argument(std::size_t position, std::string_view expected);

template <std::size_t count>
Result<std::array<wasm::Value, count>> Arguments::record(const std::array<std::string_view, count>& fields) {
  const auto* const map = TRY(next())
  ->if_map();
  if (map == nullptr || map->size() != count) return bad_argument(position_, "a record");
  std::array<wasm::Value, count> out;
  for (std::size_t i = 0; i < count; ++i) {
    const auto* const field = values_[position_ - 1].find(fields[i]);
    if (field == nullptr) return bad_argument(position_, "a record with the field " + std::string{fields[i]});
    out[i] = *field;
  }
  return out;
}

}  // namespace coffer::workload::hal
