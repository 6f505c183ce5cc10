// The way to the workers: MQTT, or a test's list.
#pragma once

#include <string>

#include "base/result.h"
#include "fleet/topics.h"

namespace coffer::fleet::manager {

class Outbox {
 public:
  virtual ~Outbox() = default;
  // Returns when the MQTT broker has the message. NetError as net::MqttClient::publish_and_wait.
  virtual Result<> send(Topic topic, std::string payload) = 0;
  virtual bool connected() const = 0;
};

}  // namespace coffer::fleet::manager
