#include "net/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <array>
#include <map>
#include <mutex>
#include <set>

namespace coffer::net {
namespace {

constexpr std::array duration_buckets{0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05,
                                      0.1,    0.25,  0.5,    1.0,   2.5,  5.0,   10.0};

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

// Prometheus' data model; colons are for metric names alone.
bool is_identifier(std::string_view text, bool colons) {
  const auto fits = [&](char c) { return is_letter(c) || (c >= '0' && c <= '9') || (colons && c == ':'); };
  return !text.empty() && !(text[0] >= '0' && text[0] <= '9') && std::ranges::all_of(text, fits);
}

Result<> check(const MetricName& name) {
  if (!is_identifier(name.name, true)) return fail(NetError::bad_metric, "\"" + name.name + "\" names no metric");
  const std::set<std::string> distinct(name.labels.begin(), name.labels.end());
  if (distinct.size() != name.labels.size()) return fail(NetError::bad_metric, name.name + " has a label twice");
  for (const auto& label : name.labels) {
    // "__" is Prometheus' own, "le" a histogram's.
    if (!is_identifier(label, false) || label.starts_with("__") || label == "le") {
      return fail(NetError::bad_metric, "\"" + label + "\" names no label of " + name.name);
    }
  }
  return {};
}

// The series of one family, made when first used and bounded in number.
template <class Metric, class Make>
class Series {
 public:
  Series(MetricName name, Make make) : name_(std::move(name)), make_(std::move(make)) {
    if (name_.labels.empty()) at({});
  }

  Metric& at(LabelValues given) {
    std::vector<std::string> values(given.begin(), given.end());
    values.resize(name_.labels.size());
    const std::lock_guard lock(mutex_);
    if (const auto found = known_.find(values); found != known_.end()) return *found->second;
    if (known_.size() >= name_.max_series) std::ranges::fill(values, "other");
    auto& slot = known_[values];
    if (slot == nullptr) slot = &make_(labels(values));
    return *slot;
  }

 private:
  std::map<std::string, std::string> labels(const std::vector<std::string>& values) const {
    std::map<std::string, std::string> out;
    for (std::size_t i = 0; i < values.size(); ++i) out[name_.labels[i]] = values[i];
    return out;
  }

  MetricName name_;
  Make make_;
  std::mutex mutex_;
  std::map<std::vector<std::string>, Metric*> known_;
};

using MakeLabels = const std::map<std::string, std::string>&;

struct MakeCounter {
  prometheus::Family<prometheus::Counter>* family;
  prometheus::Counter& operator()(MakeLabels labels) const { return family->Add(labels); }
};
struct MakeGauge {
  prometheus::Family<prometheus::Gauge>* family;
  prometheus::Gauge& operator()(MakeLabels labels) const { return family->Add(labels); }
};
struct MakeHistogram {
  prometheus::Family<prometheus::Histogram>* family;
  std::vector<double> buckets;
  prometheus::Histogram& operator()(MakeLabels labels) const { return family->Add(labels, buckets); }
};

}  // namespace

struct Counter::Family : Series<prometheus::Counter, MakeCounter> {
  using Series::Series;
};
struct Gauge::Family : Series<prometheus::Gauge, MakeGauge> {
  using Series::Series;
};
struct Histogram::Family : Series<prometheus::Histogram, MakeHistogram> {
  using Series::Series;
};

struct MetricsRegistry::Impl {
  Result<> claim(const MetricName& name) {
    TRY(check(name));
    if (!names.insert(name.name).second) return fail(NetError::bad_metric, name.name + " is taken");
    return {};
  }

  std::mutex mutex;
  std::set<std::string> names;
  prometheus::Registry registry;
  std::vector<std::unique_ptr<Counter::Family>> counters;
  std::vector<std::unique_ptr<Gauge::Family>> gauges;
  std::vector<std::unique_ptr<Histogram::Family>> histograms;
};

void Counter::increment(LabelValues labels, double by) {
  family_->at(labels).Increment(by);
}
void Gauge::set(double value, LabelValues labels) {
  family_->at(labels).Set(value);
}
void Gauge::add(double by, LabelValues labels) {
  family_->at(labels).Increment(by);
}
void Histogram::observe(double value, LabelValues labels) {
  family_->at(labels).Observe(value);
}

std::span<const double> default_duration_buckets() {
  return duration_buckets;
}

MetricsRegistry::MetricsRegistry() : impl_(std::make_unique<Impl>()) {}
MetricsRegistry::~MetricsRegistry() = default;

Result<Counter> MetricsRegistry::counter(MetricName name) {
  const std::lock_guard lock(impl_->mutex);
  TRY(impl_->claim(name));
  auto& family = prometheus::BuildCounter().Name(name.name).Help(name.help).Register(impl_->registry);
  impl_->counters.push_back(std::make_unique<Counter::Family>(std::move(name), MakeCounter{&family}));
  return Counter{*impl_->counters.back()};
}

Result<Gauge> MetricsRegistry::gauge(MetricName name) {
  const std::lock_guard lock(impl_->mutex);
  TRY(impl_->claim(name));
  auto& family = prometheus::BuildGauge().Name(name.name).Help(name.help).Register(impl_->registry);
  impl_->gauges.push_back(std::make_unique<Gauge::Family>(std::move(name), MakeGauge{&family}));
  return Gauge{*impl_->gauges.back()};
}

Result<Histogram> MetricsRegistry::histogram(MetricName name, std::span<const double> buckets) {
  const std::lock_guard lock(impl_->mutex);
  if (!std::ranges::is_sorted(buckets, std::less_equal<>{})) {
    return fail(NetError::bad_metric, "the buckets of " + name.name + " do not ascend");
  }
  TRY(impl_->claim(name));
  auto& family = prometheus::BuildHistogram().Name(name.name).Help(name.help).Register(impl_->registry);
  impl_->histograms.push_back(std::make_unique<Histogram::Family>(
      std::move(name), MakeHistogram{&family, std::vector<double>(buckets.begin(), buckets.end())}));
  return Histogram{*impl_->histograms.back()};
}

std::string MetricsRegistry::exposition() const {
  return prometheus::TextSerializer{}.Serialize(impl_->registry.Collect());
}

}  // namespace coffer::net
