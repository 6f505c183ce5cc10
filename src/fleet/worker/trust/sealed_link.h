// Between a worker and its MQTT client where payloads are sealed: nothing plain goes out, nothing plain comes in, and
// without a group key nothing at all.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "fleet/sealed/held_messages.h"
#include "fleet/sealed/refusals.h"
#include "fleet/worker/trust/group_key_keeper.h"

namespace coffer::fleet::worker {

class SealedLink {
 public:
  struct Parts {
    std::string own_id;
    Duration refresh, max_age;
    std::function<Result<GroupKeyKeeper::Fetched>()> fetch;
    // Called with what was held back until its key was there.
    std::function<void(std::string_view topic, std::string_view payload)> deliver;
    std::function<void(const GroupKeyKeeper::Attempt&)> attempted{};
    std::function<void(std::string_view code)> refused{};
    Duration least_pause = std::chrono::seconds{5};
  };
  explicit SealedLink(Parts parts);
  ~SealedLink() { stop(); }

  void start() { keeper_.start(); }
  void stop() { keeper_.stop(); }

  // Whether there is a key: without one this worker says nothing of itself.
  bool ready() const { return channel_.ready(); }
  // SealedError::no_key.
  Result<std::string> seal(std::string_view topic, std::string_view payload) { return channel_.seal(topic, payload); }
  // What is inside. Nothing where it is refused, or held for a key that may be about to come.
  std::optional<std::string> open(std::string_view topic, std::string_view payload);

 private:
  std::optional<std::string> open_or_hold(sealed::HeldMessage message, bool may_hold);
  void asked(const GroupKeyKeeper::Attempt& attempt);

  Parts parts_;
  sealed::SealedChannel channel_;
  sealed::Refusals refusals_;
  sealed::HeldMessages held_;
  GroupKeyKeeper keeper_;  // last: its thread uses all the rest
};

}  // namespace coffer::fleet::worker
