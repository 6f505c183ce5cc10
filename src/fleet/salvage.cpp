#include <algorithm>
#include <string_view>

#include "codec/json.h"
#include "fleet/commands.h"
#include "fleet/detail/members.h"

namespace coffer::fleet {
namespace {

// Walks over the members of one object without building anything, and stops where the text breaks.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  bool take(char expected) {
    skip_space();
    if (at_ >= text_.size() || text_[at_] != expected) return false;
    ++at_;
    return true;
  }

  // The quoted text that begins here, quotes included; empty where none does, or where it does not end.
  std::string_view quoted() {
    skip_space();
    const std::size_t begin = at_;
    if (at_ >= text_.size() || text_[at_] != '"') return {};
    for (++at_; at_ < text_.size(); ++at_) {
      if (text_[at_] == '\\')
        ++at_;
      else if (text_[at_] == '"')
        return text_.substr(begin, ++at_ - begin);
    }
    at_ = text_.size();
    return {};
  }

  // The value that begins here, as it stands; empty where it does not end.
  std::string_view value() {
    skip_space();
    if (at_ < text_.size() && text_[at_] == '"') return quoted();
    const std::size_t begin = at_;
    std::size_t depth = 0;
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (depth == 0 && (c == ',' || c == '}' || c == ']')) return text_.substr(begin, at_ - begin);
      if (c == '"') {
        if (quoted().empty()) return {};
        continue;
      }
      if (c == '{' || c == '[') ++depth;
      if (c == '}' || c == ']') --depth;
      ++at_;
    }
    return {};
  }

 private:
  void skip_space() { at_ = std::min(text_.find_first_not_of(" \t\r\n", at_), text_.size()); }

  std::string_view text_;
  std::size_t at_ = 0;
};

std::string text_of(std::string_view json) {
  const auto value =
      codec::json::parse(json, {.max_size = 6 * detail::max_identifier + 2, .max_depth = 1, .max_values = 1});
  if (!value || value->if_string() == nullptr) return {};
  const std::string& text = *value->if_string();
  const auto control = [](char c) { return static_cast<unsigned char>(c) < 0x20; };
  return text.size() > detail::max_identifier || std::ranges::any_of(text, control) ? std::string{} : text;
}

// A member that stands there twice tells nothing.
void keep(std::string& field, bool& seen, std::string_view value) {
  field = seen ? std::string{} : text_of(value);
  seen = true;
}

}  // namespace

Salvage salvage(std::string_view payload) {
  Salvage found;
  bool id = false, invocation = false, proplet = false;
  Scanner scanner{payload};
  if (!scanner.take('{')) return found;
  do {
    const std::string_view quoted = scanner.quoted();
    if (quoted.empty() || !scanner.take(':')) break;
    const std::string key = text_of(quoted);
    const std::string_view value = scanner.value();
    if (value.empty()) break;
    if (key == "id") keep(found.id, id, value);
    if (key == "invocation_id") keep(found.invocation_id, invocation, value);
    if (key == "proplet_id") keep(found.proplet_id, proplet, value);
    if (key == "broadcast") found.broadcast = value.starts_with("true");
  } while (scanner.take(','));
  return found;
}

}  // namespace coffer::fleet
