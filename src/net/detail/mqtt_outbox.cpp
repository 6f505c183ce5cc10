#include "net/detail/mqtt_outbox.h"

#include <algorithm>

#include "base/log.h"
#include "base/printable.h"

namespace coffer::net::detail {
namespace {

std::unexpected<Error> not_taken(const MqttMessage& message) {
  return fail(NetError::not_taken, "the connection to the MQTT broker broke each of the " +
                                       std::to_string(Outbox::max_attempts) + " times that this message of " +
                                       std::to_string(message.payload.size()) +
                                       " bytes was sent, so that it may be over the broker's limit (mosquitto's is "
                                       "max_packet_size)");
}

}  // namespace

Result<> Outbox::push(MqttMessage message, std::shared_ptr<Delivery> delivery) {
  const std::lock_guard lock{mutex_};
  if (closed_) return fail(*closed_);
  const std::size_t size = message.payload.size();
  const std::size_t count = waiting_.size() + on_their_way_.size();
  if (count >= max_messages_ || size > max_bytes_ - bytes_) {
    ++refusals_;
    return fail(NetError::queue_full, "expected at most " + std::to_string(max_messages_) + " messages and " +
                                          std::to_string(max_bytes_) + " bytes to wait for the broker, found " +
                                          std::to_string(count) + " and " + std::to_string(bytes_));
  }
  bytes_ += size;
  waiting_.push_back({.message = std::move(message), .delivery = std::move(delivery), .number = ++numbered_});
  return {};
}

unsigned Outbox::window() const {
  const auto suspicious = [](const Outgoing& outgoing) { return outgoing.attempts >= 2; };
  const bool found = std::ranges::any_of(waiting_, suspicious) ||
                     std::ranges::any_of(on_their_way_, [&](const auto& each) { return suspicious(each.second); });
  return found ? 1 : inflight_;
}

const Outgoing* Outbox::next() {
  const std::lock_guard lock{mutex_};
  if (waiting_.empty() || on_their_way_.size() >= window()) return nullptr;
  return &waiting_.front();
}

void Outbox::sent(int packet_id) {
  const std::lock_guard lock{mutex_};
  ++sent_messages_;
  sent_bytes_ += waiting_.front().message.payload.size();
  on_their_way_[packet_id] = std::move(waiting_.front());
  waiting_.pop_front();
}

Outbox::Calls::~Calls() {
  for (auto& [delivery, outcome] : due) delivery->done(std::move(outcome));
}

void Outbox::settle(const Outgoing& outgoing, Result<> outcome, Calls& calls) {
  bytes_ -= outgoing.message.payload.size();
  const auto& delivery = outgoing.delivery;
  if (delivery == nullptr) return;
  if (delivery->done) {
    calls.due.emplace_back(delivery, std::move(outcome));
    return;
  }
  delivery->outcome = std::move(outcome);
  delivery->decided.notify_all();
}

void Outbox::refused(Error why) {
  Calls calls;
  const std::lock_guard lock{mutex_};
  log::warn("mqtt.not_sent", why.message, {{"topic", printable(waiting_.front().message.topic, 256)}});
  settle(waiting_.front(), fail(std::move(why)), calls);
  waiting_.pop_front();
}

void Outbox::acknowledged(int packet_id, Result<> outcome) {
  Calls calls;
  const std::lock_guard lock{mutex_};
  const auto found = on_their_way_.find(packet_id);
  if (found == on_their_way_.end()) return;
  if (!outcome)
    log::warn("mqtt.not_accepted", outcome.error().message, {{"topic", printable(found->second.message.topic, 256)}});
  settle(found->second, std::move(outcome), calls);
  on_their_way_.erase(found);
}

void Outbox::connection_lost() {
  Calls calls;
  const std::lock_guard lock{mutex_};
  std::vector<Outgoing> back;
  for (auto& [id, outgoing] : on_their_way_) back.push_back(std::move(outgoing));
  on_their_way_.clear();
  std::ranges::sort(back, std::greater{}, &Outgoing::number);
  for (Outgoing& outgoing : back) {
    const bool given_up = ++outgoing.attempts >= max_attempts;
    if (given_up)
      log::error("mqtt.given_up", "the connection broke each time this message was sent",
                 {{"topic", printable(outgoing.message.topic, 256)},
                  {"bytes", std::to_string(outgoing.message.payload.size())}});
    if (given_up)
      settle(outgoing, not_taken(outgoing.message), calls);
    else if (outgoing.message.qos == 0)
      settle(outgoing, fail(NetError::unreachable, "the connection to the broker was lost before it had the message"),
             calls);
    else
      waiting_.push_front(std::move(outgoing));
  }
}

void Outbox::close(Error why) {
  Calls calls;
  const std::lock_guard lock{mutex_};
  if (closed_) return;
  for (const Outgoing& outgoing : waiting_) settle(outgoing, fail(why), calls);
  for (const auto& [id, outgoing] : on_their_way_) settle(outgoing, fail(why), calls);
  waiting_.clear();
  on_their_way_.clear();
  closed_ = std::move(why);
}

bool Outbox::empty() const {
  return size() == 0;
}

std::size_t Outbox::size() const {
  const std::lock_guard lock{mutex_};
  return waiting_.size() + on_their_way_.size();
}

std::size_t Outbox::bytes() const {
  const std::lock_guard lock{mutex_};
  return bytes_;
}

std::uint64_t Outbox::sent_messages() const {
  const std::lock_guard lock{mutex_};
  return sent_messages_;
}

std::uint64_t Outbox::sent_bytes() const {
  const std::lock_guard lock{mutex_};
  return sent_bytes_;
}

std::uint64_t Outbox::refusals() const {
  const std::lock_guard lock{mutex_};
  return refusals_;
}

std::optional<Result<>> Outbox::wait(Delivery& delivery, Duration timeout) {
  std::unique_lock lock{mutex_};
  delivery.decided.wait_for(lock, timeout, [&] { return delivery.outcome.has_value(); });
  return delivery.outcome;
}

}  // namespace coffer::net::detail
