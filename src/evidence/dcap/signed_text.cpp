// The exact bytes of one member of a JSON object: what Intel has signed.
#include "codec/base64.h"
#include "codec/json.h"
#include "evidence/dcap/tcb_info.h"

namespace coffer::evidence::dcap {

namespace json = codec::json;

namespace {

constexpr std::string_view white_space = " \t\r\n";

// Walks JSON that is known to be well-formed.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  void skip_space() { at_ = std::min(text_.find_first_not_of(white_space, at_), text_.size()); }
  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  void step() { ++at_; }

  // A string with its quotes.
  std::string_view take_string() {
    const auto begin = at_;
    step();
    while (at_ < text_.size() && text_[at_] != '"') at_ += text_[at_] == '\\' ? 2 : 1;
    step();
    return text_.substr(begin, at_ - begin);
  }

  // Any value: to the comma or bracket that ends it.
  std::string_view take_value() {
    const auto begin = at_;
    int depth = 0;
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '"') {
        take_string();
        continue;
      }
      if (depth == 0 && (c == ',' || c == '}')) break;
      if (c == '{' || c == '[') ++depth;
      if (c == '}' || c == ']') --depth;
      step();
    }
    const auto raw = text_.substr(begin, at_ - begin);
    return raw.substr(0, raw.find_last_not_of(white_space) + 1);
  }

 private:
  std::string_view text_;
  std::size_t at_ = 0;
};

// The value of `member` in an object. Names with escapes in them are nobody's.
std::string_view find_value(std::string_view document, std::string_view member) {
  const auto quoted = "\"" + std::string{member} + "\"";
  Scanner scanner{document};
  scanner.skip_space();
  do {
    scanner.step();  // the brace, later the comma
    scanner.skip_space();
    const auto name = scanner.take_string();
    scanner.skip_space();
    scanner.step();  // the colon
    scanner.skip_space();
    const auto value = scanner.take_value();
    if (name == quoted) return value;
    scanner.skip_space();
  } while (scanner.peek() == ',');
  return {};
}

}  // namespace

Result<SignedText> find_signed_text(std::string_view document, std::string_view member, DcapError code) {
  const auto parsed = json::parse(document);
  if (!parsed) return fail(code, "no JSON: " + parsed.error().message);
  const auto* object = parsed->if_object();
  const auto* value = object != nullptr ? object->find(member) : nullptr;
  const auto* digits = object != nullptr ? object->find("signature") : nullptr;
  if (value == nullptr || !value->is_object() || digits == nullptr || !digits->is_string()) {
    return fail(code, "an object with the members " + std::string{member} + " and signature was expected");
  }
  auto signature = codec::hex_decode(*digits->if_string());
  if (!signature || signature->size() != 64) {
    return fail(code, "the signature of " + std::string{member} + " is expected to be 64 bytes in hex");
  }
  const auto text = find_value(document, member);
  if (text.empty()) return fail(code, "the name of " + std::string{member} + " is written with escapes");
  return SignedText{text, *std::move(signature)};
}

}  // namespace coffer::evidence::dcap
