// One connection to a broker, from the TCP handshake to its end, over one libmosquitto handle that is used on one
// thread only.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "net/detail/held_messages.h"
#include "net/detail/mqtt_address.h"
#include "net/detail/mqtt_tls.h"
#include "net/mqtt.h"

struct mosquitto;
struct mosquitto_message;

namespace coffer::net::detail {

// What came out of a step.
struct SessionEvents {
  bool accepted = false;  // the broker's CONNACK
  struct Ack {
    int packet_id;
    int reason;  // of version 5; below 128 is success
  };
  std::vector<Ack> published{};  // messages the broker has (QoS 0: that were written)
  std::vector<Ack> subscribed{};
  std::vector<MqttMessage> received{};
  std::uint64_t oversized = 0;
};

class MqttSession {
 public:
  struct Setup {
    const MqttOptions& options;
    const MqttAddress& address;
    SSL_CTX* tls;  // null: plain
    std::shared_ptr<const Wake> wake;
    std::function<bool()> give_up;  // asked whenever `wake` rings
  };
  // Connects and sends CONNECT. Tries the host's addresses one after another until `deadline`. NetError::unresolved,
  // refused, unreachable, timeout, cancelled.
  static Result<std::unique_ptr<MqttSession>> open(const Setup& setup, std::chrono::steady_clock::time_point deadline);
  ~MqttSession();

  // Sleeps in poll(2) until there is something to do, at most for `longest`, and does it. An error ends the session.
  Result<> step(const Wake& wake, Duration longest);
  // What happened since the last call.
  SessionEvents take_events() { return std::exchange(events_, {}); }

  // Packet ids. NetError::bad_message and too_large concern the message alone; all others the session.
  Result<int> subscribe(const std::string& filter, int qos);
  Result<int> publish(const MqttMessage& message);
  // Orderly: the last will is not sent. While a message is held there is only the end of the connection, for what is
  // written before DISCONNECT would acknowledge it.
  void disconnect();

 private:
  MqttSession(const MqttOptions& options, mosquitto* handle, const Setup& setup)
      : options_(options), handle_(handle), tls_(setup.tls != nullptr), held_(HeldMessages::create(setup.wake)) {}
  static void on_connect(mosquitto*, void* self, int code);
  static void on_log(mosquitto*, void* self, int level, const char* text);
  static void on_message(mosquitto*, void* self, const mosquitto_message* message);
  Result<> configure(SSL_CTX* tls);
  Result<> connect(const std::string& number, const Setup& setup, std::chrono::steady_clock::time_point deadline);
  Result<> settle_socket();
  Result<> check(int code);
  short wanted() const;  // of poll(2)

  const MqttOptions& options_;
  mosquitto* handle_;
  bool tls_;
  bool accepted_ = false;
  const std::shared_ptr<HeldMessages> held_;
  SessionEvents events_;
  std::optional<Error> refusal_;
  std::string last_log_;
};

}  // namespace coffer::net::detail
