#include "codec/document.h"

namespace coffer::codec {

std::string pointer_step(std::string_view key) {
  std::string out = "/";
  for (const char c : key) {
    if (c == '~') {
      out += "~0";
    } else if (c == '/') {
      out += "~1";
    } else {
      out += c;
    }
  }
  return out;
}

void LineMap::add(const std::string& pointer, std::size_t line) {
  if (bytes_ + pointer.size() > max_pointer_bytes) return;
  bytes_ += pointer.size();
  lines_.emplace(pointer, line);
}

}  // namespace coffer::codec
