// WWW-Authenticate, RFC 9110 section 11.6.1. Commas part both challenges and their parameters: an element that begins
// with a word and a space opens a challenge, any other continues the one before it.
#include <algorithm>

#include "image/registry_auth.h"

namespace coffer::image {
namespace {

constexpr std::size_t max_header = 16U << 10;

bool is_token_char(char c) {
  const bool letter_or_digit = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  return letter_or_digit || std::string_view{"!#$%&'*+-.^_`|~"}.find(c) != std::string_view::npos;
}

bool is_token(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, is_token_char);
}

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ') || text.starts_with('\t')) text.remove_prefix(1);
  while (text.ends_with(' ') || text.ends_with('\t')) text.remove_suffix(1);
  return text;
}

std::string lower(std::string_view text) {
  std::string out{text};
  std::ranges::transform(out, out.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return out;
}

std::unexpected<Error> bad() {
  return fail(ImageError::registry_protocol, "the registry's WWW-Authenticate header does not parse");
}

// The length of the element in front: up to a comma outside of quotes.
std::size_t element_size(std::string_view text) {
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (quoted && text[i] == '\\') {
      ++i;
    } else if (text[i] == '"') {
      quoted = !quoted;
    } else if (text[i] == ',' && !quoted) {
      return i;
    }
  }
  return text.size();
}

Result<std::string> unquoted(std::string_view text) {
  if (!text.starts_with('"')) return is_token(text) ? Result<std::string>{std::string{text}} : bad();
  std::string out;
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (text[i] == '"') return i + 1 == text.size() ? Result<std::string>{out} : bad();
    if (text[i] == '\\') ++i;
    if (i == text.size()) break;
    out += text[i];
  }
  return bad();
}

// name=value; false where the text is something else (a scheme, or token68 data).
Result<bool> take_parameter(std::string_view text, Challenge& challenge) {
  const auto equals = text.find('=');
  if (equals == std::string_view::npos) return false;
  const auto name = trimmed(text.substr(0, equals));
  const auto value = trimmed(text.substr(equals + 1));
  if (!is_token(name) || value.empty() || value.starts_with('=')) return false;
  challenge.parameters.insert_or_assign(lower(name), TRY(unquoted(value)));
  return true;
}

Result<> take_element(std::string_view element, std::vector<Challenge>& out) {
  const auto word = element.substr(0, element.find_first_of(" \t"));
  const auto rest = trimmed(element.substr(word.size()));
  const bool opens = is_token(word) && !rest.starts_with('=');
  if (!opens) {
    if (out.empty() || !TRY(take_parameter(element, out.back()))) return bad();
    return {};
  }
  out.push_back({lower(word), {}});
  // Data of schemes that we do not speak ("Negotiate TlRMTVNTUAAB=") is left aside.
  if (!rest.empty()) TRY(take_parameter(rest, out.back()));
  return {};
}

}  // namespace

Result<std::vector<Challenge>> parse_www_authenticate(std::string_view value) {
  if (value.size() > max_header) return bad();
  std::vector<Challenge> out;
  while (!value.empty()) {
    const auto size = element_size(value);
    // A list may hold empty elements (RFC 9110 section 5.6.1.2).
    if (const auto element = trimmed(value.substr(0, size)); !element.empty()) TRY(take_element(element, out));
    value.remove_prefix(std::min(size + 1, value.size()));
  }
  return out;
}

}  // namespace coffer::image
