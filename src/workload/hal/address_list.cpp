#include "workload/hal/address_list.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <charconv>
#include <cstring>

namespace coffer::workload::hal {
namespace {

constexpr std::array<std::uint8_t, 12> mapped_prefix = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

std::unexpected<Error> bad_entry(const std::string& text) {
  return fail(HalError::bad_value,
              "\"" + text + "\" is no address; expected IP:PORT or NETWORK/BITS:PORT, PORT a number or *");
}

template <class Number>
std::optional<Number> whole_number(std::string_view text) {
  Number out{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (error != std::errc{} || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return out;
}

bool same_bits(std::span<const std::uint8_t> a, std::span<const std::uint8_t> b, unsigned bits) {
  const auto whole = bits / 8;
  if (!std::equal(a.begin(), a.begin() + whole, b.begin())) return false;
  const auto rest = bits % 8;
  return rest == 0 || ((a[whole] ^ b[whole]) >> (8 - rest)) == 0;
}

}  // namespace

Result<SocketAddress> SocketAddress::parse(std::string_view ip, std::uint16_t port) {
  const std::string text{ip};
  SocketAddress out;
  out.port_ = port;
  if (::inet_pton(AF_INET, text.c_str(), &out.bytes_[12]) == 1 && text.size() == std::strlen(text.c_str())) return out;
  const bool v6 = ::inet_pton(AF_INET6, text.c_str(), out.bytes_.data()) == 1;
  if (!v6 || text.size() != std::strlen(text.c_str())) {
    return fail(HalError::bad_value, "an address is an IPv4 or IPv6 address in text, and this is neither");
  }
  out.v4_ = std::equal(mapped_prefix.begin(), mapped_prefix.end(), out.bytes_.begin());
  if (out.v4_) std::fill_n(out.bytes_.begin(), mapped_prefix.size(), std::uint8_t{0});
  return out;
}

std::string SocketAddress::text() const {
  std::array<char, INET6_ADDRSTRLEN> buffer{};
  if (v4_) {
    ::inet_ntop(AF_INET, &bytes_[12], buffer.data(), buffer.size());
    return std::string{buffer.data()} + ":" + std::to_string(port_);
  }
  ::inet_ntop(AF_INET6, bytes_.data(), buffer.data(), buffer.size());
  return "[" + std::string{buffer.data()} + "]:" + std::to_string(port_);
}

unsigned SocketAddress::to_system(sockaddr_storage& out) const {
  std::memset(&out, 0, sizeof out);
  if (v4_) {
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port_);
    std::memcpy(&v4.sin_addr, &bytes_[12], 4);
    std::memcpy(&out, &v4, sizeof v4);
    return sizeof v4;
  }
  sockaddr_in6 v6{};
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(port_);
  std::memcpy(&v6.sin6_addr, bytes_.data(), bytes_.size());
  std::memcpy(&out, &v6, sizeof v6);
  return sizeof v6;
}

// "10.0.0.0/8:443", "[::1]:*", "[2001:db8::]/32:443".
Result<AddressList::Entry> AddressList::parse_entry(const std::string& text) {
  const auto colon = text.rfind(':');
  if (colon == std::string::npos) return bad_entry(text);
  const auto port_text = std::string_view{text}.substr(colon + 1);
  auto host = text.substr(0, colon);
  const auto port = whole_number<std::uint16_t>(port_text);
  if (!port && port_text != "*") return bad_entry(text);

  std::optional<unsigned> bits;
  if (const auto slash = host.rfind('/'); slash != std::string::npos) {
    bits = whole_number<unsigned>(std::string_view{host}.substr(slash + 1));
    if (!bits) return bad_entry(text);
    host.resize(slash);
  }
  const bool brackets = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (brackets) host = host.substr(1, host.size() - 2);
  const auto network = SocketAddress::parse(host, port.value_or(0));
  if (!network || network->is_v4() == brackets) return bad_entry(text);
  const auto all = network->is_v4() ? 32U : 128U;
  if (bits.value_or(all) > all) return bad_entry(text);
  return Entry{*network, bits.value_or(all), port};
}

Result<AddressList> AddressList::parse(std::span<const std::string> entries) {
  AddressList out;
  for (const auto& entry : entries) out.entries_.push_back(TRY(parse_entry(entry)));
  return out;
}

bool AddressList::contains(const SocketAddress& address) const {
  return std::ranges::any_of(entries_, [&](const Entry& entry) {
    if (entry.network.is_v4() != address.is_v4()) return false;
    if (entry.port && *entry.port != address.port()) return false;
    const std::size_t start = address.is_v4() ? 12 : 0;
    return same_bits(std::span{entry.network.bytes()}.subspan(start), std::span{address.bytes()}.subspan(start),
                     entry.bits);
  });
}

}  // namespace coffer::workload::hal
