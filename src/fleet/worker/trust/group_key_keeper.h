// Has the fleet's group keys from the key broker, which gives them for attestation alone, and gives them up when that
// lapses: when the broker refuses, or has not renewed this worker's attestation by the end of the last one.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

#include "fleet/sealed/sealed_channel.h"

namespace coffer::fleet::worker {

class GroupKeyKeeper {
 public:
  struct Fetched {
    SecretBytes document;
    TimePoint expires;  // of the attestation that it was given for
  };
  struct Attempt {
    std::string_view outcome;                       // "ok", or the error's code
    bool has_keys;                                  // there are some now, these or earlier ones
    bool first;                                     // and there were none before
    std::chrono::steady_clock::time_point began{};  // what is newer than this the answer knows nothing of
  };
  struct Parts {
    std::function<Result<Fetched>()> fetch;
    sealed::SealedChannel& channel;  // outlives the object
    std::function<void(const Attempt&)> attempted{};
    const Clock& clock = system_clock();
    Duration first_pause = std::chrono::seconds{1};  // after a failure; doubles up to a minute
    // Before a look that was asked for; doubles while such bring nothing new, for whoever can send here can ask.
    Duration least_pause = std::chrono::seconds{5};
  };
  // `refresh`: how often the broker is asked whether there are others.
  GroupKeyKeeper(Duration refresh, Parts parts);
  ~GroupKeyKeeper() { stop(); }

  void start();
  void stop();  // twice is once
  // Somebody uses a key that is not among ours.
  void ask_soon();

 private:
  void keep(const std::stop_token& stop);
  // How long until the next look.
  Duration look();
  Duration after(const Fetched& fetched, sealed::GroupKeys keys);
  Duration after(const Error& error);
  void tell(std::string_view outcome, bool had);

  const Duration refresh_;
  const Parts parts_;
  std::chrono::steady_clock::time_point began_{};  // the last look
  Duration pause_, asked_pause_;
  std::string newest_;  // key's id
  bool has_keys_ = false;
  TimePoint expires_{};
  std::mutex mutex_;
  std::condition_variable_any wake_;
  bool asked_ = false;
  std::jthread thread_;
};

}  // namespace coffer::fleet::worker
