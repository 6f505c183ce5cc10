// Messages between the tasks of one worker. They stay in its memory.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "workload/hal/error.h"

namespace coffer::workload::hal {

struct Message {
  std::string sender{}, recipient{};
  Bytes payload{};
  bool encrypted = false;  // as the sender asked; nothing leaves the process either way
};

class Exchange {
 public:
  // Who takes part: encrypted and plain tasks know nothing of each other.
  struct Member {
    std::string id;
    bool encrypted = false;
    friend auto operator<=>(const Member&, const Member&) = default;
  };
  static constexpr std::size_t max_messages = 64;                   // that wait for one recipient
  static constexpr std::size_t max_waiting = std::size_t{1} << 20;  // bytes of these together

  // What came for one member. Kept by whoever joined; invocations of one task share it.
  class Inbox;
  std::shared_ptr<Inbox> join(const Member& member);

  // A number for the message. not_found where nobody of that name takes part; limit where its inbox is full.
  Result<std::uint64_t> send(const Member& from, Message message);
  // The oldest message, taken out; nothing where none waits.
  static std::optional<Message> receive(Inbox& inbox);
  // The others that `asking` can send to, in the order of their names.
  std::vector<std::string> others(const Member& asking) const;

 private:
  mutable std::mutex mutex_;
  std::map<Member, std::weak_ptr<Inbox>> members_;
  std::uint64_t next_ = 1;
};

class Exchange::Inbox {
 private:
  friend class Exchange;
  std::mutex mutex_;
  std::deque<Message> messages_;
  std::size_t bytes_ = 0;
};

}  // namespace coffer::workload::hal
