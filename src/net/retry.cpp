#include "net/retry.h"

#include <algorithm>
#include <charconv>
#include <thread>

namespace coffer::net {
namespace {

// Uniform in [0, limit].
Duration random_below(crypto::RandomSource& random, Duration limit) {
  std::uint32_t bits = 0;
  random.fill(std::as_writable_bytes(std::span{&bits, 1}));
  const auto range = static_cast<std::uint64_t>(std::clamp<std::int64_t>(limit.count(), 0, 0xffffffff)) + 1;
  return Duration{static_cast<std::int64_t>((bits * range) >> 32U)};
}

std::optional<Duration> parse_seconds(std::string_view text) {
  std::uint32_t seconds = 0;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (text.empty() || end != text.data() + text.size()) return std::nullopt;
  // More digits than fit are still a number: a very long time.
  if (ec == std::errc::result_out_of_range) return std::chrono::hours{24 * 365};
  return ec == std::errc{} ? std::optional<Duration>{std::chrono::seconds{seconds}} : std::nullopt;
}

}  // namespace

bool is_retryable(const Error& error, bool idempotent) {
  if (error.code == NetError::unresolved || error.code == NetError::refused) return true;
  return idempotent && (error.code == NetError::unreachable || error.code == NetError::timeout);
}

bool is_retryable_status(int status, bool idempotent) {
  switch (status) {
    case 429:
    case 503: return true;
    case 408:
    case 425:
    case 500:
    case 502:
    case 504: return idempotent;
    default: return false;
  }
}

std::optional<Duration> retry_after(const Headers& headers, TimePoint now) {
  const auto value = headers.get("Retry-After");
  if (!value) return std::nullopt;
  if (const auto seconds = parse_seconds(*value)) return seconds;
  const auto date = parse_http_date(*value);
  if (!date) return std::nullopt;
  return std::max(*date - now, Duration{0});
}

Retry::Retry(RetryPolicy policy, crypto::RandomSource& random, const Clock& clock)
    : policy_(policy), random_(random), clock_(clock) {}

std::optional<Duration> Retry::after(const Result<HttpResponse>& result) {
  if (!result) return after(result.error());
  if (!is_retryable_status(result->status, policy_.idempotent)) return std::nullopt;
  return pause(retry_after(result->headers, clock_.now()));
}

std::optional<Duration> Retry::after(const Error& error) {
  if (!is_retryable(error, policy_.idempotent)) return std::nullopt;
  return pause(std::nullopt);
}

std::optional<Duration> Retry::pause(std::optional<Duration> asked) {
  if (++made_ >= policy_.attempts) return std::nullopt;
  if (asked && *asked > policy_.max_retry_after) return std::nullopt;
  Duration delay = policy_.first_delay;
  for (unsigned i = 1; i < made_ && delay < policy_.max_delay; ++i) delay *= 2;
  delay = std::min(delay, policy_.max_delay);
  const auto own = delay / 2 + random_below(random_, delay - delay / 2);
  return std::max(own, asked.value_or(Duration{0}));
}

void sleep_for(Duration duration) {
  std::this_thread::sleep_for(duration);
}

Result<HttpResponse> with_retries(Retry retry, const Sleep& sleep,
                                  const std::function<Result<HttpResponse>()>& attempt) {
  for (;;) {
    auto result = attempt();
    const auto delay = retry.after(result);
    if (!delay) return result;
    sleep(*delay);
  }
}

}  // namespace coffer::net
