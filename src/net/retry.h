// The one retry policy. It does no I/O: told what an attempt gave, it says how long to wait, or to give up.
#pragma once

#include <functional>
#include <optional>

#include "base/clock.h"
#include "crypto/random.h"
#include "net/http_client.h"

namespace coffer::net {

struct RetryPolicy {
  unsigned attempts = 4;  // in all, the first included; 1: never again
  Duration first_delay = std::chrono::milliseconds{250};
  Duration max_delay = std::chrono::seconds{8};         // the delay doubles up to this
  Duration max_retry_after = std::chrono::seconds{30};  // a server that asks for a longer pause is given up at once
  // A request that may have been carried out already is repeated only where twice is the same as once: GET, HEAD, PUT,
  // DELETE. Otherwise only refused connections, unresolved names and the statuses 429 and 503 are tried again.
  bool idempotent = true;
};

// Whether the same request may fare better later.
bool is_retryable(const Error& error, bool idempotent = true);
bool is_retryable_status(int status, bool idempotent = true);  // 408, 425, 429, 500, 502, 503, 504
// RFC 9110 section 10.2.3: seconds or a date. Nothing where the header is absent or malformed.
std::optional<Duration> retry_after(const Headers& headers, TimePoint now);

// The state of one operation with its attempts.
class Retry {
 public:
  Retry(RetryPolicy policy, crypto::RandomSource& random, const Clock& clock);

  // After an attempt: the pause before the next one, or nothing where the result stands (a success included).
  // Half of each delay is fixed and half random, so that clients which failed together do not return together.
  std::optional<Duration> after(const Result<HttpResponse>& result);
  // The same for streams and other operations that failed without a response.
  std::optional<Duration> after(const Error& error);
  // Attempts that failed in a way worth another one.
  unsigned failures() const { return made_; }

 private:
  std::optional<Duration> pause(std::optional<Duration> asked);

  RetryPolicy policy_;
  crypto::RandomSource& random_;
  const Clock& clock_;
  unsigned made_ = 0;
};

using Sleep = std::function<void(Duration)>;
void sleep_for(Duration duration);  // the real one

// Runs `attempt` until it succeeds or `retry` gives up; the last result.
Result<HttpResponse> with_retries(Retry retry, const Sleep& sleep,
                                  const std::function<Result<HttpResponse>()>& attempt);

}  // namespace coffer::net
