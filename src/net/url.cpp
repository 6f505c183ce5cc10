#include "net/url.h"

#include <algorithm>
#include <boost/url/parse.hpp>
#include <boost/url/url.hpp>

namespace coffer::net {
namespace {

namespace urls = boost::urls;

constexpr std::size_t max_url_size = 16U << 10;

auto bad_url(std::string_view text, const std::string& why) {
  return fail(NetError::bad_url, "\"" + std::string{text.substr(0, 128)} + "\" is no usable URL: " + why);
}

std::string to_string(urls::string_view text) { return {text.data(), text.size()}; }

std::string lower(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

// RFC 3986 allows nearly anything percent-encoded in a reg-name; host names have letters, digits, '-', '.' and, in
// container networks, '_'.
bool is_host_name(std::string_view host) {
  return !host.empty() && host.size() <= 253 && std::ranges::all_of(host, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
  });
}

Result<std::string> checked_host(const urls::url_view& view, std::string_view text) {
  if (view.host_type() == urls::host_type::ipv6) return to_string(view.host_ipv6_address().to_string());
  if (view.host_type() == urls::host_type::ipvfuture) return bad_url(text, "its host is of no known kind");
  auto host = lower(to_string(view.encoded_host()));
  if (!is_host_name(host)) return bad_url(text, "expected a host name or address, got \"" + host + "\"");
  return host;
}

Result<std::uint16_t> checked_port(const urls::url_view& view, std::string_view text) {
  if (!view.has_port()) return 0;
  if (view.port_number() == 0) {
    return bad_url(text, "expected a port from 1 to 65535, got \"" + to_string(view.port()) + "\"");
  }
  return view.port_number();
}

Result<Url> from_view(const urls::url_view& view, std::string_view text) {
  Url url;
  url.scheme = lower(to_string(view.scheme()));
  if (url.scheme != "http" && url.scheme != "https") {
    return bad_url(text, "expected the scheme http or https, got \"" + url.scheme + "\"");
  }
  if (!view.has_authority()) return bad_url(text, "expected \"//\" and a host behind the scheme");
  if (view.has_userinfo()) return bad_url(text, "it holds a user name; credentials do not belong into a URL");
  url.host = TRY(checked_host(view, text));
  url.port = TRY(checked_port(view, text));
  url.path = view.encoded_path().empty() ? "/" : to_string(view.encoded_path());
  url.query = to_string(view.encoded_query());
  return url;
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool is_unreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view{"-._~"}.contains(c);
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
  const auto view = urls::parse_uri({text.data(), text.size()});
  if (!view) return bad_url(text, "expected http://host[:port]/path or https://host[:port]/path");
  return from_view(*view, text);
}

Result<Url> Url::resolve(std::string_view reference) const {
  if (reference.size() > max_url_size) return bad_url(reference, "it is over the limit of 16384 bytes");
  const auto ref = urls::parse_uri_reference({reference.data(), reference.size()});
  if (!ref) return bad_url(reference, "expected a URL or a path");
  const auto own = text();
  const auto base = urls::parse_uri(own);
  if (!base) return bad_url(own, "it cannot be the base of a reference");
  urls::url target;
  if (const auto done = urls::resolve(*base, *ref, target); !done) return bad_url(reference, done.error().message());
  return from_view(target, reference);
}

std::uint16_t Url::effective_port() const {
  if (port != 0) return port;
  return is_https() ? 443 : 80;
}

bool Url::is_loopback() const {
  if (host == "localhost" || host == "::1") return true;
  const auto address = urls::parse_ipv4_address(host);
  return address && address->is_loopback();
}

std::string Url::authority() const {
  auto out = host.contains(':') ? "[" + host + "]" : host;
  if (port != 0) out += ":" + std::to_string(port);
  return out;
}

std::string Url::origin() const { return scheme + "://" + authority(); }

std::string Url::target() const { return query.empty() ? path : path + "?" + query; }

std::string Url::text() const { return origin() + target(); }

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
    if (is_unreserved(c)) {
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
