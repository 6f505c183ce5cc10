#include "evidence/collateral/service_gate.h"

#include <algorithm>

namespace coffer::evidence {

namespace {

using namespace std::chrono_literals;

constexpr Duration first_pause = 1s;
constexpr Duration longest_pause = 60s;
constexpr Duration usual_limit = 10s;   // 429 without Retry-After
constexpr Duration longest_limit = 1h;  // whatever Retry-After says
constexpr unsigned most_doublings = 6;

}  // namespace

Result<> ServiceGate::check_open() const {
  if (clock_.now() >= closed_until_) return {};
  return fail(why_, std::string{"the service "} +
                        (why_ == CollateralError::rate_limited ? "limits how often it is asked" : "failed lately") +
                        "; it is asked again from " + format_rfc3339(closed_until_));
}

Result<ServiceGate::Place> ServiceGate::enter(Duration patience) {
  std::unique_lock lock{mutex_};
  TRY(check_open());
  if (!left_.wait_for(lock, patience, [this] { return free_ > 0; })) {
    return fail(CollateralError::unreachable, "too many questions to the service wait for their answers");
  }
  // What came before may have closed it.
  TRY(check_open());
  --free_;
  return Place{*this};
}

void ServiceGate::leave() {
  {
    const std::scoped_lock lock{mutex_};
    ++free_;
  }
  left_.notify_one();
}

void ServiceGate::succeeded() {
  const std::scoped_lock lock{mutex_};
  failures_ = 0;
}

void ServiceGate::failed(CollateralError code, std::optional<Duration> asked) {
  const std::scoped_lock lock{mutex_};
  const auto doublings = std::min(failures_++, most_doublings);
  const auto pause = std::min(first_pause * (1U << doublings), longest_pause);
  const auto limited = std::min(asked.value_or(usual_limit), longest_limit);
  const auto until = clock_.now() + (code == CollateralError::rate_limited ? limited : pause);
  closed_until_ = std::max(closed_until_, until);
  why_ = code;
}

}  // namespace coffer::evidence
