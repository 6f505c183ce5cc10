#include "net/detail/mqtt_loop.h"

#include <poll.h>
#include <pthread.h>

#include <algorithm>
#include <csignal>

#include "base/log.h"
#include "base/printable.h"
#include "crypto/random.h"

namespace coffer::net::detail {
namespace {

using SteadyClock = std::chrono::steady_clock;
constexpr Duration longest_sleep{1000};  // libmosquitto looks at its keep-alive by the second

// A connection that lasted this many times the shortest pause was a good one.
constexpr int good_connection = 10;

Duration delay_after(unsigned failures, const MqttOptions& options) {
  const Duration doubled = options.min_reconnect_delay * (1LL << std::min(failures == 0 ? 0U : failures - 1, 20U));
  const Duration full = std::min(doubled, options.max_reconnect_delay);
  // Half of it random, so that a fleet that lost its broker does not come back as one.
  const auto half = std::max<std::int64_t>(full.count() / 2, 1);
  const Bytes random = crypto::system_random().bytes(4);
  std::uint64_t number = 0;
  for (const std::byte byte : random) number = number << 8 | std::to_integer<std::uint64_t>(byte);
  return Duration{half + static_cast<std::int64_t>(number % static_cast<std::uint64_t>(half + 1))};
}

// A broker that is gone must not end the program in the middle of a TLS record.
void block_broken_pipe() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
}

}  // namespace

MqttLoop::MqttLoop(MqttOptions options, MqttHandlers handlers, MqttAddress address, SslContext tls)
    : options_(std::move(options)),
      handlers_(std::move(handlers)),
      address_(std::move(address)),
      tls_(std::move(tls)),
      outbox_(options_.max_queue, options_.max_queue_bytes, options_.inflight) {}

void MqttLoop::start() {
  thread_ = std::jthread{[this] { run(); }};
}

