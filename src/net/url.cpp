#include "net/url.h"

#include <algorithm>
#include <charconv>

#include "net/detail/url_text.h"

namespace coffer::net {
namespace {

using detail::hex_digit;

constexpr std::size_t max_url_size = 16U << 10;

auto bad_url(std::string_view text, const std::string& why) {
  return fail(NetError::bad_url, "\"" + std::string{text.substr(0, 128)} + "\" is no usable URL: " + why);
}

std::string lower(std::string_view text) {
  std::string out{text};
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

// Takes what stands before the first of `ends` off the front of `rest`.
std::string_view take_until(std::string_view& rest, std::string_view ends) {
  const auto part = rest.substr(0, rest.find_first_of(ends));
  rest.remove_prefix(part.size());
  return part;
}

Result<std::uint16_t> parse_port(std::string_view digits, std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, ec] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (ec != std::errc{} || end != digits.data() + digits.size() || port == 0) {
    return bad_url(text, "expected a port from 1 to 65535, got \"" + std::string{digits.substr(0, 16)} + "\"");
  }
  return port;
}

// RFC 3986 section 3.2.
Result<> parse_authority(std::string_view authority, std::string_view text, Url& out) {
  if (authority.contains('@')) return bad_url(text, "it holds a user name; credentials do not belong into a URL");
  const auto bracket = authority.rfind(']');
  const auto colon = authority.find(':', bracket == std::string_view::npos ? 0 : bracket);
  auto host = detail::normal_host(authority.substr(0, colon));
  if (!host)
    return bad_url(text, "expected a host name or address, got \"" + std::string{authority.substr(0, 64)} + "\"");
  out.host = *std::move(host);
  if (colon != std::string_view::npos) out.port = TRY(parse_port(authority.substr(colon + 1), text));
  return {};
}

// RFC 3986 section 3.1; a relative path may hold a colon only behind its first '/'.
bool has_scheme(std::string_view reference) {
  const auto end = reference.find_first_of(":/?#");
  return end != std::string_view::npos && reference[end] == ':';
}

// application/x-www-form-urlencoded writes a space as '+'.
Result<std::string> decode_form(std::string_view text) {
  std::string spaced{text};
  std::ranges::replace(spaced, '+', ' ');
  return percent_decode(spaced);
}

}  // namespace

Result<Url> Url::parse(std::string_view text) {
  if (text.size() > max_url_size) {
    return bad_url(text, std::to_string(text.size()) + " bytes are over the limit of " + std::to_string(max_url_size));
  }
  auto rest = text;
  Url url;
  url.scheme = lower(take_until(rest, ":/?#"));
  if ((url.scheme != "http" && url.scheme != "https") || !rest.starts_with("://")) {
    return bad_url(text, "expected http://host[:port]/path or https://host[:port]/path");
  }
  rest.remove_prefix(3);
  TRY(parse_authority(take_until(rest, "/?#"), text, url));
  const auto path = take_until(rest, "?#");
  const auto query = take_until(rest, "#");
  if (!detail::is_path(path) || !detail::is_query(query) || !detail::is_query(rest.substr(rest.empty() ? 0 : 1))) {
    return bad_url(text, "it holds a character that must be percent-encoded, or a broken percent-encoding");
  }
  url.path = path.empty() ? "/" : path;
  if (!query.empty()) url.query = query.substr(1);
  return url;
}

// RFC 3986 section 5.2.2.
Result<Url> Url::resolve(std::string_view reference) const {
  if (has_scheme(reference)) return parse(reference);
  if (reference.starts_with("//")) return parse(scheme + ":" + std::string{reference});
  auto rest = reference;
  const auto own_path = take_until(rest, "?#");
  const auto own_query = take_until(rest, "#");
  std::string merged{own_path};
  if (own_path.empty()) {
    merged = path;
  } else if (!own_path.starts_with('/')) {
    merged = path.substr(0, path.rfind('/') + 1) + merged;
  }
  const bool keeps_query = own_path.empty() && own_query.empty();
  const auto whole_query = keeps_query && !query.empty() ? "?" + query : std::string{own_query};
  return parse(origin() + detail::remove_dot_segments(merged) + whole_query);
}

std::uint16_t Url::effective_port() const {
  if (port != 0) return port;
  return is_https() ? 443 : 80;
}

bool Url::is_loopback() const {
  return host == "localhost" || host == "::1" || detail::is_ipv4_loopback(host);
}

std::string Url::authority() const {
  auto out = host.contains(':') ? "[" + host + "]" : host;
  if (port != 0) out += ":" + std::to_string(port);
  return out;
}

std::string Url::origin() const {
  return scheme + "://" + authority();
}

std::string Url::target() const {
  return query.empty() ? path : path + "?" + query;
}

std::string Url::text() const {
  return origin() + target();
}

bool Url::same_origin(const Url& other) const {
  return scheme == other.scheme && host == other.host && effective_port() == other.effective_port();
}

Result<std::string> percent_decode(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    const int high = i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
    const int low = i + 2 < text.size() ? hex_digit(text[i + 2]) : -1;
    if (high < 0 || low < 0) {
      return fail(NetError::bad_url, "expected two hexadecimal digits behind '%' at offset " + std::to_string(i));
    }
    out += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return out;
}

std::string percent_encode(std::string_view text) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    if (detail::is_unreserved(c)) {
      out += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out += {'%', digits[byte >> 4], digits[byte & 15]};
  }
  return out;
}

Result<std::map<std::string, std::string>> parse_query(std::string_view query) {
  std::map<std::string, std::string> out;
  while (!query.empty()) {
    const auto pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(query.size(), pair.size() + 1));
    if (pair.empty()) continue;
    const auto equals = std::min(pair.find('='), pair.size());
    auto key = TRY(decode_form(pair.substr(0, equals)));
    out[std::move(key)] = TRY(decode_form(pair.substr(std::min(pair.size(), equals + 1))));
  }
  return out;
}

}  // namespace coffer::net
