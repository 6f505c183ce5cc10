// Messages between the MQTT client's thread, which must not wait, and those that work on them.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "fleet/topics.h"

namespace coffer::fleet::manager {

class Inbox {
 public:
  // An error: not now. The message stays where it is, and is given again after a pause that grows.
  // `sent_at`: as it was pushed.
  using Take = std::function<Result<>(Topic, std::string_view, std::optional<TimePoint> sent_at)>;
  // One thread keeps the order of what came; several do not.
  Inbox(unsigned threads, std::size_t max_messages, std::size_t max_bytes, Take take,
        Duration first_pause = std::chrono::milliseconds{100});
  ~Inbox();  // what waits is dropped, and its receipts let go

  // False where it is full: the message is dropped. `receipt` is let go when the message was taken.
  // `sent_at`: when its sender says it was sent, where that is proven.
  bool push(Topic topic, std::string payload, std::shared_ptr<const void> receipt = {},
            std::optional<TimePoint> sent_at = {});
  // What was not taken stays, with its receipts, until the end of this object.
  void stop();

 private:
  struct Item {
    Topic topic;
    std::string payload;
    std::shared_ptr<const void> receipt;
    std::optional<TimePoint> sent_at;
  };
  void run();
  bool take(const Item& item);

  const std::size_t max_messages_, max_bytes_;
  const Take take_;
  const Duration first_pause_;
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::deque<Item> items_;
  std::size_t bytes_ = 0;
  bool stopping_ = false;
  std::vector<std::jthread> threads_;  // last: they use all of the above
};

}  // namespace coffer::fleet::manager
