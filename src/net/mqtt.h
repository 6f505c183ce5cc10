// The one MQTT client, over libmosquitto: a thread of its own that connects, comes back with growing pauses, subscribes
// again each time, and hands messages to a handler. Sessions are clean and nothing is retained unless asked for.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/secret_bytes.h"
#include "net/error.h"

namespace coffer::net {

struct MqttMessage {
  std::string topic;
  Bytes payload{};
  int qos = 2;
  bool retain = false;
  // Of a message that came with QoS 1 where MqttOptions::hold_acknowledgements: the broker is told that it arrived when
  // the last copy of this is gone.
  std::shared_ptr<const void> receipt{};
};

struct MqttTls {
  std::string ca_file{};                       // PEM; empty: the system's
  std::string certificate_file{}, key_file{};  // PEM; both or none
  bool skip_verification = false;              // of name and chain; said in the log at each connection
};

struct MqttOptions {
  // tcp:// and mqtt:// are plain, port 1883; ssl://, tls:// and mqtts:// are TLS from version 1.2, port 8883.
  std::string address = "tcp://localhost:1883";
  std::string client_id{}, username{};
  SecretBytes password{};
  MqttTls tls{};
  Duration keep_alive = std::chrono::seconds{30};  // MQTT counts whole seconds, from 5 on
  Duration connect_timeout = std::chrono::seconds{30};
  Duration min_reconnect_delay = std::chrono::seconds{1}, max_reconnect_delay = std::chrono::seconds{60};
  unsigned inflight = 20;                   // messages of QoS 1 and 2 on their way at once; the others wait
  std::size_t max_queue = 1024;             // messages that wait, those on their way included
  std::size_t max_queue_bytes = 64U << 20;  // and their payloads
  std::size_t max_packet_size = 10U << 20;  // of what comes in: over it a message is dropped and counted
  std::optional<MqttMessage> last_will{};
  // The broker keeps what comes for the client id's subscriptions of QoS 1 and 2 while it is away, also from one
  // process to the next; of QoS 0 nothing. Version 3.1.1 alone.
  bool durable_session = false;
  // A message of QoS 1 is acknowledged when whoever works on it has let its receipt go, so that with a durable session
  // the broker brings it again where this process ends before. Nothing is sent while a receipt is held (libmosquitto
  // acknowledges by itself, but writes only when told to), so receipts are to be held for as long as a commit takes.
  bool hold_acknowledgements = false;
  enum class Version { v3_1_1, v5 } version = Version::v3_1_1;
};

// All run on the client's own thread: they must not block, and may call subscribe() and publish().
struct MqttHandlers {
  std::function<void(MqttMessage)> on_message;
  std::function<void()> on_connected{};                     // after the subscriptions were acknowledged
  std::function<void(const Error& why)> on_disconnected{};  // also for an attempt that failed
};

struct MqttStatistics {
  std::uint64_t connects = 0, reconnects = 0, failed_connects = 0;
  std::uint64_t messages_in = 0, bytes_in = 0, messages_out = 0, bytes_out = 0;
  std::uint64_t dropped_in = 0;      // over max_packet_size, or a topic that is no UTF-8
  std::uint64_t queue_refusals = 0;  // publish() while the queue was full
  std::uint64_t subscriptions_refused = 0;
  std::size_t queued = 0, queued_bytes = 0;
};

class MqttClient {
 public:
  // Returns at once; the first connection is made in the background. NetError::bad_configuration for options that can
  // never work (address, files that do not load, a last will that MQTT cannot carry).
  static Result<std::unique_ptr<MqttClient>> start(MqttOptions options, MqttHandlers handlers);
  ~MqttClient();  // stops, without waiting for what is queued

  // Kept for every later connection. NetError::bad_message for a filter MQTT does not allow. Where the broker refuses,
  // the log has an error, of an `optional` one a notice. Optional ones are asked for after the others; some brokers
  // answer what they do not allow by ending the connection, and are not asked a third time.
  Result<> subscribe(std::string filter, int qos = 2, bool optional = false);

  // Queues; sent as soon as there is a connection. Messages of QoS 1 and 2 are sent again after a reconnect until the
  // broker has them; those of QoS 0 once. NetError::bad_message (topic, QoS, size), queue_full, cancelled (stopped).
  Result<> publish(MqttMessage message);
  // The same, and `done` is told what publish_and_wait() returns, once, on the client's thread or that of stop(): it
  // must not block. Where this returns an error it is not called.
  using Done = std::function<void(Result<> outcome)>;
  Result<> publish(MqttMessage message, Done done);
  // The same, returning after the broker's last acknowledgement (QoS 0: after it was written). NetError::timeout leaves
  // the message in the queue; NetError::refused where the broker said no (version 5).
  Result<> publish_and_wait(MqttMessage message, Duration timeout);

  // Whether the broker has accepted this client and its subscriptions.
  bool connected() const;
  // Waits for that. NetError::timeout names the last failure.
  Result<> wait_connected(Duration timeout);

  MqttStatistics statistics() const;
  // Gives what is queued up to `drain` to leave, disconnects orderly (no last will) and ends the thread. Twice is once.
  // Not to be called from a handler.
  void stop(Duration drain = Duration{0});

 private:
  struct Impl;
  explicit MqttClient(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace coffer::net
