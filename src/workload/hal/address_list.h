// The addresses that guests' sockets may lead to, or listen on, as an operator lists them.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "workload/hal/error.h"

struct sockaddr_storage;

namespace coffer::workload::hal {

// An IP address and a port. An IPv4 address that is mapped into IPv6 (::ffff:1.2.3.4) is the IPv4 address.
class SocketAddress {
 public:
  // `ip`: an IPv4 or IPv6 address in text, never a name. bad_value.
  static Result<SocketAddress> parse(std::string_view ip, std::uint16_t port);
  bool is_v4() const { return v4_; }
  std::uint16_t port() const { return port_; }
  const std::array<std::uint8_t, 16>& bytes() const { return bytes_; }  // IPv4 in the last four
  std::string text() const;                                             // "127.0.0.1:80", "[::1]:80"
  // Fills `out`, and gives the number of its bytes that count.
  unsigned to_system(sockaddr_storage& out) const;

 private:
  SocketAddress() = default;
  std::array<std::uint8_t, 16> bytes_{};
  bool v4_ = true;
  std::uint16_t port_ = 0;
};

class AddressList {
 public:
  AddressList() = default;
  // Entries are IP:PORT or NETWORK/BITS:PORT, an IPv6 address in brackets, PORT a number or '*'. bad_value names the
  // entry.
  static Result<AddressList> parse(std::span<const std::string> entries);
  bool contains(const SocketAddress& address) const;
  bool empty() const { return entries_.empty(); }

 private:
  struct Entry {
    SocketAddress network;
    unsigned bits;  // of the address, that count
    std::optional<std::uint16_t> port;
  };
  static Result<Entry> parse_entry(const std::string& text);
  std::vector<Entry> entries_;
};

}  // namespace coffer::workload::hal
