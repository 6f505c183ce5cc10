// The proxy at work: fetch requests from the broker, chunks to it, health and metrics by HTTP.
#pragma once

#include <memory>
#include <string>

#include "fleet/proxy/config.h"

namespace coffer::fleet::proxy {

class Proxy {
 public:
  // Returns at once; the broker is connected to in the background. NetError for addresses and files that cannot be
  // used.
  static Result<std::unique_ptr<Proxy>> start(Config config);
  ~Proxy();  // stops

  // "127.0.0.1:43111"; empty where HTTP is off.
  std::string http_address() const;
  Result<> wait_connected(Duration timeout);
  // Takes no more requests, breaks off what is under way (its workers hear of it), disconnects. Twice is once.
  void stop();

 private:
  struct Impl;
  explicit Proxy(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace coffer::fleet::proxy
