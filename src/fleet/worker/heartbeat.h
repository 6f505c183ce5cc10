// What the worker tells of itself unasked: discovery at each connection, heartbeats, metrics.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

#include "fleet/presence.h"
#include "fleet/telemetry.h"
#include "fleet/topics.h"
#include "fleet/worker/config.h"
#include "fleet/worker/machine_facts.h"

namespace coffer::fleet::worker {

class Heartbeat {
 public:
  struct Actions {
    std::function<Capabilities()> capabilities;
    std::function<void(Topic, std::string payload)> publish;
    std::function<void(const ProcessFacts&, const MachineFacts&, double cpu_percent)> measured{};
  };
  Heartbeat(const Config& config, Actions actions);
  ~Heartbeat();
  Heartbeat(const Heartbeat&) = delete;
  Heartbeat& operator=(const Heartbeat&) = delete;
  // Says nothing more. Twice is once.
  void stop();

  // From the MQTT thread: the next thing out is discovery.
  void announce();
  // A heartbeat out of turn: something that the manager waits for has changed.
  void beat_now();

  Discovery discovery() const;

 private:
  using Instant = std::chrono::steady_clock::time_point;
  void run(const std::stop_token& stop);
  void beat();
  void measure();

  const Config& config_;
  Actions actions_;
  CpuMeter cpu_;
  std::mutex mutex_;
  std::condition_variable_any wake_;
  bool announce_ = false, beat_ = false;
  std::jthread thread_;
};

}  // namespace coffer::fleet::worker
