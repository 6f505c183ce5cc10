// The MQTT client as tests use it.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>

#include "net/mqtt.h"

namespace coffer::net::testing {

using namespace std::chrono_literals;

// A client with what it received.
class Peer {
 public:
  explicit Peer(MqttOptions options) {
    MqttHandlers handlers{.on_message = [this](MqttMessage message) { note(std::move(message)); },
                          .on_connected = [this] { ++connected; },
                          .on_disconnected =
                              [this](const Error& why) {
                                const std::lock_guard lock{mutex_};
                                last_error_ = why;
                                changed_.notify_all();
                              }};
    auto started = MqttClient::start(std::move(options), std::move(handlers));
    EXPECT_TRUE(started) << to_string(started.error());
    if (started) client = std::move(*started);
  }
  ~Peer() { client.reset(); }  // before what its handlers use

  std::optional<MqttMessage> receive(Duration timeout = 10s) {
    std::unique_lock lock{mutex_};
    if (!changed_.wait_for(lock, timeout, [this] { return !received_.empty(); })) return std::nullopt;
    auto message = std::move(received_.front());
    received_.pop_front();
    return message;
  }
  std::optional<Error> wait_for_error(Duration timeout = 10s) {
    std::unique_lock lock{mutex_};
    changed_.wait_for(lock, timeout, [this] { return last_error_.has_value(); });
    return last_error_;
  }

  std::unique_ptr<MqttClient> client;
  std::atomic<int> connected = 0;

 private:
  void note(MqttMessage message) {
    const std::lock_guard lock{mutex_};
    received_.push_back(std::move(message));
    changed_.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<MqttMessage> received_;
  std::optional<Error> last_error_;
};

inline MqttOptions options_for(const std::string& address, const std::string& id) {
  return {.address = address,
          .client_id = id,
          .connect_timeout = 5s,
          .min_reconnect_delay = 20ms,
          .max_reconnect_delay = 200ms};
}

inline void expect_connected(Peer& peer) {
  const auto connected = peer.client->wait_connected(10s);
  ASSERT_TRUE(connected) << to_string(connected.error());
}

}  // namespace coffer::net::testing
