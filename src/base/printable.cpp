#include "base/printable.h"

#include <algorithm>

namespace coffer {

std::string printable(std::string_view text) {
  std::string out{text};
  std::ranges::replace_if(out, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, ' ');
  // U+0080 to U+009F in UTF-8: to some terminals U+009B is the same as ESC [.
  for (auto at = out.find('\xc2'); at != std::string::npos && at + 1 < out.size(); at = out.find('\xc2', at + 1)) {
    const auto next = static_cast<unsigned char>(out[at + 1]);
    if (next >= 0x80 && next < 0xa0) out.replace(at, 2, " ");
  }
  return out;
}

std::string printable(std::string_view text, std::size_t longest) {
  if (text.size() <= longest) return printable(text);
  while (longest > 0 && (static_cast<unsigned char>(text[longest]) & 0xc0) == 0x80) --longest;  // inside a character
  return printable(text.substr(0, longest)) + "...";
}

}  // namespace coffer