void MqttLoop::stop(Duration drain) {
  {
    const std::lock_guard lock{mutex_};
    const auto until = SteadyClock::now() + drain;
    drain_until_ = stopping_ ? std::min(drain_until_, until) : until;
    stopping_ = true;
  }
  wake();
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void MqttLoop::subscribe(std::string filter, Subscription subscription) {
  {
    const std::lock_guard lock{mutex_};
    filters_[std::move(filter)] = subscription;
    filters_changed_ = true;
  }
  wake();
}

bool MqttLoop::should_end() const {
  const std::lock_guard lock{mutex_};
  return stopping_ && (SteadyClock::now() >= drain_until_ || outbox_.empty());
}

void MqttLoop::run() {
  block_broken_pipe();
  while (!should_end()) {
    const auto began = SteadyClock::now();
    const auto outcome = converse();
    if (outcome) break;  // stopped
    const bool good = SteadyClock::now() - began >= good_connection * options_.min_reconnect_delay;
    failures_ = good ? 1 : failures_ + 1;
    lost(outcome.error());
    pause();
  }
  outbox_.close(Error{NetError::cancelled, "the MQTT client was stopped"});
}

Result<> MqttLoop::converse() {
  if (options_.tls.skip_verification && tls_ != nullptr)
    log::warn("mqtt.unverified", "the broker's certificate is not verified, as asked for",
              {{"broker", address_.text()}});
  subscribed_.clear();
  const MqttSession::Setup setup{options_, address_, tls_.get(), wake_, [this] { return should_end(); }};
  auto session = MqttSession::open(setup, SteadyClock::now() + options_.connect_timeout);
  if (!session) {
    if (should_end()) return {};
    return fail(std::move(session.error()));
  }
  return serve(**session);
}

Result<> MqttLoop::serve(MqttSession& session) {
  const auto deadline = SteadyClock::now() + options_.connect_timeout;
  bool accepted = false;
  while (!should_end()) {
    TRY(session.step(*wake_, std::min(longest_sleep, connected_ ? longest_sleep : options_.connect_timeout)));
    SessionEvents events = session.take_events();
    accepted = accepted || events.accepted;
    handle(std::move(events));
    if (accepted) TRY(subscribe_missing(session));
    if (connected_) TRY(send_waiting(session));
    if (!connected_ && SteadyClock::now() >= deadline)
      return fail(NetError::timeout, "the broker at " + address_.text() + " did not accept the connection in time");
  }
  if (accepted) session.disconnect();
  return {};
}

Result<> MqttLoop::subscribe_missing(MqttSession& session) {
  if (!filters_changed_.exchange(false) && connected_) return {};
  std::map<std::string, Subscription> wanted;
  {
    const std::lock_guard lock{mutex_};
    wanted = filters_;
  }
  const auto subscribe_all = [&](bool optional) -> Result<> {
    for (const auto& [filter, how] : wanted) {
      if (how.optional != optional || subscribed_.contains(filter)) continue;
      subscribed_[filter] = TRY(session.subscribe(filter, how.qos));
    }
    return {};
  };
  TRY(subscribe_all(false));
  const bool all = std::ranges::all_of(subscribed_, [](const auto& each) { return each.second == 0; });
  if (all && !connected_) set_connected();
  return connected_ ? subscribe_all(true) : Result<>{};
}

Result<> MqttLoop::send_waiting(MqttSession& session) {
  while (const Outgoing* next = outbox_.next()) {
    const auto id = session.publish(next->message);
    if (id) {
      outbox_.sent(*id);
    } else {
      const bool of_the_message = id.error().code == NetError::bad_message || id.error().code == NetError::too_large;
      if (!of_the_message) return fail(id.error());
      outbox_.refused(id.error());
    }
    acknowledge(session.take_events());  // QoS 0 is done when it is written
  }
  return {};
}

void MqttLoop::acknowledge(const SessionEvents& events) {
  for (const auto& [id, reason] : events.published) {
    Result<> outcome;
    if (reason >= 0x80)
      outcome = fail(NetError::not_authorized, "the broker did not take the message: reason " + std::to_string(reason));
    outbox_.acknowledged(id, std::move(outcome));
  }
}

void MqttLoop::take_grants(const SessionEvents& events) {
  for (const auto& [id, granted] : events.subscribed) {
    for (auto& [filter, packet] : subscribed_) {
      if (packet != id) continue;
      packet = 0;
      if (granted < 0x80) continue;
      const std::lock_guard lock{mutex_};
      ++counts_.subscriptions_refused;
      log::write(filters_[filter].optional ? log::Level::info : log::Level::error, "mqtt.subscription_refused",
                 "the broker does not let this client listen", {{"filter", filter}});
    }
  }
}

// Called when a connection has ended.
void MqttLoop::give_up_optional() {
  const std::lock_guard lock{mutex_};
  for (const auto& [filter, packet] : subscribed_) {
    const auto found = filters_.find(filter);
    if (packet == 0 || found == filters_.end() || !found->second.optional) continue;
    if (++found->second.broken_off < 2) continue;
    log::info("mqtt.subscription_refused", "the broker ends the connection of who wants to listen to this",
              {{"filter", filter}});
    filters_.erase(found);
  }
}

void MqttLoop::handle(SessionEvents events) {
  acknowledge(events);
  take_grants(events);
  {
    const std::lock_guard lock{mutex_};
    counts_.dropped_in += events.oversized;
    counts_.messages_in += events.received.size();
    for (const MqttMessage& message : events.received) counts_.bytes_in += message.payload.size();
  }
  if (events.oversized > 0)
    log::warn("mqtt.oversized", "messages over the largest packet size were dropped",
              {{"count", std::to_string(events.oversized)}});
  for (MqttMessage& message : events.received) handlers_.on_message(std::move(message));
}

void MqttLoop::set_connected() {
  log::info("mqtt.connected", "", {{"broker", address_.text()}});
  {
    const std::lock_guard lock{mutex_};
    if (counts_.connects++ > 0) ++counts_.reconnects;
    connected_ = true;
    last_error_.reset();
  }
  changed_.notify_all();
  if (handlers_.on_connected) handlers_.on_connected();
}

void MqttLoop::lost(const Error& why) {
  {
    const std::lock_guard lock{mutex_};
    if (!connected_.exchange(false)) ++counts_.failed_connects;
    last_error_ = why;
  }
  outbox_.connection_lost();
  give_up_optional();
  log::warn("mqtt.disconnected", why.message, {{"broker", address_.text()}, {"code", std::string{why.code.name()}}});
  changed_.notify_all();
  if (handlers_.on_disconnected) handlers_.on_disconnected(why);
}

void MqttLoop::pause() {
  const auto until = SteadyClock::now() + delay_after(failures_, options_);
  std::unique_lock lock{mutex_};
  changed_.wait_until(lock, until, [this] { return stopping_; });
  if (stopping_) changed_.wait_until(lock, std::min(until, drain_until_), [] { return false; });
}

Result<> MqttLoop::wait_connected(Duration timeout) {
  std::unique_lock lock{mutex_};
  if (changed_.wait_for(lock, timeout, [this] { return connected_.load(); })) return {};
  const std::string why = last_error_ ? ": " + last_error_->message : std::string{};
  return fail(NetError::timeout, "no connection to the broker at " + address_.text() + " in time" + why);
}

MqttStatistics MqttLoop::statistics() const {
  MqttStatistics counts;
  {
    const std::lock_guard lock{mutex_};
    counts = counts_;
  }
  counts.messages_out = outbox_.sent_messages();
  counts.bytes_out = outbox_.sent_bytes();
  counts.queue_refusals = outbox_.refusals();
  counts.queued = outbox_.size();
  counts.queued_bytes = outbox_.bytes();
  return counts;
}

}  // namespace coffer::net::detail
