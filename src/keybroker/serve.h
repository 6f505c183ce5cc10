// A broker on its sockets, with its sweeper.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "keybroker/broker.h"

namespace coffer::keybroker {

class RunningBroker {
 public:
  ~RunningBroker();  // stops

  // "127.0.0.1:43111", in the order of the configuration's sockets.
  const std::vector<std::string>& addresses() const;
  Broker& broker();
  // Stops accepting, finishes running requests, ends the sweeper. Safe to call twice.
  void stop();

 private:
  friend Result<std::unique_ptr<RunningBroker>> serve(Config config, const Dependencies& dependencies);
  struct Impl;
  explicit RunningBroker(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// Creates the broker and listens; when this returns, /healthz answers. Refuses plain HTTP that was not asked for
// (http.insecure_http) and TLS files that do not fit.
Result<std::unique_ptr<RunningBroker>> serve(Config config, const Dependencies& dependencies = {});

}  // namespace coffer::keybroker
