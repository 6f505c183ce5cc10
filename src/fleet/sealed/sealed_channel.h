// Seals what one process says on a channel, and opens what it hears there. Who says it is a member of the group: which
// one is no more than the envelope's word.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "fleet/sealed/envelope.h"
#include "fleet/sealed/group_keys.h"
#include "fleet/sealed/replay_window.h"

namespace coffer::fleet::sealed {

struct ChannelOptions {
  std::string own_id;
  // How far a payload's time may be from ours, in either direction.
  Duration max_age = std::chrono::seconds{60};
  // Nothing counts that was sent longer than this before the channel was made: its replay could not be known.
  Duration grace = std::chrono::seconds{30};
  // Topics whose payloads may be of any age, because the MQTT broker keeps them for a receiver that is away; the
  // receiver then looks at Opened::sent_at.
  std::function<bool(std::string_view topic)> lasting{};
  std::uint64_t messages_an_epoch = std::uint64_t{1} << 32;
  std::size_t max_streams = std::size_t{1} << 18;  // that are heard, of all senders
};

// Safe to use from any thread.
class SealedChannel {
 public:
  explicit SealedChannel(ChannelOptions options, const Clock& clock = system_clock(),
                         crypto::RandomSource& random = crypto::system_random());

  // Nothing: forgets the keys, and all that was made of them. What was heard is kept: it guards against replays.
  void set_keys(std::optional<GroupKeys> keys);
  // Whether there is a key to seal with.
  bool ready() const;
  bool has_key(std::string_view id) const;

  // SealedError::no_key.
  Result<std::string> seal(std::string_view topic, std::string_view payload);

  struct Opened {
    std::string payload, sender;
    TimePoint sent_at;
  };
  // Each payload once. SealedError::not_sealed, bad_envelope, unsupported_version, wrong_topic, no_key, unknown_key,
  // bad_tag, stale, from_the_future, replayed: in this order.
  Result<Opened> open(std::string_view topic, std::string_view payload);

  // Whether something of this sender was opened since the start.
  bool has_heard(const std::string& sender) const;

 private:
  struct Sending {
    Envelope next;  // without ciphertext
    SecretBytes key;
    std::uint64_t messages = 0;
  };
  struct Heard {
    ReplayWindow window;
    TimePoint last;
  };
  Result<Sending*> stream_for(std::string_view topic, TimePoint now);
  Result<std::string> unseal(const Envelope& envelope) const;
  Result<> check_time(const Envelope& envelope, TimePoint now) const;
  Result<> check_first(const Envelope& envelope, TimePoint now);
  void make_room(TimePoint now);

  const ChannelOptions options_;
  const Clock& clock_;
  crypto::RandomSource& random_;
  const TimePoint since_;
  mutable std::mutex mutex_;
  std::optional<GroupKeys> keys_;
  std::map<std::string, Sending, std::less<>> sending_;  // by topic
  std::unordered_map<std::string, Heard> heard_;         // by stream
  std::unordered_set<std::string> senders_;
};

}  // namespace coffer::fleet::sealed
