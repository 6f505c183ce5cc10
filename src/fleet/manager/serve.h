// A manager on its sockets, with its threads.
#pragma once

#include <memory>
#include <string>

#include "fleet/manager/config.h"

namespace coffer::fleet::manager {

class RunningManager {
 public:
  ~RunningManager();  // stops

  const std::string& url() const;
  // Stops serving; tasks go on running, and the next manager takes their results.
  void stop();

 private:
  friend Result<std::unique_ptr<RunningManager>> serve(Config config);
  struct Impl;
  explicit RunningManager(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// When this returns, /health answers; the MQTT broker may still be out of reach.
Result<std::unique_ptr<RunningManager>> serve(Config config);

}  // namespace coffer::fleet::manager
