#pragma once

#include "fleet/proxy/fetcher.h"
#include "net/metrics.h"

namespace coffer::fleet::proxy {

// Prometheus metrics of a proxy.
class ProxyMetrics {
 public:
  static Result<std::unique_ptr<ProxyMetrics>> create();

  void requested(std::string_view admission) { requests_.increment({admission}); }
  void chunk_sent(std::size_t bytes);
  void fetched(const Result<Fetched>& outcome, double seconds);
  void observe(std::size_t waiting, std::size_t running, bool connected, std::uint64_t reconnects);
  std::string exposition() const { return registry_->exposition(); }
  net::MetricsRegistry& registry() { return *registry_; }

 private:
  ProxyMetrics(std::unique_ptr<net::MetricsRegistry> registry, net::Counter requests, net::Counter fetches,
               net::Counter chunks, net::Counter bytes, net::Histogram seconds, net::Gauge state)
      : registry_(std::move(registry)),
        requests_(requests),
        fetches_(fetches),
        chunks_(chunks),
        bytes_(bytes),
        seconds_(seconds),
        state_(state) {}
  std::unique_ptr<net::MetricsRegistry> registry_;
  net::Counter requests_, fetches_, chunks_, bytes_;
  net::Histogram seconds_;
  net::Gauge state_;
};

}  // namespace coffer::fleet::proxy
