#include "fleet/worker/trust/group_key_keeper.h"

#include <algorithm>
#include <array>

#include "base/log.h"
#include "keyclient/error.h"

namespace coffer::fleet::worker {
namespace {

using keyclient::KeyClientError;
using std::chrono::steady_clock;

constexpr Duration longest_pause = std::chrono::seconds{60};
constexpr Duration renew_before = std::chrono::seconds{25};  // the client renews its token from 30 s on

// The broker has answered, and the answer is no: that is no outage to be waited for with the keys in hand.
bool is_refusal(const Error& error) {
  static constexpr std::array refusals{KeyClientError::tee_refused,     KeyClientError::evidence_rejected,
                                       KeyClientError::unauthorized,    KeyClientError::policy_denied,
                                       KeyClientError::no_trust_anchor, KeyClientError::not_found};
  return std::ranges::any_of(refusals, [&](KeyClientError code) { return error.code == ErrorCode{code}; });
}

}  // namespace

GroupKeyKeeper::GroupKeyKeeper(Duration refresh, Parts parts)
    : refresh_(refresh), parts_(std::move(parts)), pause_(parts_.first_pause), asked_pause_(parts_.least_pause) {}

void GroupKeyKeeper::start() {
  thread_ = std::jthread([this](const std::stop_token& stop) { keep(stop); });
}

void GroupKeyKeeper::stop() {
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
}

void GroupKeyKeeper::ask_soon() {
  {
    const std::lock_guard lock(mutex_);
    asked_ = true;
  }
  wake_.notify_one();
}

void GroupKeyKeeper::keep(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    const auto pause = look();
    const auto now = steady_clock::now();
    std::unique_lock lock(mutex_);
    if (!wake_.wait_until(lock, stop, now + pause, [this] { return asked_; })) {
      asked_pause_ = parts_.least_pause;
      continue;
    }
    wake_.wait_until(lock, stop, now + std::min(pause, asked_pause_), [] { return false; });
    asked_pause_ = std::min(asked_pause_ * 2, std::max(refresh_, parts_.least_pause));
    asked_ = false;
  }
}

Duration GroupKeyKeeper::look() {
  began_ = steady_clock::now();
  auto fetched = parts_.fetch();
  if (!fetched) return after(fetched.error());
  auto keys = sealed::GroupKeys::parse(fetched->document.expose());
  return keys ? after(*fetched, std::move(*keys)) : after(keys.error());
}

Duration GroupKeyKeeper::after(const Fetched& fetched, sealed::GroupKeys keys) {
  const bool had = std::exchange(has_keys_, true);
  if (!had) log::info("worker.group_key", "has the fleet's group key", {{"key_id", keys.all().front().id}});
  const auto& newest = keys.all().front().id;
  if (newest != newest_) asked_pause_ = parts_.least_pause;
  newest_ = newest;
  parts_.channel.set_keys(std::move(keys));
  expires_ = fetched.expires;
  pause_ = parts_.first_pause;
  tell("ok", had);
  const auto left = std::chrono::duration_cast<Duration>(expires_ - parts_.clock.now() - renew_before);
  return std::clamp(left, parts_.first_pause, std::max(refresh_, parts_.first_pause));
}

Duration GroupKeyKeeper::after(const Error& error) {
  const bool had = has_keys_;
  const auto now = parts_.clock.now();
  log::warn("worker.group_key_failed", error.message,
            {{"code", std::string{error.code.name()}}, {"again_in_ms", std::to_string(pause_.count())}});
  if (had && (is_refusal(error) || expires_ <= now)) {
    parts_.channel.set_keys(std::nullopt);
    has_keys_ = false;
    log::error("worker.group_key_forgotten",
               "the attestation that gave it has lapsed; this worker is silent until "
               "there is another",
               {{"code", std::string{error.code.name()}}});
  }
  tell(error.code.name(), had);
  const auto pause = std::exchange(pause_, std::min(pause_ * 2, longest_pause));
  // Not a moment longer than the attestation holds.
  return has_keys_ ? std::clamp(expires_ - now, parts_.first_pause, std::max(pause, parts_.first_pause)) : pause;
}

void GroupKeyKeeper::tell(std::string_view outcome, bool had) {
  if (parts_.attempted) {
    parts_.attempted({.outcome = outcome, .has_keys = has_keys_, .first = has_keys_ && !had, .began = began_});
  }
}

}  // namespace coffer::fleet::worker
