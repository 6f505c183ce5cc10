#include "vm/output_filter.h"

#include <algorithm>
#include <charconv>
#include <utility>

namespace coffer::vm {

namespace {

// As guest_init.sh writes it: record separator, words, number, record separator, line feed.
constexpr char mark = '\x1e';
constexpr std::string_view start =
    "\x1e"
    "coffer-vm start\x1e\n";
constexpr std::string_view head =
    "\x1e"
    "coffer-vm exit ";
constexpr std::string_view tail = "\x1e\n";
constexpr std::size_t longest = head.size() + 3 + tail.size();

std::optional<int> parse_status(std::string_view text) {
  if (!text.starts_with(head) || !text.ends_with(tail)) return std::nullopt;
  text = text.substr(head.size(), text.size() - head.size() - tail.size());
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value < 0 || value > 255) return std::nullopt;
  return value;
}

}  // namespace

std::string OutputFilter::add(std::string_view text) {
  held_ += text;
  if (!started_) {
    const auto place = held_.find(start);
    // What may be the beginning of the line is kept.
    if (place == std::string::npos) held_.erase(0, held_.size() - std::min(held_.size(), start.size()));
    if (place == std::string::npos) return {};
    held_.erase(0, place + start.size());
    started_ = true;
  }
  std::string out;
  for (;;) {
    const auto before = std::min(held_.find(mark), held_.size());
    out.append(held_, 0, before);
    held_.erase(0, before);
    const auto end = held_.find(tail, 1);
    if (end == std::string::npos) {
      if (held_.size() < longest) return out;
    } else if (const auto status = parse_status(std::string_view{held_}.substr(0, end + tail.size()))) {
      exit_status_ = status;
      held_.erase(0, end + tail.size());
      continue;
    }
    out += held_.front();
    held_.erase(0, 1);
  }
}

std::string OutputFilter::finish() {
  auto rest = std::exchange(held_, {});
  return started_ ? rest : std::string{};
}

}  // namespace coffer::vm
