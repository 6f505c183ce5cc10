#include "fleet/sealed/replay_window.h"

#include <algorithm>

namespace coffer::fleet::sealed {

void ReplayWindow::advance_to(std::uint64_t sequence) {
  const auto from = highest_ / 64, to = sequence / 64;
  const auto fresh = std::min<std::uint64_t>(to - from, bits_.size());
  for (std::uint64_t i = 0; i < fresh; ++i) bits_[(to - i) % bits_.size()] = 0;
  highest_ = sequence;
}

bool ReplayWindow::take(std::uint64_t sequence) {
  if (!any_ || sequence > highest_) {
    advance_to(sequence);
    any_ = true;
  } else if (highest_ - sequence >= width) {
    return false;
  }
  const auto bit = std::uint64_t{1} << (sequence % 64);
  auto& bits = word(sequence);
  if ((bits & bit) != 0) return false;
  bits |= bit;
  return true;
}

}  // namespace coffer::fleet::sealed
