#include "workload/hal/waiting.h"

#include <poll.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace coffer::workload::hal {
namespace {

using std::chrono::steady_clock;

constexpr auto longest_sleep = std::chrono::hours{24 * 365};  // far under what a time point can hold

// Rounded up: a wait is not shorter than asked for.
timespec time_left(Waiting::Instant until) {
  const auto left = std::max(until - steady_clock::now(), steady_clock::duration::zero());
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(left);
  const auto rest = std::chrono::duration_cast<std::chrono::nanoseconds>(left - seconds);
  return {.tv_sec = static_cast<time_t>(seconds.count()), .tv_nsec = static_cast<long>(rest.count())};
}

}  // namespace

Waiting::Waiting(const std::stop_token& stop, std::optional<Instant> deadline, std::optional<Duration> longest)
    : wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      deadline_(deadline),
      longest_(longest),
      callback_(stop, [this] { ::eventfd_write(wake_.get(), 1); }) {}

Result<bool> Waiting::poll_until(int descriptor, short events, Instant until) const {
  auto end = deadline_ ? std::min(until, *deadline_) : until;
  if (longest_) end = std::min(end, steady_clock::now() + *longest_);
  for (;;) {
    // poll(2) leaves out what is negative: a sleep, or a wake-up that could not be had.
    std::array<pollfd, 2> both = {{{wake_.get(), POLLIN, 0}, {descriptor, events, 0}}};
    const auto left = time_left(end);
    const int count = ::ppoll(both.data(), both.size(), &left, nullptr);
    if (count < 0 && errno != EINTR) return fail(HalError::io, std::string{"could not wait: "} + std::strerror(errno));
    if (both[0].revents != 0) return fail(HalError::stopped, "the task is being stopped");
    if (count > 0 && both[1].revents != 0) return true;
    if (steady_clock::now() < end) continue;
    if (end < until) return fail(HalError::stopped, "the task's time is up");
    return false;
  }
}

Result<> Waiting::sleep(std::chrono::nanoseconds duration) const {
  const auto bounded = std::min<std::chrono::nanoseconds>(duration, longest_sleep);
  TRY(poll_until(-1, 0, steady_clock::now() + bounded));
  return {};
}

Result<bool> Waiting::ready(int descriptor, short events, Duration most) const {
  return poll_until(descriptor, events, steady_clock::now() + most);
}

}  // namespace coffer::workload::hal
