#include "fleet/worker/trust/sealed_metrics.h"

namespace coffer::fleet::worker {

Result<SealedMetrics> SealedMetrics::create(net::MetricsRegistry& registry) {
  auto refused =
      TRY(registry.counter({"coffer_worker_payloads_refused_total", "Payloads that were dropped", {"code"}}));
  auto fetches =
      TRY(registry.counter({"coffer_worker_group_key_fetches_total", "Group keys asked for, by outcome", {"outcome"}}));
  auto has_key = TRY(registry.gauge({"coffer_worker_can_speak", "1: has the group key, or needs none; 0: is silent"}));
  for (const auto code : sealed::payload_errors) refused.increment({code_name(code)}, 0);
  has_key.set(1);
  return SealedMetrics{refused, fetches, has_key};
}

}  // namespace coffer::fleet::worker
