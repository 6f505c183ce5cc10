// The worker's metrics by Prometheus, under upstream's names, and its own about attestation.
#pragma once

#include <memory>

#include "fleet/worker/machine_facts.h"
#include "fleet/worker/runtimes/tee_runtime.h"
#include "fleet/worker/trust/attestation_keeper.h"
#include "net/metrics.h"

namespace coffer::fleet::worker {

class WorkerMetrics {
 public:
  static Result<std::unique_ptr<WorkerMetrics>> create();

  void task_started() { started_.increment(); }
  // `outcome`: empty for success, otherwise the error's code.
  void task_ended(std::string_view outcome);
  void tasks_running(std::size_t count) { running_.set(static_cast<double>(count)); }
  void reconnected() { reconnects_.increment(); }
  void fetched(std::size_t bytes) { fetched_.increment({}, static_cast<double>(bytes)); }
  void attested(const AttestationKeeper::Attempt& attempt);
  void opened(const TeeTimings& timings);
  void modules_kept(const ModuleCache::Usage& usage) { kept_bytes_.set(static_cast<double>(usage.bytes)); }
  void process(const ProcessFacts& process, const MachineFacts& machine, double cpu_percent);

  std::string exposition() const { return registry_->exposition(); }
  net::MetricsRegistry& registry() { return *registry_; }

 private:
  struct Handles;
  explicit WorkerMetrics(std::unique_ptr<net::MetricsRegistry> registry, const Handles& handles);

  std::unique_ptr<net::MetricsRegistry> registry_;
  net::Counter started_, completed_, failed_, reconnects_, fetched_, attestations_, opened_, opened_bytes_, refused_,
      key_fetches_, kept_;
  net::Gauge running_, token_expires_, cpu_ratio_, cpu_user_, cpu_system_, rss_, container_usage_, container_limit_,
      kept_bytes_;
  net::Histogram attestation_seconds_, open_seconds_, key_seconds_;
};

}  // namespace coffer::fleet::worker
