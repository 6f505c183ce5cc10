#include "fleet/manager/rest/multipart.h"

#include <algorithm>
#include <optional>

#include "net/http.h"

namespace coffer::fleet::manager {
namespace {

constexpr std::size_t most_parts = 64;
constexpr std::size_t most_head = 16U << 10;

std::unexpected<Error> bad(std::string text) {
  return fail(ManagerError::bad_request, std::move(text));
}

std::string_view trimmed(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

// A parameter of a header's value (RFC 9110 section 5.6.6), its quotes taken off.
std::optional<std::string> parameter(std::string_view value, std::string_view name) {
  for (auto semicolon = value.find(';'); semicolon != std::string_view::npos;) {
    const auto rest = value.substr(semicolon + 1);
    const auto equals = rest.find('=');
    if (equals == std::string_view::npos) return std::nullopt;
    const bool wanted = net::equal_ignoring_case(trimmed(rest.substr(0, equals)), name);
    const auto text = rest.substr(equals + 1);
    std::string found;
    std::size_t end = 0;
    if (text.starts_with('"')) {
      for (end = 1; end < text.size() && text[end] != '"'; ++end) {
        if (text[end] == '\\' && end + 1 < text.size()) ++end;
        found += text[end];
      }
    } else {
      end = std::min(text.find(';'), text.size());
      found = trimmed(text.substr(0, end));
    }
    if (wanted) return found;
    semicolon = value.find(';', static_cast<std::size_t>(text.data() - value.data()) + end);
  }
  return std::nullopt;
}

std::string_view header_of(std::string_view head, std::string_view name) {
  while (!head.empty()) {
    const auto end = std::min(head.find("\r\n"), head.size());
    const auto line = head.substr(0, end);
    const auto colon = line.find(':');
    if (colon != std::string_view::npos && net::equal_ignoring_case(line.substr(0, colon), name)) {
      return line.substr(colon + 1);
    }
    head.remove_prefix(std::min(end + 2, head.size()));
  }
  return {};
}

}  // namespace

Result<FormFile> find_form_file(std::string_view content_type, ByteView body, std::string_view field) {
  const auto boundary = parameter(content_type, "boundary");
  if (!content_type.starts_with("multipart/form-data") || !boundary || boundary->empty() || boundary->size() > 70) {
    return bad("a body of multipart/form-data with a boundary is expected");
  }
  const auto text = as_text(body);
  const auto delimiter = "--" + *boundary;
  auto place = text.find(delimiter);
  for (std::size_t parts = 0; place != std::string_view::npos && parts < most_parts; ++parts) {
    const auto begin = place + delimiter.size();
    if (text.substr(begin, 2) == "--") break;
    const auto head_end = text.find("\r\n\r\n", begin);
    const auto end = text.find("\r\n" + delimiter, begin);
    if (head_end == std::string_view::npos || end == std::string_view::npos || head_end + 2 > end ||
        head_end - begin > most_head) {
      return bad("the form is broken off");
    }
    const auto disposition = header_of(text.substr(begin, head_end - begin), "Content-Disposition");
    const auto name = parameter(disposition, "filename");
    if (name && parameter(disposition, "name") == field) {
      const auto content = std::min(head_end + 4, end);
      return FormFile{name->substr(name->find_last_of("/\\") + 1), body.subspan(content, end - content)};
    }
    place = end + 2;
  }
  return bad("the form has no file called \"" + std::string{field} + "\"");
}

}  // namespace coffer::fleet::manager
