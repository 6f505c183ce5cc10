// How often a vendor's service may be asked: a few questions at a time, and none while it wants to be left alone.
#pragma once

#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>

#include "base/clock.h"
#include "evidence/collateral.h"

namespace coffer::evidence {

class ServiceGate {
 public:
  ServiceGate(unsigned questions_at_once, const Clock& clock) : free_(questions_at_once), clock_(clock) {}

  // One question's place; gives it back when it ends.
  class Place {
   public:
    explicit Place(ServiceGate& gate) : gate_(&gate) {}
    Place(Place&& other) noexcept : gate_(std::exchange(other.gate_, nullptr)) {}
    Place& operator=(Place&&) = delete;
    ~Place() {
      if (gate_ != nullptr) gate_->leave();
    }

   private:
    ServiceGate* gate_;
  };

  // Waits for a place. rate_limited or unreachable, as the service last was, while it is to be left alone;
  // unreachable where no place came free in time.
  Result<Place> enter(Duration patience);

  void succeeded();
  // After the last attempt of a question. `asked`: what Retry-After said.
  void failed(CollateralError code, std::optional<Duration> asked);

 private:
  void leave();
  Result<> check_open() const;  // under the lock

  mutable std::mutex mutex_;
  std::condition_variable left_;
  unsigned free_;
  const Clock& clock_;
  TimePoint closed_until_{};
  CollateralError why_ = CollateralError::unreachable;
  unsigned failures_ = 0;  // in a row
};

}  // namespace coffer::evidence
