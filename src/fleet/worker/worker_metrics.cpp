#include "fleet/worker/worker_metrics.h"

namespace coffer::fleet::worker {
namespace {

double seconds(Duration duration) {
  return std::chrono::duration<double>(duration).count();
}

}  // namespace

struct WorkerMetrics::Handles {
  net::Counter started, completed, failed, reconnects, fetched, attestations, opened, opened_bytes, refused,
      key_fetches, kept;
  net::Gauge running, token_expires, cpu_ratio, cpu_user, cpu_system, rss, container_usage, container_limit, kept_bytes;
  net::Histogram attestation_seconds, open_seconds, key_seconds;
};

Result<std::unique_ptr<WorkerMetrics>> WorkerMetrics::create() {
  auto registry = std::make_unique<net::MetricsRegistry>();
  auto& r = *registry;
  const Handles handles {
    TRY(r.counter({"proplet_tasks_started_total", "Tasks begun"}))
    , TRY(r.counter({"proplet_tasks_completed_total", "Tasks that ended well"}))
    , TRY(r.counter({"proplet_tasks_failed_total", "Tasks that ended with an error"}))
    , TRY(r.counter({"proplet_mqtt_reconnects_total", "Connections after the first"}))
    , TRY(r.counter({"proplet_wasm_fetch_bytes_total", "Bytes of modules that came over the network"}))
    , TRY(r.counter({"coffer_worker_attestations_total", "Tries to get a token, by outcome", {"outcome"}}))
    , TRY(r.counter({"coffer_worker_encrypted_starts_total", "Encrypted modules asked for, by outcome", {"outcome"}}))
    , TRY(r.counter({"coffer_worker_decrypted_bytes_total", "Bytes of modules that were decrypted"}))
    , TRY(r.counter({"coffer_worker_errors_total", "Tasks that failed, by the error's code", {"code"}}))
    , TRY(r.counter({"coffer_worker_key_fetches_total", "Keys of modules asked for, by outcome", {"outcome"}}))
    , TRY(r.counter({"coffer_worker_module_cache_total", "Starts that looked for an opened module", {"outcome"}}))
    , TRY(r.gauge({"proplet_tasks_running", "Tasks now"}))
    , TRY(r.gauge({"coffer_worker_token_expires_timestamp_seconds", "When the last token ends; 0 before the first"}))
    , TRY(r.gauge({"proplet_cpu_usage_ratio", "Processors used, 1 is one of them"}))
    , TRY(r.gauge({"proplet_cpu_user_seconds", "Since the start"}))
    , TRY(r.gauge({"proplet_cpu_system_seconds", "Since the start"}))
    , TRY(r.gauge({"proplet_memory_rss_bytes", "Resident memory"}))
    , TRY(r.gauge({"proplet_memory_container_usage_bytes", "Of the control group"}))
    , TRY(r.gauge({"proplet_memory_container_limit_bytes", "Of the control group"}))
    , TRY(r.gauge({"coffer_worker_module_cache_bytes", "Of encrypted modules that are kept opened"}))
    , TRY(r.histogram({"coffer_worker_attestation_seconds", "Of one try to get a token"}))
    , TRY(r.histogram({"coffer_worker_open_seconds", "Pull, key and decryption of one encrypted module"}))
    , TRY(r.histogram({"coffer_worker_key_seconds", "Of one key, with the handshake where there was no token"}))
  };
  return std::unique_ptr<WorkerMetrics>(new WorkerMetrics(std::move(registry), handles));
}

WorkerMetrics::WorkerMetrics(std::unique_ptr<net::MetricsRegistry> registry, const Handles& h)
    : registry_(std::move(registry)),
      started_(h.started),
      completed_(h.completed),
      failed_(h.failed),
      reconnects_(h.reconnects),
      fetched_(h.fetched),
      attestations_(h.attestations),
      opened_(h.opened),
      opened_bytes_(h.opened_bytes),
      refused_(h.refused),
      key_fetches_(h.key_fetches),
      kept_(h.kept),
      running_(h.running),
      token_expires_(h.token_expires),
      cpu_ratio_(h.cpu_ratio),
      cpu_user_(h.cpu_user),
      cpu_system_(h.cpu_system),
      rss_(h.rss),
      container_usage_(h.container_usage),
      container_limit_(h.container_limit),
      kept_bytes_(h.kept_bytes),
      attestation_seconds_(h.attestation_seconds),
      open_seconds_(h.open_seconds),
      key_seconds_(h.key_seconds) {
  token_expires_.set(0);  // so that it is there from the start
}

void WorkerMetrics::task_ended(std::string_view outcome) {
  if (outcome.empty()) return completed_.increment();
  failed_.increment();
  refused_.increment({outcome});
}

void WorkerMetrics::attested(const AttestationKeeper::Attempt& attempt) {
  attestations_.increment({attempt.outcome});
  attestation_seconds_.observe(seconds(attempt.took));
  if (attempt.expires) token_expires_.set(std::chrono::duration<double>(attempt.expires->time_since_epoch()).count());
}

void WorkerMetrics::opened(const TeeTimings& timings) {
  opened_.increment({timings.outcome});
  if (timings.kept) kept_.increment({*timings.kept ? "hit" : "miss"});
  for (const auto& fetch : timings.keys) {
    key_fetches_.increment({fetch.outcome});
    key_seconds_.observe(seconds(fetch.took));
  }
  if (timings.module_bytes == 0) return;
  opened_bytes_.increment({}, static_cast<double>(timings.module_bytes));
  open_seconds_.observe(seconds(timings.pull_and_decrypt));
}

void WorkerMetrics::process(const ProcessFacts& process, const MachineFacts& machine, double cpu_percent) {
  cpu_ratio_.set(cpu_percent / 100);
  cpu_user_.set(process.user_seconds);
  cpu_system_.set(process.system_seconds);
  rss_.set(static_cast<double>(process.rss_bytes));
  container_usage_.set(static_cast<double>(machine.container_usage_bytes.value_or(0)));
  container_limit_.set(static_cast<double>(machine.container_limit_bytes.value_or(0)));
}

}  // namespace coffer::fleet::worker
