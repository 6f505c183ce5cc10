// The fleet's worker: one MQTT connection, tasks, metrics. Everything is started here and ends with the object.
#pragma once

#include <filesystem>
#include <memory>

#include "fleet/worker/config.h"

namespace coffer::fleet::worker {

class Worker {
 public:
  // Returns before there is a connection. ConfigError, worker.tee_required, net.bad_configuration, net.address_in_use.
  // `root`: where TEE devices are looked for.
  static Result<std::unique_ptr<Worker>> start(Config config, const std::filesystem::path& root = "/");
  ~Worker();

  // Stops the tasks, sends their results, and disconnects. Twice is once.
  void stop();
  // "127.0.0.1:9092" as bound; empty where nothing is served.
  std::string metrics_address() const;

 private:
  struct Impl;
  explicit Worker(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace coffer::fleet::worker
