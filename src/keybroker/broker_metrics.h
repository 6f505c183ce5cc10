// Upstream's metrics by name (trustee.md 9), so that dashboards keep working.
#pragma once

#include <memory>

#include "net/metrics.h"

namespace coffer::keybroker {

struct HttpMetrics {
  static Result<HttpMetrics> create(net::MetricsRegistry& registry);
  net::Counter requests;
  net::Histogram duration, request_size, response_size;
  net::Gauge active;
};

struct HandshakeMetrics {
  static Result<HandshakeMetrics> create(net::MetricsRegistry& registry);
  net::Counter auth_requests, auth_successes, auth_errors;
  net::Counter requests;
  net::Counter successes, failures;  // by tee_type
  net::Counter errors;               // for another reason than the evidence
};

struct ResourceMetrics {
  static Result<ResourceMetrics> create(net::MetricsRegistry& registry);
  net::Counter reads, writes, deletes;  // by resource_path, bounded
  net::Counter policy_evaluations, policy_approvals, policy_violations, policy_errors;
  net::Counter plugin_requests, plugin_errors;  // by plugin_name
  net::Histogram plugin_duration;               // by plugin_name
};

}  // namespace coffer::keybroker
