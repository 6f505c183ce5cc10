// Messages on their way to the broker: those that wait, and those sent and not yet acknowledged. Safe to use from
// several threads; the wire belongs to one.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "net/mqtt.h"

namespace coffer::net::detail {

// What publish_and_wait() waits for, or what is called instead.
struct Delivery {
  std::optional<Result<>> outcome{};
  std::condition_variable decided{};  // each its own: one that is decided wakes nobody else
  std::function<void(Result<>)> done{};
};

struct Outgoing {
  MqttMessage message;
  std::shared_ptr<Delivery> delivery{};
  unsigned attempts = 0;  // how often a connection broke while this was on its way
  std::uint64_t number = 0;
};

class Outbox {
 public:
  Outbox(std::size_t max_messages, std::size_t max_bytes, unsigned inflight)
      : max_messages_(max_messages), max_bytes_(max_bytes), inflight_(inflight == 0 ? 1 : inflight) {}

  // NetError::queue_full, cancelled (closed).
  Result<> push(MqttMessage message, std::shared_ptr<Delivery> delivery = nullptr);

  // For the wire's thread: the next message that may be sent now; sent() says under which packet id it went. The
  // message stays here, at the same address, until it is acknowledged or the connection is lost.
  const Outgoing* next();
  void sent(int packet_id);
  void refused(Error why);  // of next(): it can never be sent
  void acknowledged(int packet_id, Result<> outcome);
  // Takes what was on its way back to the front of the queue; messages of QoS 0 are gone. A message that has been on
  // its way `max_attempts` times when a connection broke is what breaks it, and is given up; after the second time
  // messages go one at a time, so that the guilty one is found.
  void connection_lost();
  static constexpr unsigned max_attempts = 5;

  // Whoever waits gets `why`; nothing more is taken in.
  void close(Error why);
  bool empty() const;
  std::size_t size() const;
  std::size_t bytes() const;
  std::uint64_t sent_messages() const;
  std::uint64_t sent_bytes() const;
  std::uint64_t refusals() const;

  // Blocks until the delivery is decided or the time is up.
  std::optional<Result<>> wait(Delivery& delivery, Duration timeout);

 private:
  // Those who want to be called, and are when the lock is given back: they may publish.
  struct Calls {
    std::vector<std::pair<std::shared_ptr<Delivery>, Result<>>> due{};
    ~Calls();
  };
  void settle(const Outgoing& outgoing, Result<> outcome, Calls& calls);
  unsigned window() const;

  const std::size_t max_messages_, max_bytes_;
  const unsigned inflight_;
  mutable std::mutex mutex_;
  std::deque<Outgoing> waiting_;
  std::map<int, Outgoing> on_their_way_;  // by packet id
  std::size_t bytes_ = 0;
  std::uint64_t numbered_ = 0, sent_messages_ = 0, sent_bytes_ = 0, refusals_ = 0;
  std::optional<Error> closed_;
};

}  // namespace coffer::net::detail
