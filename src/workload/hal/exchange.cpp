#include "workload/hal/exchange.h"

namespace coffer::workload::hal {

std::shared_ptr<Exchange::Inbox> Exchange::join(const Member& member) {
  const std::lock_guard lock(mutex_);
  std::erase_if(members_, [](const auto& entry) { return entry.second.expired(); });
  auto& place = members_[member];
  auto inbox = place.lock();
  if (!inbox) place = inbox = std::make_shared<Inbox>();
  return inbox;
}

Result<std::uint64_t> Exchange::send(const Member& from, Message message) {
  const std::lock_guard lock(mutex_);
  const auto found = members_.find({message.recipient, from.encrypted});
  const auto inbox = found == members_.end() ? nullptr : found->second.lock();
  if (!inbox) return fail(HalError::not_found, "no task of that id takes messages here");
  const std::lock_guard inbox_lock(inbox->mutex_);
  if (inbox->messages_.size() == max_messages || message.payload.size() > max_waiting - inbox->bytes_) {
    return fail(HalError::limit, "the recipient's inbox is full: " + std::to_string(inbox->messages_.size()) +
                                     " messages of " + std::to_string(inbox->bytes_) + " bytes wait");
  }
  inbox->bytes_ += message.payload.size();
  inbox->messages_.push_back(std::move(message));
  return next_++;
}

std::optional<Message> Exchange::receive(Inbox& inbox) {
  const std::lock_guard lock(inbox.mutex_);
  if (inbox.messages_.empty()) return std::nullopt;
  auto out = std::move(inbox.messages_.front());
  inbox.messages_.pop_front();
  inbox.bytes_ -= out.payload.size();
  return out;
}

std::vector<std::string> Exchange::others(const Member& asking) const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> out;
  for (const auto& [member, inbox] : members_) {
    if (member.encrypted == asking.encrypted && member.id != asking.id && !inbox.expired()) out.push_back(member.id);
  }
  return out;
}

}  // namespace coffer::workload::hal
