// The way to the workers: MQTT, or a test's list.
#pragma once

#include <functional>
#include <string>

#include "base/result.h"
#include "fleet/topics.h"

namespace coffer::fleet::manager {

class Outbox {
 public:
  virtual ~Outbox() = default;
  // Returns when the MQTT broker has the message. NetError as net::MqttClient::publish_and_wait.
  virtual Result<> send(Topic topic, std::string payload) = 0;
  // Returns when the message waits for its turn, at the latest after the time that send() would wait. `done` is then
  // told what send() would have returned, once, by any thread: it must not block. Where this returns an error it is
  // not.
  using Done = std::function<void(Result<>)>;
  virtual Result<> post(Topic topic, std::string payload, Done done) = 0;
  virtual bool connected() const = 0;
};

}  // namespace coffer::fleet::manager
