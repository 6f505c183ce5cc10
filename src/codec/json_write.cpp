#include <array>
#include <charconv>
#include <cmath>

#include "codec/detail/json_text.h"
#include "codec/detail/utf8.h"
#include "codec/json.h"

namespace coffer::codec::json {
namespace {

template <class T>
std::string shortest(T number) {
  std::array<char, 32> buffer;
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), number).ptr;
  return {buffer.data(), end};
}

std::string number_text(const Value& value) {
  if (const auto v = value.if_int64()) return shortest(*v);
  if (const auto v = value.if_uint64()) return shortest(*v);
  const auto number = value.if_double().value_or(NAN);
  if (!std::isfinite(number)) return "null";
  auto text = shortest(number);
  // A double stays one for the next reader.
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  return text;
}

// Compact where the indent is 0, otherwise that many spaces a level.
class Writer {
 public:
  explicit Writer(std::size_t indent) : indent_(indent) {}
  std::string take() { return std::move(out_); }

  void value(const Value& value) {
    if (const auto* array = value.if_array()) {
      sequence('[', ']', *array, [this](const Value& element) { this->value(element); });
    } else if (const auto* object = value.if_object()) {
      sequence('{', '}', *object, [this](const Object::Member& member) { this->member(member); });
    } else {
      scalar(value);
    }
  }

 private:
  void scalar(const Value& value) {
    if (const auto* text = value.if_string()) {
      detail::append_string(out_, *text);
    } else if (const auto* truth = value.if_bool()) {
      out_ += *truth ? "true" : "false";
    } else {
      out_ += value.is_number() ? number_text(value) : "null";
    }
  }

  void member(const Object::Member& member) {
    detail::append_string(out_, member.first);
    out_ += indent_ == 0 ? ":" : ": ";
    value(member.second);
  }

  template <class Range, class Write>
  void sequence(char open, char close, const Range& range, Write write) {
    out_ += open;
    ++depth_;
    bool first = true;
    for (const auto& item : range) {
      if (!first) out_ += ',';
      first = false;
      new_line();
      write(item);
    }
    --depth_;
    if (!first) new_line();
    out_ += close;
  }

  void new_line() {
    if (indent_ == 0) return;
    out_ += '\n';
    out_.append(depth_ * indent_, ' ');
  }

  std::size_t indent_;
  std::size_t depth_ = 0;
  std::string out_;
};

// Whether the character stands for itself between quotes.
constexpr bool is_plain(char c) {
  const auto code = static_cast<unsigned char>(c);
  return code >= 0x20 && code < 0x80 && c != '"' && c != '\\';
}

void append_escape(std::string& out, char c) {
  constexpr std::string_view hex = "0123456789abcdef";
  switch (c) {
    case '"': out += "\\\""; return;
    case '\\': out += "\\\\"; return;
    case '\b': out += "\\b"; return;
    case '\f': out += "\\f"; return;
    case '\n': out += "\\n"; return;
    case '\r': out += "\\r"; return;
    case '\t': out += "\\t"; return;
    default: break;
  }
  const auto code = static_cast<unsigned char>(c);
  out += "\\u00";
  out += hex[code >> 4];
  out += hex[code & 0xf];
}

// What begins at `offset` and is not plain: an escape, a sequence of UTF-8, or a byte that is none. Its size.
std::size_t append_special(std::string& out, std::string_view text, std::size_t offset) {
  const auto size = codec::detail::utf8_sequence_size(text, offset);
  if (size == 0) {
    out += "\xef\xbf\xbd";
    return 1;
  }
  if (size == 1) {
    append_escape(out, text[offset]);
  } else {
    out += text.substr(offset, size);
  }
  return size;
}

}  // namespace

void detail::append_string(std::string& out, std::string_view text) {
  out += '"';
  std::size_t offset = 0;
  while (offset < text.size()) {
    const auto start = offset;
    while (offset < text.size() && is_plain(text[offset])) ++offset;
    out += text.substr(start, offset - start);
    if (offset < text.size()) offset += append_special(out, text, offset);
  }
  out += '"';
}

std::string serialize(const Value& value) {
  Writer writer(0);
  writer.value(value);
  return writer.take();
}

std::string serialize_pretty(const Value& value) {
  Writer writer(2);
  writer.value(value);
  return writer.take();
}

}  // namespace coffer::codec::json
