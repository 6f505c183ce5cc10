#include "net/detail/response_reader.h"

#include <charconv>

namespace coffer::net::detail {
namespace {

auto broken(std::string_view what, std::string_view line) {
  return fail(NetError::protocol, std::string{what} + " \"" + std::string{line.substr(0, 64)} + "\"");
}

std::string_view without_spaces(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

}  // namespace

Result<bool> ResponseReader::line(std::string_view text) {
  size_ += text.size();
  if (size_ > max_response_head) {
    return fail(NetError::too_large,
                "the head of the answer is over the limit of " + std::to_string(max_response_head) + " bytes");
  }
  // What follows a complete head are trailers, which nobody here acts upon.
  if (complete_) return false;
  while (text.ends_with('\n') || text.ends_with('\r')) text.remove_suffix(1);
  if (text.starts_with("HTTP/")) {
    TRY(status_line(text));
  } else if (!text.empty()) {
    TRY(field(text));
  } else {
    complete_ = response_.status >= 200;
  }
  return complete_;
}

// RFC 9112 section 4: HTTP-version SP 3DIGIT SP [reason].
Result<> ResponseReader::status_line(std::string_view text) {
  const auto space = text.find(' ');
  const auto digits = space == std::string_view::npos ? std::string_view{} : text.substr(space + 1, 3);
  int status = 0;
  const auto [end, ec] = std::from_chars(digits.data(), digits.data() + digits.size(), status);
  if (ec != std::errc{} || digits.size() != 3 || end != digits.data() + 3 || status < 100) {
    return broken("expected a status line, got", text);
  }
  response_ = HttpResponse{.status = status};
  return {};
}

Result<> ResponseReader::field(std::string_view text) {
  const auto colon = text.find(':');
  if (colon == std::string_view::npos || !is_token(text.substr(0, colon))) {
    return broken("expected a header field, got", text);
  }
  const auto value = without_spaces(text.substr(colon + 1));
  if (!is_field_value(value)) return broken("a control character in the header field", text.substr(0, colon));
  response_.headers.add(text.substr(0, colon), std::string{value});
  return {};
}

}  // namespace coffer::net::detail
