#include "net/detail/mqtt_address.h"

#include <netdb.h>

#include <algorithm>
#include <array>

#include "base/printable.h"
#include "net/url.h"

namespace coffer::net::detail {
namespace {

struct Scheme {
  std::string_view name;
  bool tls;
};
constexpr std::array<Scheme, 5> schemes{
    {{"tcp", false}, {"mqtt", false}, {"ssl", true}, {"tls", true}, {"mqtts", true}}};

auto bad_address(std::string_view text) {
  return fail(NetError::bad_url,
              "expected a broker as tcp://host:1883 or ssl://host:8883, found \"" + printable(text, 128) + "\"");
}

}  // namespace

Result<MqttAddress> MqttAddress::parse(std::string_view text) {
  const auto separator = text.find("://");
  const std::string_view name = separator == std::string_view::npos ? "tcp" : text.substr(0, separator);
  const auto* scheme = std::ranges::find(schemes, name, &Scheme::name);
  if (scheme == schemes.end()) return bad_address(text);
  const std::string_view rest = separator == std::string_view::npos ? text : text.substr(separator + 3);
  // Host and port have the grammar of any URL's.
  const auto url = Url::parse("http://" + std::string{rest});
  if (!url || url->path != "/" || !url->query.empty() || url->host.empty()) return bad_address(text);
  const auto fallback = static_cast<std::uint16_t>(scheme->tls ? 8883 : 1883);
  return MqttAddress{.host = url->host, .port = url->port == 0 ? fallback : url->port, .tls = scheme->tls};
}

std::string MqttAddress::text() const {
  const bool v6 = host.contains(':');
  return (v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

Result<std::vector<std::string>> resolve(const MqttAddress& address) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int code = ::getaddrinfo(address.host.c_str(), nullptr, &hints, &found);
  if (code != 0)
    return fail(NetError::unresolved, "the broker's name " + address.host + " has no address: " + ::gai_strerror(code));
  std::vector<std::string> numbers;
  for (const addrinfo* each = found; each != nullptr; each = each->ai_next) {
    std::array<char, NI_MAXHOST> text{};
    if (::getnameinfo(each->ai_addr, each->ai_addrlen, text.data(), text.size(), nullptr, 0, NI_NUMERICHOST) == 0)
      numbers.emplace_back(text.data());
  }
  ::freeaddrinfo(found);
  if (numbers.empty()) return fail(NetError::unresolved, "the broker's name " + address.host + " has no address");
  return numbers;
}

}  // namespace coffer::net::detail
