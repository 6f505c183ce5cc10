#include "workload/hal/event_log.h"

#include <iterator>

#include "codec/json.h"

namespace coffer::workload::hal {
namespace {

std::unexpected<Error> unknown(std::uint64_t handle) {
  return fail(HalError::bad_handle, "no subscription has the handle " + std::to_string(handle));
}

}  // namespace

void EventLog::record(EventType type, std::string_view event, std::string_view name) {
  const std::lock_guard lock(mutex_);
  for (auto& [handle, subscription] : subscriptions_) {
    if (subscription.type != type) continue;
    codec::json::Object payload{{"event", event}};
    if (!name.empty()) payload.set("name", name);
    if (subscription.waiting.size() == max_events) subscription.waiting.pop_front();
    subscription.waiting.push_back({type, to_unix_seconds(clock_.now()), codec::json::serialize(payload)});
  }
}

Result<std::uint64_t> EventLog::subscribe(EventType type) {
  const std::lock_guard lock(mutex_);
  if (subscriptions_.size() == max_subscriptions) {
    return fail(HalError::limit, "this task has " + std::to_string(max_subscriptions) + " subscriptions already");
  }
  subscriptions_.emplace(next_, Subscription{type});
  return next_++;
}

Result<> EventLog::unsubscribe(std::uint64_t handle) {
  const std::lock_guard lock(mutex_);
  if (subscriptions_.erase(handle) == 0) return unknown(handle);
  return {};
}

Result<std::vector<EventLog::Event>> EventLog::poll(std::uint64_t handle) {
  const std::lock_guard lock(mutex_);
  const auto found = subscriptions_.find(handle);
  if (found == subscriptions_.end()) return unknown(handle);
  auto& waiting = found->second.waiting;
  std::vector<Event> out{std::make_move_iterator(waiting.begin()), std::make_move_iterator(waiting.end())};
  waiting.clear();
  return out;
}

}  // namespace coffer::workload::hal
