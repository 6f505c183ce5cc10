#include "fleet/worker/trust/sealed_link.h"

namespace coffer::fleet::worker {
namespace {

using std::chrono::steady_clock;

constexpr Duration longest_hold = std::chrono::seconds{30};

}  // namespace

SealedLink::SealedLink(Parts parts)
    : parts_(std::move(parts)),
      channel_({.own_id = parts_.own_id, .max_age = parts_.max_age}),
      refusals_("worker.payload_refused",
                [this](std::string_view code) {
                  if (parts_.refused) parts_.refused(code);
                }),
      keeper_(parts_.refresh, {.fetch = parts_.fetch,
                               .channel = channel_,
                               .attempted = [this](const GroupKeyKeeper::Attempt& attempt) { asked(attempt); },
                               .least_pause = parts_.least_pause}) {}

std::optional<std::string> SealedLink::open(std::string_view topic, std::string_view payload) {
  return open_or_hold({std::string{topic}, std::string{payload}}, true);
}

std::optional<std::string> SealedLink::open_or_hold(sealed::HeldMessage message, bool may_hold) {
  auto opened = channel_.open(message.topic, message.payload);
  if (opened) return std::move(opened->payload);
  const bool hold = may_hold && opened.error().code == sealed::SealedError::unknown_key;
  const auto topic = message.topic;
  if (hold && held_.hold(std::move(message))) {
    keeper_.ask_soon();
  } else {
    refusals_.note(opened.error(), topic);
  }
  return std::nullopt;
}

// What came before the broker was asked, and is sealed with a key outside of its answer, is nobody's. Where it did not
// answer, or something came meanwhile, it is asked again.
void SealedLink::asked(const GroupKeyKeeper::Attempt& attempt) {
  if (parts_.attempted) parts_.attempted(attempt);
  for (auto& message : held_.take()) {
    const auto topic = message.topic;
    const bool answered = attempt.outcome == "ok" && message.since <= attempt.began;
    const bool again = !answered && steady_clock::now() - message.since < longest_hold;
    if (const auto payload = open_or_hold(std::move(message), again)) parts_.deliver(topic, *payload);
  }
}

}  // namespace coffer::fleet::worker
