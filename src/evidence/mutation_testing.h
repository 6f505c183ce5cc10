// The property every verifier must have: evidence with any byte changed is refused, and nothing is read past its end.
#pragma once

#include <gtest/gtest.h>

#include <concepts>
#include <span>

#include "base/bytes.h"

namespace coffer::evidence {

struct ByteRange {
  std::size_t begin;
  std::size_t end;
};

inline bool is_within(std::span<const ByteRange> ranges, std::size_t offset) {
  for (const auto& range : ranges) {
    if (offset >= range.begin && offset < range.end) return true;
  }
  return false;
}

// Changes one byte at a time (one bit of it, another bit for each offset) and demands that `accepts` says no. `ignored`
// lists what neither a signature nor a length covers. The changed bytes live in a buffer of their exact size, so that
// the address sanitizer sees every read past the end.
template <std::predicate<ByteView> Accepts>
void expect_every_changed_byte_refused(ByteView valid, const Accepts& accepts, std::span<const ByteRange> ignored = {},
                                       std::size_t step = 1) {
  ASSERT_TRUE(accepts(valid)) << "the evidence is not accepted unchanged";
  for (std::size_t offset = 0; offset < valid.size(); offset += step) {
    if (is_within(ignored, offset)) continue;
    Bytes changed(valid.begin(), valid.end());
    changed[offset] ^= std::byte{static_cast<unsigned char>(1U << (offset % 8))};
    EXPECT_FALSE(accepts(changed)) << "accepted with byte " << offset << " changed";
  }
}

// The same for every proper prefix, and for one byte too many.
template <std::predicate<ByteView> Accepts>
void expect_every_other_length_refused(ByteView valid, const Accepts& accepts, std::size_t step = 1) {
  for (std::size_t size = 0; size < valid.size(); size += step) {
    const Bytes cut(valid.begin(), valid.begin() + static_cast<std::ptrdiff_t>(size));
    EXPECT_FALSE(accepts(cut)) << "accepted with " << size << " of " << valid.size() << " bytes";
  }
  Bytes longer(valid.begin(), valid.end());
  longer.push_back(std::byte{0});
  EXPECT_FALSE(accepts(longer)) << "accepted with one byte too many";
}

}  // namespace coffer::evidence
