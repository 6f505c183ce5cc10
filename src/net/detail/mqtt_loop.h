// The thread of a client: connects, serves the connection, and comes back after a pause when it is lost.
#pragma once

#include <atomic>
#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "net/detail/mqtt_outbox.h"
#include "net/detail/mqtt_session.h"
#include "net/detail/wake.h"
#include "net/mqtt.h"

namespace coffer::net::detail {

class MqttLoop {
 public:
  MqttLoop(MqttOptions options, MqttHandlers handlers, MqttAddress address, SslContext tls);
  ~MqttLoop() { stop(Duration{0}); }

  void start();
  void stop(Duration drain);
  struct Subscription {
    int qos = 2;
    bool optional = false;
    unsigned broken_off = 0;  // connections that ended before its answer came
  };
  void subscribe(std::string filter, Subscription subscription);
  Outbox& outbox() { return outbox_; }
  void wake() const { wake_->ring(); }
  bool on_own_thread() const { return std::this_thread::get_id() == thread_.get_id(); }

  bool connected() const { return connected_; }
  Result<> wait_connected(Duration timeout);
  MqttStatistics statistics() const;

 private:
  void run();
  Result<> converse();                   // one connection, from beginning to end
  Result<> serve(MqttSession& session);  // until it ends, or the client is stopped
  Result<> subscribe_missing(MqttSession& session);
  Result<> send_waiting(MqttSession& session);
  void handle(SessionEvents events);
  void acknowledge(const SessionEvents& events);
  void take_grants(const SessionEvents& events);
  void give_up_optional();
  void set_connected();
  void lost(const Error& why);
  bool should_end() const;  // stopped, and drained or out of time
  void pause();

  const MqttOptions options_;
  const MqttHandlers handlers_;
  const MqttAddress address_;
  const SslContext tls_;
  const std::shared_ptr<const Wake> wake_ = std::make_shared<Wake>();
  Outbox outbox_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, Subscription> filters_;
  std::atomic<bool> filters_changed_ = false;
  std::optional<Error> last_error_;
  MqttStatistics counts_;
  bool stopping_ = false;
  std::chrono::steady_clock::time_point drain_until_{};
  std::atomic<bool> connected_ = false;

  // Of the thread alone.
  std::map<std::string, int> subscribed_;  // on this connection, filter to packet id; 0 once acknowledged
  unsigned failures_ = 0;                  // connections in a row that did not last
  std::jthread thread_;
};

}  // namespace coffer::net::detail
