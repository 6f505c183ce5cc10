#include "keybroker/broker_metrics.h"

#include <array>

#include "base/version.h"

namespace coffer::keybroker {
namespace {

constexpr std::array duration_buckets{0.0005, 0.001, 0.005, 0.01, 0.05, 0.5, 1.0};
constexpr std::array size_buckets{32.0, 128.0, 512.0, 2048.0, 8192.0};

net::MetricName name(std::string text, std::string help) {
  return {.name = std::move(text), .help = std::move(help)};
}

net::MetricName labelled(std::string text, std::string help, std::string label) {
  return {.name = std::move(text), .help = std::move(help), .labels = {std::move(label)}};
}

}  // namespace

Result<HttpMetrics> HttpMetrics::create(net::MetricsRegistry& registry) {
  auto build = TRY(registry.gauge(
      {.name = "kbs_build_info", .help = "The program that answers", .labels = {"version", "git_hash", "build_date"}}));
  build.set(1, {version(), "", ""});
  return HttpMetrics {
    .requests = TRY(registry.counter(name("kbs_http_requests_total", "HTTP requests received")))
    , .duration = TRY(
          registry.histogram(name("kbs_http_request_duration_seconds", "Time to answer a request"), duration_buckets))
    , .request_size = TRY(registry.histogram(name("kbs_http_request_size_bytes", "Bodies of requests"), size_buckets))
    , .response_size =
          TRY(registry.histogram(name("kbs_http_response_size_bytes", "Bodies of responses"), size_buckets))
    , .active = TRY(registry.gauge(name("kbs_http_active_connections", "Requests being answered")))
  };
}

Result<HandshakeMetrics> HandshakeMetrics::create(net::MetricsRegistry& registry) {
  return HandshakeMetrics {
    .auth_requests = TRY(registry.counter(name("kbs_auth_requests_total", "Handshakes begun")))
    , .auth_successes = TRY(registry.counter(name("kbs_auth_successes_total", "Challenges given")))
    , .auth_errors = TRY(registry.counter(name("kbs_auth_errors_total", "Handshakes refused at their beginning")))
    , .requests = TRY(registry.counter(name("kbs_attestation_requests_total", "Attestations received")))
    , .successes =
          TRY(registry.counter(labelled("kbs_attestation_successes_total", "Attestations accepted", "tee_type")))
    , .failures = TRY(registry.counter(labelled("kbs_attestation_failures_total", "Evidence rejected", "tee_type")))
    , .errors = TRY(registry.counter(
          name("kbs_attestation_errors_total", "Attestations that failed for another reason than their evidence")))
  };
}

Result<ResourceMetrics> ResourceMetrics::create(net::MetricsRegistry& registry) {
  return ResourceMetrics {
    .reads = TRY(registry.counter(labelled("kbs_resource_reads_total", "Resources released", "resource_path")))
    , .writes = TRY(registry.counter(labelled("kbs_resource_writes_total", "Resources written", "resource_path")))
    , .deletes = TRY(registry.counter(labelled("kbs_resource_deletes_total", "Resources deleted", "resource_path")))
    , .policy_evaluations = TRY(registry.counter(name("kbs_policy_evaluations_total", "Resource policy evaluations")))
    , .policy_approvals = TRY(registry.counter(name("kbs_policy_approvals_total", "Evaluations that allowed")))
    , .policy_violations = TRY(registry.counter(name("kbs_policy_violations_total", "Evaluations that denied")))
    , .policy_errors = TRY(registry.counter(name("kbs_policy_errors_total", "Evaluations that failed")))
    , .plugin_requests =
          TRY(registry.counter(labelled("kbs_plugin_requests_total", "Requests to plugins", "plugin_name")))
    , .plugin_errors =
          TRY(registry.counter(labelled("kbs_plugin_errors_total", "Requests that a plugin refused", "plugin_name")))
    , .plugin_duration = TRY(registry.histogram(
          labelled("kbs_plugin_request_duration_seconds", "Time of a plugin's answer", "plugin_name"),
          duration_buckets))
  };
}

}  // namespace coffer::keybroker
