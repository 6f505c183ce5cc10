#include "codec/resource_uri.h"

#include <algorithm>

namespace coffer::codec {
namespace {

constexpr std::size_t max_uri_size = 2048;

bool is_alphanumeric(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool all_of(std::string_view text, std::string_view extra) {
  return std::ranges::all_of(text,
                             [&](char c) { return is_alphanumeric(c) || extra.find(c) != std::string_view::npos; });
}

Result<std::vector<std::string>> parse_segments(std::string_view path) {
  std::vector<std::string> segments;
  while (true) {
    const auto slash = path.find('/');
    const auto segment = path.substr(0, slash);
    if (segment.empty() || segment == "." || segment == ".." || !all_of(segment, "-._~@:=+,!")) {
      return fail(ResourceUriError::bad_segment,
                  "a segment of a resource's path has to be a name of letters, digits and -._~@:=+,!, and one is \"" +
                      std::string{segment} + "\"");
    }
    segments.emplace_back(segment);
    if (slash == std::string_view::npos) return segments;
    path.remove_prefix(slash + 1);
  }
}

// "kbs" or "kbs+plugin"; gives the plugin's name.
Result<std::string> parse_scheme(std::string_view scheme) {
  if (scheme == "kbs") return std::string{"resource"};
  const bool plain = scheme.starts_with("kbs+") && scheme.size() > 4 && all_of(scheme.substr(4), "-_.");
  if (!plain) {
    return fail(ResourceUriError::wrong_scheme,
                "a resource URI begins with kbs:// or kbs+plugin://, not with \"" + std::string{scheme} + "\"");
  }
  return std::string{scheme.substr(4)};
}

}  // namespace

std::string_view code_name(ResourceUriError code) {
  switch (code) {
    case ResourceUriError::malformed: return "resource_uri.malformed";
    case ResourceUriError::wrong_scheme: return "resource_uri.wrong_scheme";
    case ResourceUriError::bad_segment: return "resource_uri.bad_segment";
    case ResourceUriError::too_long: return "resource_uri.too_long";
  }
  return "resource_uri.unknown";
}

Result<ResourceUri> ResourceUri::parse(std::string_view text) {
  const auto separator = text.find("://");
  if (separator == std::string_view::npos) {
    return fail(ResourceUriError::malformed,
                "a resource URI has the form kbs:///repository/type/tag, without :// it is none");
  }
  auto plugin = TRY(parse_scheme(text.substr(0, separator)));
  const auto rest = text.substr(separator + 3);
  const auto slash = rest.find('/');
  if (slash == std::string_view::npos) {
    return fail(ResourceUriError::malformed, "a resource URI has a path after its host, kbs:///repository/type/tag");
  }
  const auto host = rest.substr(0, slash);
  if (!all_of(host, "-._:[]")) {
    return fail(ResourceUriError::malformed, "the host of a resource URI is a name or address, optionally with a port");
  }
  auto uri = TRY(from_path(rest.substr(slash)));
  uri.plugin_ = std::move(plugin);
  uri.host_ = host;
  return uri;
}

Result<ResourceUri> ResourceUri::from_path(std::string_view path) {
  if (path.size() > max_uri_size) {
    return fail(ResourceUriError::too_long, "a resource URI has at most " + std::to_string(max_uri_size) +
                                                " characters, and this has " + std::to_string(path.size()));
  }
  ResourceUri uri;
  if (const auto mark = path.find('?'); mark != std::string_view::npos) {
    uri.query_ = path.substr(mark + 1);
    path = path.substr(0, mark);
  }
  // RFC 3986 section 3.4: pchar, '/' and '?'.
  if (!all_of(uri.query_, "-._~!$&'()*+,;=:@/?%")) {
    return fail(ResourceUriError::malformed, "the query of a resource URI has a character that RFC 3986 forbids there");
  }
  if (path.starts_with('/')) path.remove_prefix(1);
  uri.segments_ = TRY(parse_segments(path));
  return uri;
}

Result<ResourceUri> ResourceUri::parse_any(std::string_view text) {
  return text.find("://") == std::string_view::npos ? from_path(text) : parse(text);
}

std::string ResourceUri::path() const {
  std::string out;
  for (const auto& segment : segments_) {
    if (!out.empty()) out += '/';
    out += segment;
  }
  return out;
}

std::string ResourceUri::text() const {
  const auto scheme = plugin_ == "resource" ? std::string{"kbs"} : "kbs+" + plugin_;
  return scheme + "://" + host_ + "/" + path() + (query_.empty() ? "" : "?" + query_);
}

std::string ResourceUri::request_path() const {
  return "/kbs/v0/" + plugin_ + "/" + path() + (query_.empty() ? "" : "?" + query_);
}

}  // namespace coffer::codec
