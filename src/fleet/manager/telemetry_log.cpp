#include "fleet/manager/telemetry_log.h"

#include <utility>

namespace coffer::fleet::manager {
namespace {

using codec::json::Object;

constexpr std::size_t most_pending = 20'000;
constexpr std::size_t most_subjects = 100'000;
constexpr auto least_interval = std::chrono::milliseconds{500};  // of one subject

// A measurement from the future would outlive all others.
TimePoint arrival(const std::optional<TimePoint>& said, TimePoint now) {
  return said && *said <= now ? *said : now;
}

}  // namespace

void TelemetryLog::add(std::string kind, const std::string& subject, std::string document, TimePoint at,
                       TimePoint now) {
  const std::scoped_lock lock(mutex_);
  if (pending_.size() >= most_pending) return;
  if (last_.size() >= most_subjects) last_.clear();
  const auto [last, is_new] = last_.emplace(kind + " " + subject, now);
  if (!is_new && now - last->second < least_interval) return;
  last->second = now;
  pending_.push_back({std::move(kind), subject, std::move(document), at});
}

void TelemetryLog::take(const NodeMetrics& metrics, TimePoint now) {
  const auto at = arrival(metrics.timestamp, now);
  const Object object{{"proplet_id", metrics.proplet_id},
                      {"namespace", metrics.name_space},
                      {"timestamp", write_timestamp(at)},
                      {"cpu_metrics", cpu_metrics_json(metrics)},
                      {"memory_metrics", memory_metrics_json(metrics)}};
  add("proplet", metrics.proplet_id, codec::json::serialize(object), at, now);
}

void TelemetryLog::take(const TaskMetrics& metrics, TimePoint now) {
  const auto at = arrival(metrics.timestamp, now);
  Object object{
      {"task_id", metrics.task_id}, {"proplet_id", metrics.proplet_id}, {"metrics", sample_json(metrics.metrics)}};
  if (metrics.aggregated) object.append("aggregated", aggregated_json(*metrics.aggregated));
  object.append("timestamp", write_timestamp(at));
  add("task", metrics.task_id, codec::json::serialize(object), at, now);
}

Result<> TelemetryLog::save(storage::SqlDatabase& database) {
  std::vector<store::Measurement> pending;
  {
    const std::scoped_lock lock(mutex_);
    pending = std::exchange(pending_, {});
  }
  if (pending.empty()) return {};
  return database.write([&](store::SqlTransaction& transaction) -> Result<> {
    for (const auto& measurement : pending) TRY(store::insert(transaction, measurement));
    return {};
  });
}

Result<> TelemetryLog::prune(storage::SqlDatabase& database, TimePoint before) {
  return database.write([&](store::SqlTransaction& transaction) -> Result<> {
    TRY(store::erase_measurements(transaction, before));
    return {};
  });
}

}  // namespace coffer::fleet::manager
