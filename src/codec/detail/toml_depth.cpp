#include "codec/detail/toml_depth.h"

#include <algorithm>

namespace coffer::codec::detail {

namespace {

// Walks the text outside strings and comments. Where the text is no TOML at all the walk may misread what follows the
// first mistake, which does no harm: the parser stops there.
class DepthScanner {
 public:
  DepthScanner(std::string_view text, std::size_t max_parts, std::size_t max_brackets)
      : text_(text), max_parts_(max_parts), max_brackets_(max_brackets) {}

  std::optional<TomlPosition> run() {
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '"' || c == '\'') {
        skip_string(c);
      } else if (c == '#') {
        skip_comment();
      } else {
        if (!count(c)) return position();
        ++at_;
      }
    }
    return std::nullopt;
  }

 private:
  bool count(char c) {
    if (c == '.') return ++dots_ < max_parts_;
    if (c == '=' || c == ',' || c == '\n') dots_ = 0;
    if (c == '[' || c == '{') {
      dots_ = 0;
      return ++brackets_ <= max_brackets_;
    }
    if ((c == ']' || c == '}') && brackets_ > 0) --brackets_;
    return true;
  }

  void skip_comment() { at_ = std::min(text_.find('\n', at_), text_.size()); }

  void skip_string(char quote) {
    const std::string_view triple = quote == '"' ? "\"\"\"" : "'''";
    const bool multi_line = text_.substr(at_, 3) == triple;
    const std::size_t width = multi_line ? 3 : 1;
    at_ += width;
    while (at_ < text_.size()) {
      if (quote == '"' && text_[at_] == '\\') {
        at_ += 2;
        continue;
      }
      if (!multi_line && text_[at_] == '\n') return;
      if (text_.substr(at_, width) == triple.substr(0, width)) {
        at_ += width;
        // Up to two more quotes belong to the content of a multi-line string (TOML 1.0, "String"). Taken for the start
        // of another string, they would hide what follows from this walk and not from the parser.
        for (int i = 0; multi_line && i < 2 && at_ < text_.size() && text_[at_] == quote; ++i) ++at_;
        return;
      }
      ++at_;
    }
    at_ = text_.size();
  }

  TomlPosition position() const {
    TomlPosition out;
    for (const char c : text_.substr(0, at_)) {
      out.column = c == '\n' ? 1 : out.column + 1;
      if (c == '\n') ++out.line;
    }
    return out;
  }

  std::string_view text_;
  std::size_t max_parts_, max_brackets_;
  std::size_t at_ = 0, dots_ = 0, brackets_ = 0;
};

}  // namespace

std::optional<TomlPosition> find_too_deep_toml(std::string_view text, std::size_t max_parts, std::size_t max_brackets) {
  return DepthScanner{text, max_parts, max_brackets}.run();
}

}  // namespace coffer::codec::detail
