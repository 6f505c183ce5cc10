// Which sequence numbers of one stream were had: exactly for the last 1024, by refusal for what lies further back
// (RFC 4303 section 3.4.3).
#pragma once

#include <array>
#include <cstdint>

namespace coffer::fleet::sealed {

class ReplayWindow {
 public:
  static constexpr std::uint64_t width = 1024;

  // True the first time; false for one that was had, or may have been.
  bool take(std::uint64_t sequence);

 private:
  std::uint64_t& word(std::uint64_t sequence) { return bits_[sequence / 64 % bits_.size()]; }
  void advance_to(std::uint64_t sequence);

  // A ring of words, one more than the width has, so that the word that is being filled takes none of it away.
  std::array<std::uint64_t, width / 64 + 1> bits_{};
  std::uint64_t highest_ = 0;
  bool any_ = false;
};

}  // namespace coffer::fleet::sealed
