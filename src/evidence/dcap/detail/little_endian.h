// Integers of reports, whose members are kept as bytes because claims show them so.
#pragma once

#include <cstdint>

#include "base/bytes.h"

namespace coffer::evidence::dcap::detail {

// Little-endian; at most 8 bytes.
inline std::uint64_t integer(ByteView bytes) {
  std::uint64_t out = 0;
  for (std::size_t i = bytes.size(); i > 0; --i) out = out << 8 | std::to_integer<std::uint64_t>(bytes[i - 1]);
  return out;
}

inline std::uint8_t octet(ByteView bytes, std::size_t index) {
  return std::to_integer<std::uint8_t>(bytes[index]);
}

}  // namespace coffer::evidence::dcap::detail
