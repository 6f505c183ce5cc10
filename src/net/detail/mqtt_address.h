// Where a broker listens.
#pragma once

#include <netinet/in.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "net/error.h"

namespace coffer::net::detail {

struct MqttAddress {
  std::string host;  // IPv6 without brackets
  std::uint16_t port = 1883;
  bool tls = false;

  // "tcp|mqtt://host[:1883]", "ssl|tls|mqtts://host[:8883]"; without a scheme plain. NetError::bad_url.
  static Result<MqttAddress> parse(std::string_view text);
  std::string text() const;  // "host:port", for people
};

// The addresses of a host in the resolver's order, as numbers. Blocks as long as the resolver does.
// NetError::unresolved.
Result<std::vector<std::string>> resolve(const MqttAddress& address);

}  // namespace coffer::net::detail
