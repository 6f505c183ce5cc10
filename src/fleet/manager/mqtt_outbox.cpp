#include "fleet/manager/mqtt_outbox.h"

#include "fleet/manager/error.h"

namespace coffer::fleet::manager {

bool Room::take(std::size_t bytes, Duration longest) {
  std::unique_lock lock(mutex_);
  const auto fits = [&] { return taken_ == 0 || (taken_ < messages_ && taken_bytes_ + bytes <= bytes_); };
  if (!freed_.wait_for(lock, longest, fits)) return false;
  ++taken_;
  taken_bytes_ += bytes;
  return true;
}

void Room::give_back(std::size_t bytes) {
  {
    const std::scoped_lock lock(mutex_);
    --taken_;
    taken_bytes_ -= bytes;
  }
  freed_.notify_all();
}

Result<net::MqttClient*> MqttOutbox::client() const {
  auto* client = client_.load();
  if (client == nullptr) return fail(ManagerError::broker_unavailable, "the MQTT client is stopped");
  return client;
}

net::MqttMessage MqttOutbox::message(Topic topic, std::string_view payload) const {
  return {.topic = topics_.of(topic), .payload = to_bytes(payload), .qos = qos_};
}

Result<> MqttOutbox::send(Topic topic, std::string payload) {
  auto* client = TRY(this->client());
  return client->publish_and_wait(message(topic, payload), timeout_);
}

Result<> MqttOutbox::post(Topic topic, std::string payload, Done done) {
  auto* client = TRY(this->client());
  const auto size = payload.size();
  if (!room_.take(size, timeout_)) {
    return fail(ManagerError::broker_unavailable, "the MQTT broker does not take what waits for it already");
  }
  auto queued = client->publish(message(topic, payload), [this, size, done = std::move(done)](Result<> outcome) {
    room_.give_back(size);
    done(std::move(outcome));
  });
  if (!queued) room_.give_back(size);
  return queued;
}

bool MqttOutbox::connected() const {
  const auto* client = client_.load();
  return client != nullptr && client->connected();
}

}  // namespace coffer::fleet::manager
