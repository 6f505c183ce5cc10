// Metrics in Prometheus' data model. A registry is an object passed around; there is none behind the scenes. Handles
// are small, copyable, safe to use from several threads, and must not outlive their registry.
#pragma once

#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "net/error.h"

namespace coffer::net {

// What a family of metrics is called. Label values that clients choose would grow without end, so a family holds
// `max_series` combinations; all later ones are counted in one series whose labels all say "other".
struct MetricName {
  std::string name;  // [a-zA-Z_:][a-zA-Z0-9_:]*
  std::string help;
  std::vector<std::string> labels{};  // [a-zA-Z_][a-zA-Z0-9_]*
  std::size_t max_series = 200;
};

using LabelValues = std::initializer_list<std::string_view>;

// Values are given in the order of MetricName::labels. Missing values are empty, surplus ones are left out.
class Counter {
 public:
  void increment(LabelValues labels = {}, double by = 1);

 private:
  friend class MetricsRegistry;
  struct Family;
  explicit Counter(Family& family) : family_(&family) {}
  Family* family_;
};

class Gauge {
 public:
  void set(double value, LabelValues labels = {});
  void add(double by, LabelValues labels = {});

 private:
  friend class MetricsRegistry;
  struct Family;
  explicit Gauge(Family& family) : family_(&family) {}
  Family* family_;
};

class Histogram {
 public:
  void observe(double value, LabelValues labels = {});

 private:
  friend class MetricsRegistry;
  struct Family;
  explicit Histogram(Family& family) : family_(&family) {}
  Family* family_;
};

// From 0.5 ms to 10 s: for the durations of requests in seconds.
std::span<const double> default_duration_buckets();

class MetricsRegistry {
 public:
  MetricsRegistry();
  ~MetricsRegistry();
  MetricsRegistry(const MetricsRegistry&) = delete;
  MetricsRegistry& operator=(const MetricsRegistry&) = delete;

  // NetError::bad_metric for a malformed or taken name.
  Result<Counter> counter(MetricName name);
  Result<Gauge> gauge(MetricName name);
  // `buckets`: upper bounds, ascending.
  Result<Histogram> histogram(MetricName name, std::span<const double> buckets = default_duration_buckets());

  // The text exposition format, and the Content-Type it goes with.
  std::string exposition() const;
  static constexpr std::string_view content_type = "text/plain; version=0.0.4; charset=utf-8";

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace coffer::net
