#include "fleet/proxy/proxy_metrics.h"

namespace coffer::fleet::proxy {

Result<std::unique_ptr<ProxyMetrics>> ProxyMetrics::create() {
  auto registry = std::make_unique<net::MetricsRegistry>();
  const auto requests =
      TRY(registry->counter({"proxy_requests_total", "Fetch requests, by what became of them.", {"admission"}}));
  const auto fetches =
      TRY(registry->counter({"proxy_fetches_total", "Images fetched, by outcome: ok or a code.", {"outcome"}}));
  const auto chunks = TRY(registry->counter({"proxy_chunks_sent_total", "Chunks that the broker has."}));
  const auto bytes = TRY(registry->counter({"proxy_bytes_sent_total", "Bytes of layers in those chunks."}));
  const auto seconds = TRY(registry->histogram({"proxy_fetch_seconds", "From the request's turn to the last chunk."}));
  const auto state =
      TRY(registry->gauge({"proxy_state", "waiting and running fetches, connected, reconnects.", {"what"}}));
  return std::unique_ptr<ProxyMetrics>{
      new ProxyMetrics{std::move(registry), requests, fetches, chunks, bytes, seconds, state}};
}

void ProxyMetrics::chunk_sent(std::size_t bytes) {
  chunks_.increment();
  bytes_.increment({}, static_cast<double>(bytes));
}

void ProxyMetrics::fetched(const Result<Fetched>& outcome, double seconds) {
  fetches_.increment({outcome ? std::string_view{"ok"} : outcome.error().code.name()});
  seconds_.observe(seconds);
}

void ProxyMetrics::observe(std::size_t waiting, std::size_t running, bool connected, std::uint64_t reconnects) {
  state_.set(static_cast<double>(waiting), {"waiting"});
  state_.set(static_cast<double>(running), {"running"});
  state_.set(connected ? 1 : 0, {"connected"});
  state_.set(static_cast<double>(reconnects), {"reconnects"});
}

}  // namespace coffer::fleet::proxy
