// Between the manager and its MQTT client: seals what goes out and opens what comes in, where there is a group key.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "fleet/manager/outbox.h"
#include "fleet/sealed/held_messages.h"
#include "fleet/sealed/key_file.h"
#include "fleet/sealed/refusals.h"
#include "fleet/sealed/sealed_channel.h"
#include "net/metrics.h"

namespace coffer::fleet::manager {

struct GroupKeyConfig {
  std::string file{};         // empty: payloads are plain
  bool accept_plain = false;  // beside sealed ones, and plain commands to workers that were heard plain alone
  Duration max_age = std::chrono::seconds{60};
};

// Safe to use from any thread.
class SealedWire {
 public:
  struct Incoming {
    std::string payload;
    std::optional<TimePoint> sent_at;  // of a sealed one
  };
  using Deliver = std::function<void(const std::string& topic, Incoming)>;

  // Reads the keys: SealedError::exposed_key_file, unreadable_key_file, bad_key_list. The metrics are there with and
  // without keys. `deliver`: for what had to wait for its key.
  static Result<std::unique_ptr<SealedWire>> create(const GroupKeyConfig& config, Topics topics, std::string own_id,
                                                    net::MetricsRegistry& metrics, Deliver deliver);

  // What goes over the wire in place of this command: one payload, or both forms where it is not known yet which of
  // them its worker takes. SealedError::no_key.
  Result<std::vector<std::string>> outgoing(Topic topic, std::string payload);
  // Nothing where it is refused, or waits for its key.
  std::optional<Incoming> incoming(const std::string& topic, std::string_view payload);
  // Once a second: takes the file's new keys, and gives what waited for them.
  void tick();

 private:
  SealedWire(const GroupKeyConfig& config, Topics topics, std::string own_id, Deliver deliver, net::Counter refused,
             net::Counter plain);
  bool is_on() const { return !config_.file.empty(); }
  Result<bool> read_keys();
  std::optional<Incoming> open(sealed::HeldMessage message);
  void note_plain(std::string_view payload);

  const GroupKeyConfig config_;
  const Topics topics_;
  const Deliver deliver_;
  net::Counter refused_, plain_;
  sealed::KeyFile file_;
  std::mutex reading_;
  sealed::SealedChannel channel_;
  sealed::Refusals refusals_;
  sealed::HeldMessages held_;
  std::mutex noting_;
  std::set<std::string> plain_members_;  // that were named in the log
};

// An outbox behind the wire.
class SealedOutbox final : public Outbox {
 public:
  explicit SealedOutbox(Outbox& inner) : inner_(inner) {}
  void set(SealedWire* wire) { wire_ = wire; }  // before the first use

  Result<> send(Topic topic, std::string payload) override;
  Result<> post(Topic topic, std::string payload, Done done) override;
  bool connected() const override { return inner_.connected(); }

 private:
  Outbox& inner_;
  SealedWire* wire_ = nullptr;
};

}  // namespace coffer::fleet::manager
