// Sends spans to a collector: OTLP over HTTP, JSON encoding (opentelemetry-proto 1.x). A thread of its own batches,
// sends and repeats; whoever hands a span over never waits, and what does not fit is dropped and counted. Debian 12 has
// no OpenTelemetry for C++, and its own exporter needs gRPC or a second HTTP client for what is one POST.
#pragma once

#include <memory>
#include <string>

#include "base/clock.h"
#include "net/http_client.h"
#include "net/metrics.h"
#include "net/trace.h"

namespace coffer::net {

struct OtlpOptions {
  std::string url{};           // "http://host:4318": /v1/traces is added; one with a path is taken as it is
  std::string service_name{};  // resource attributes service.name, .version, .instance.id
  std::string service_version{}, instance_id{};
  Headers headers{};                                  // of each request: a collector's credentials
  std::size_t max_queue = 2048;                       // spans that wait
  std::size_t max_batch = 512;                        // spans of one request
  Duration delay = std::chrono::seconds{1};           // a span waits this long for others to go with it
  Duration timeout = std::chrono::seconds{3};         // of a request; stop() lasts no longer either
  Duration first_retry = std::chrono::seconds{1};     // doubles; a collector that names a time is asked then
  Duration longest_pause = std::chrono::seconds{60};  // one that asks for more is given up
  unsigned attempts = 6;                              // of one batch
  Duration log_every = std::chrono::minutes{1};       // failures are logged no more often
};

class OtlpExporter final : public SpanSink {
 public:
  // NetError::bad_url; NetError::bad_metric where `metrics` has "otlp_spans_total" already, which counts spans by
  // outcome: sent, queue_full, refused (by the collector), unreachable, stopped.
  static Result<std::shared_ptr<OtlpExporter>> start(OtlpOptions options, std::shared_ptr<HttpClient> http,
                                                     MetricsRegistry& metrics);
  ~OtlpExporter() override;  // stops

  void take(SpanRecord record) override;
  // Sends what waits, once, within `timeout`; the rest is dropped. Twice is once.
  void stop();

 private:
  struct Impl;
  explicit OtlpExporter(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace coffer::net
