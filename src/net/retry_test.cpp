#include "net/retry.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace coffer::net {
namespace {

using namespace std::chrono_literals;

// Every byte the same: 0x00 gives the shortest pauses, 0xff the longest.
class ConstantRandom final : public crypto::RandomSource {
 public:
  explicit ConstantRandom(int byte) : byte_(static_cast<std::byte>(byte)) {}
  void fill(MutableByteView out) override { std::ranges::fill(out, byte_); }

 private:
  std::byte byte_;
};

struct Fixture {
  ConstantRandom random{0xff};
  FixedClock clock{from_unix_seconds(1767323045)};  // Fri, 02 Jan 2026 03:04:05 GMT
  RetryPolicy policy{.attempts = 4, .first_delay = 100ms, .max_delay = 300ms, .max_retry_after = 30s};
  Retry retry() { return {policy, random, clock}; }
};

Error error_of(NetError code) {
  return {code, "x"};
}

Result<HttpResponse> status(int code, Headers headers = {}) {
  return HttpResponse{.status = code, .headers = std::move(headers)};
}

TEST(Retry, doubles_its_pauses_up_to_the_limit_and_then_gives_up) {
  Fixture f;
  auto retry = f.retry();
  EXPECT_EQ(retry.after(error_of(NetError::refused)), 100ms);
  EXPECT_EQ(retry.after(error_of(NetError::timeout)), 200ms);
  EXPECT_EQ(retry.after(status(503)), 300ms);
  EXPECT_EQ(retry.after(error_of(NetError::refused)), std::nullopt);
  EXPECT_EQ(retry.failures(), 4U);
}

TEST(Retry, half_of_a_pause_is_random) {
  Fixture f;
  f.random = ConstantRandom{0};
  auto retry = f.retry();
  EXPECT_EQ(retry.after(error_of(NetError::refused)), 50ms);
  EXPECT_EQ(retry.after(error_of(NetError::refused)), 100ms);
}

TEST(Retry, one_attempt_is_never_repeated) {
  Fixture f;
  f.policy.attempts = 1;
  EXPECT_EQ(f.retry().after(error_of(NetError::refused)), std::nullopt);
}

TEST(Retry, only_what_may_pass_by_itself_is_retryable) {
  for (const auto code : {NetError::unresolved, NetError::refused, NetError::unreachable, NetError::timeout}) {
    EXPECT_TRUE(is_retryable(error_of(code))) << code_name(code);
  }
  for (const auto code : {NetError::bad_url, NetError::tls, NetError::too_large, NetError::protocol, NetError::redirect,
                          NetError::cancelled, NetError::bad_message, NetError::bad_configuration}) {
    EXPECT_FALSE(is_retryable(error_of(code))) << code_name(code);
  }
  for (const int code : {408, 425, 429, 500, 502, 503, 504}) EXPECT_TRUE(is_retryable_status(code)) << code;
  for (const int code : {200, 204, 301, 400, 401, 403, 404, 409, 413, 501, 505})
    EXPECT_FALSE(is_retryable_status(code)) << code;
}

TEST(Retry, what_may_have_been_carried_out_is_not_repeated_unless_idempotent) {
  EXPECT_FALSE(is_retryable(error_of(NetError::unreachable), false));
  EXPECT_FALSE(is_retryable(error_of(NetError::timeout), false));
  EXPECT_TRUE(is_retryable(error_of(NetError::refused), false));
  EXPECT_TRUE(is_retryable_status(429, false));
  EXPECT_TRUE(is_retryable_status(503, false));
  EXPECT_FALSE(is_retryable_status(500, false));
  EXPECT_FALSE(is_retryable_status(504, false));
}

TEST(Retry, honours_retry_after_in_seconds_and_as_a_date) {
  Fixture f;
  EXPECT_EQ(f.retry().after(status(429, {{"Retry-After", "3"}})), 3s);
  EXPECT_EQ(f.retry().after(status(503, {{"retry-after", "Fri, 02 Jan 2026 03:04:12 GMT"}})), 7s);
  // Its own pause is longer than what the server asks for.
  EXPECT_EQ(f.retry().after(status(503, {{"Retry-After", "0"}})), 100ms);
  EXPECT_EQ(f.retry().after(status(503, {{"Retry-After", "Fri, 02 Jan 2026 03:04:00 GMT"}})), 100ms);
}

TEST(Retry, passes_over_a_malformed_retry_after) {
  Fixture f;
  for (const auto* value : {"", "soon", "-3", "3s", "1.5", "Fri, 02 Jan 2026", "2026-01-02T03:04:05Z"}) {
    EXPECT_EQ(retry_after(Headers{{"Retry-After", value}}, f.clock.now()), std::nullopt) << value;
    EXPECT_EQ(f.retry().after(status(503, {{"Retry-After", value}})), 100ms) << value;
  }
}

TEST(Retry, gives_up_where_the_server_asks_for_too_long_a_pause) {
  Fixture f;
  EXPECT_EQ(f.retry().after(status(429, {{"Retry-After", "30"}})), 30s);
  EXPECT_EQ(f.retry().after(status(429, {{"Retry-After", "31"}})), std::nullopt);
  EXPECT_EQ(f.retry().after(status(429, {{"Retry-After", "99999999999999999999"}})), std::nullopt);
}

TEST(Retry, runs_an_operation_until_it_succeeds) {
  Fixture f;
  std::vector<Duration> pauses;
  unsigned calls = 0;
  const auto result = with_retries(
      f.retry(), [&](Duration pause) { pauses.push_back(pause); },
      [&]() -> Result<HttpResponse> {
        if (++calls == 1) return fail(NetError::unreachable, "x");
        return HttpResponse{.status = calls == 2 ? 500 : 404};
      });
  EXPECT_EQ(result.value_or(HttpResponse{}).status, 404);
  EXPECT_EQ(calls, 3U);
  EXPECT_EQ(pauses, (std::vector<Duration>{100ms, 200ms}));
}

TEST(Retry, hands_back_the_last_result_when_it_gives_up) {
  Fixture f;
  unsigned calls = 0;
  const auto result = with_retries(
      f.retry(), [](Duration) {},
      [&]() -> Result<HttpResponse> {
        ++calls;
        return HttpResponse{.status = 502};
      });
  EXPECT_EQ(result.value_or(HttpResponse{}).status, 502);
  EXPECT_EQ(calls, 4U);
}

}  // namespace
}  // namespace coffer::net
