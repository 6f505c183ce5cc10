// What Prometheus sees of sealed payloads, whether there are any or not.
#pragma once

#include "fleet/worker/trust/group_key_keeper.h"
#include "net/metrics.h"

namespace coffer::fleet::worker {

class SealedMetrics {
 public:
  // Every code that a payload may be refused for is there from the start, at zero.
  static Result<SealedMetrics> create(net::MetricsRegistry& registry);
  void refused(std::string_view code) { refused_.increment({code}); }
  void has_key(bool has) { has_key_.set(has ? 1 : 0); }
  void attempted(const GroupKeyKeeper::Attempt& attempt) {
    fetches_.increment({attempt.outcome});
    has_key(attempt.has_keys);
  }

 private:
  SealedMetrics(net::Counter refused, net::Counter fetches, net::Gauge has_key)
      : refused_(refused), fetches_(fetches), has_key_(has_key) {}
  net::Counter refused_, fetches_;
  net::Gauge has_key_;
};

}  // namespace coffer::fleet::worker
