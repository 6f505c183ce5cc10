// Answers on their way out. They go at once, but for a least time since the start that upstream's manager may need
// (it saves "running" over a result that came earlier), and for a moment in which the MQTT queue is full.
#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <thread>

#include "net/mqtt.h"

namespace coffer::fleet::worker {

class Outbox {
 public:
  using Publish = std::function<Result<>(net::MqttMessage)>;
  using Instant = std::chrono::steady_clock::time_point;
  Outbox(Publish publish, std::size_t max_waiting = 16384);
  ~Outbox();  // gives up what waits

  void send(net::MqttMessage message, Instant not_before = {});
  // What waits goes now.
  void flush();
  std::size_t waiting() const;

 private:
  void deliver(const std::stop_token& stop);
  void queue(net::MqttMessage message, Instant when);
  // True when it is off, or cannot ever be.
  bool try_send(const net::MqttMessage& message) const;

  Publish publish_;
  const std::size_t max_waiting_;
  mutable std::mutex mutex_;
  std::condition_variable_any wake_;
  std::multimap<Instant, net::MqttMessage> waiting_;
  std::jthread thread_;  // last: stops before what it uses is gone
};

}  // namespace coffer::fleet::worker
