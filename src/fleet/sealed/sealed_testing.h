// Group keys and channels of tests.
#pragma once

#include <gtest/gtest.h>

#include "fleet/sealed/sealed_channel.h"

namespace coffer::fleet::sealed::testing {

inline constexpr std::string_view topic = "m/t/c/ch/control/manager/start";

// Counts up: what is made of it is the same in every run.
class CountingRandom final : public crypto::RandomSource {
 public:
  void fill(MutableByteView out) override {
    for (auto& byte : out) byte = std::byte{next_++};
  }

 private:
  std::uint8_t next_ = 0;
};

inline GroupKeys keys_of(std::string_view text) {
  auto keys = GroupKeys::parse(as_bytes(text));
  EXPECT_TRUE(keys) << to_string(keys.error());
  return std::move(*keys);
}

// Key "one": 32 zeros; "two": 32 times 1.
inline constexpr std::string_view key_one = R"({"id":"one","secret":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"})";
inline constexpr std::string_view key_two = R"({"id":"two","secret":"AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE"})";
inline GroupKeys keys_with(std::initializer_list<std::string_view> keys) {
  std::string list;
  for (const auto key : keys) list += (list.empty() ? "" : ",") + std::string{key};
  return keys_of("{\"keys\":[" + list + "]}");
}

// Two members of one group, at one time.
struct Pair {
  explicit Pair(ChannelOptions options = {.own_id = "receiver"}) : receiver(std::move(options), clock) {
    sender.set_keys(keys_with({key_one}));
    receiver.set_keys(keys_with({key_one}));
  }
  std::string seal(std::string_view payload = "hello") { return sender.seal(topic, payload).value(); }
  // The code, or "ok".
  std::string_view outcome(std::string_view payload, std::string_view on = topic) {
    const auto opened = receiver.open(on, payload);
    return opened ? "ok" : opened.error().code.name();
  }

  FixedClock clock{parse_rfc3339("2026-01-01T00:00:00Z").value()};
  SealedChannel sender{{.own_id = "sender"}, clock};
  SealedChannel receiver;
};

}  // namespace coffer::fleet::sealed::testing
