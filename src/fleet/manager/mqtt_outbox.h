// The manager's way to its workers by MQTT.
#pragma once

#include <atomic>
#include <condition_variable>
#include <mutex>

#include "fleet/manager/outbox.h"
#include "net/mqtt.h"

namespace coffer::fleet::manager {

// A bound of what is on its way, in messages and bytes; whoever would go over it waits.
class Room {
 public:
  Room(std::size_t messages, std::size_t bytes) : messages_(messages), bytes_(bytes) {}

  // False where there was none in time. A message that alone is over the bound goes when there is no other.
  bool take(std::size_t bytes, Duration longest);
  void give_back(std::size_t bytes);

 private:
  const std::size_t messages_, bytes_;
  std::mutex mutex_;
  std::condition_variable freed_;
  std::size_t taken_ = 0, taken_bytes_ = 0;
};

// Publishes by whatever client there is; until then, and after, there is none. It lives longer than its client.
class MqttOutbox final : public Outbox {
 public:
  MqttOutbox(Topics topics, int qos, Duration timeout) : topics_(std::move(topics)), qos_(qos), timeout_(timeout) {}
  void set(net::MqttClient* client) { client_ = client; }

  Result<> send(Topic topic, std::string payload) override;
  Result<> post(Topic topic, std::string payload, Done done) override;
  bool connected() const override;

 private:
  Result<net::MqttClient*> client() const;
  net::MqttMessage message(Topic topic, std::string_view payload) const;

  const Topics topics_;
  const int qos_;
  const Duration timeout_;
  std::atomic<net::MqttClient*> client_ = nullptr;
  Room room_{1024, 64U << 20};
};

}  // namespace coffer::fleet::manager
