#include "fleet/telemetry.h"

#include <array>

#include "fleet/detail/members.h"

namespace coffer::fleet {
namespace {

using codec::json::Object;
using codec::json::Value;
using detail::Members;

constexpr std::uint64_t last_second = 253'402'300'799;  // of the year 9999, the last that RFC 3339 writes

template <class Owner>
struct CountMember {
  std::string_view key;
  std::uint64_t Owner::* field;
};

using Sample = TaskMetrics::Sample;
constexpr std::array<CountMember<Sample>, 5> sample_counts{{
    {"disk_read_bytes", &Sample::disk_read_bytes},
    {"disk_write_bytes", &Sample::disk_write_bytes},
    {"uptime_seconds", &Sample::uptime_seconds},
    {"thread_count", &Sample::thread_count},
    {"file_descriptor_count", &Sample::file_descriptor_count},
}};

using Aggregated = TaskMetrics::Aggregated;
constexpr std::array<CountMember<Aggregated>, 5> aggregated_counts{{
    {"avg_memory_usage", &Aggregated::avg_memory_usage},
    {"max_memory_usage", &Aggregated::max_memory_usage},
    {"total_disk_read", &Aggregated::total_disk_read},
    {"total_disk_write", &Aggregated::total_disk_write},
    {"sample_count", &Aggregated::sample_count},
}};

constexpr std::array<CountMember<NodeMetrics>, 4> memory_counts{{
    {"rss_bytes", &NodeMetrics::rss_bytes},
    {"heap_alloc_bytes", &NodeMetrics::heap_alloc_bytes},
    {"heap_sys_bytes", &NodeMetrics::heap_sys_bytes},
    {"heap_inuse_bytes", &NodeMetrics::heap_inuse_bytes},
}};

std::optional<TimePoint> timestamp_member(const Members& members) {
  const Value* value = members.find("timestamp");
  return value == nullptr ? std::nullopt : read_timestamp(*value);
}

Result<> read_cpu(const Members& members, NodeMetrics& metrics) {
  const Object object = TRY(members.object("cpu_metrics"));
  const Members inner{object, "cpu_metrics"};
  metrics.user_seconds = TRY(inner.number("user_seconds"));
  metrics.system_seconds = TRY(inner.number("system_seconds"));
  metrics.cpu_percent = TRY(inner.number("percent"));
  return {};
}

Result<> read_memory(const Members& members, NodeMetrics& metrics) {
  const Object object = TRY(members.object("memory_metrics"));
  const Members inner{object, "memory_metrics"};
  for (const auto& [key, field] : memory_counts) metrics.*field = TRY(inner.count(key));
  metrics.container_usage_bytes = TRY(inner.optional_count("container_usage_bytes"));
  metrics.container_limit_bytes = TRY(inner.optional_count("container_limit_bytes"));
  return {};
}

Result<Sample> read_sample(const Members& members) {
  const Object object = TRY(members.object("metrics"));
  const Members inner{object, "metrics"};
  Sample sample;
  sample.cpu_percent = TRY(inner.number("cpu_percent"));
  sample.memory_bytes = TRY(inner.count("memory_bytes"));
  sample.memory_percent = TRY(inner.number("memory_percent"));
  for (const auto& [key, field] : sample_counts) sample.*field = TRY(inner.count(key));
  return sample;
}

Result<std::optional<Aggregated>> read_aggregated(const Members& members) {
  if (members.find("aggregated") == nullptr) return std::optional<Aggregated>{};
  const Object object = TRY(members.object("aggregated"));
  const Members inner{object, "aggregated"};
  Aggregated aggregated;
  aggregated.avg_cpu_usage = TRY(inner.number("avg_cpu_usage"));
  aggregated.max_cpu_usage = TRY(inner.number("max_cpu_usage"));
  for (const auto& [key, field] : aggregated_counts) aggregated.*field = TRY(inner.count(key));
  return std::optional{aggregated};
}

}  // namespace

std::optional<TimePoint> read_timestamp(const Value& value) {
  if (const auto* text = value.if_string()) {
    const auto time = parse_rfc3339(*text);
    return time ? std::optional{*time} : std::nullopt;
  }
  const Value* seconds = value.find("secs_since_epoch");
  const Value* nanoseconds = value.find("nanos_since_epoch");
  if (seconds == nullptr) return std::nullopt;
  const auto whole = seconds->if_uint64();
  const auto rest = nanoseconds == nullptr ? std::optional<std::uint64_t>{0} : nanoseconds->if_uint64();
  if (!whole || *whole > last_second || !rest || *rest >= 1'000'000'000) return std::nullopt;
  return TimePoint{std::chrono::seconds{*whole} + std::chrono::milliseconds{*rest / 1'000'000}};
}

std::string write_timestamp(TimePoint time) {
  std::string text = format_rfc3339(time);
  const auto past_second = time - std::chrono::floor<std::chrono::seconds>(time);
  const std::string digits = std::to_string(1000 + past_second.count()).substr(1);
  text.insert(text.size() - 1, "." + digits);
  return text;
}

Result<NodeMetrics> parse_node_metrics(std::string_view payload) {
  const Object object = TRY(detail::parse_object(payload));
  const Members members{object, "node_metrics"};
  NodeMetrics metrics;
  metrics.proplet_id = TRY(members.identifier("proplet_id"));
  metrics.name_space = TRY(members.optional_identifier("namespace"));
  metrics.timestamp = timestamp_member(members);
  TRY(read_cpu(members, metrics));
  TRY(read_memory(members, metrics));
  return metrics;
}

Result<TaskMetrics> parse_task_metrics(std::string_view payload) {
  const Object object = TRY(detail::parse_object(payload));
  const Members members{object, "task_metrics"};
  TaskMetrics metrics;
  metrics.task_id = TRY(members.identifier("task_id"));
  metrics.proplet_id = TRY(members.optional_identifier("proplet_id"));
  metrics.metrics = TRY(read_sample(members));
  metrics.aggregated = TRY(read_aggregated(members));
  metrics.timestamp = timestamp_member(members);
  return metrics;
}

Object cpu_metrics_json(const NodeMetrics& metrics) {
  return {{"user_seconds", metrics.user_seconds},
          {"system_seconds", metrics.system_seconds},
          {"percent", metrics.cpu_percent}};
}

Object memory_metrics_json(const NodeMetrics& metrics) {
  Object object;
  for (const auto& [key, field] : memory_counts) object.append(std::string{key}, metrics.*field);
  if (metrics.container_usage_bytes) object.append("container_usage_bytes", *metrics.container_usage_bytes);
  if (metrics.container_limit_bytes) object.append("container_limit_bytes", *metrics.container_limit_bytes);
  return object;
}

Object sample_json(const Sample& sample) {
  Object object{{"cpu_percent", sample.cpu_percent},
                {"memory_bytes", sample.memory_bytes},
                {"memory_percent", sample.memory_percent}};
  for (const auto& [key, field] : sample_counts) object.append(std::string{key}, sample.*field);
  return object;
}

Object aggregated_json(const Aggregated& aggregated) {
  Object object{{"avg_cpu_usage", aggregated.avg_cpu_usage}, {"max_cpu_usage", aggregated.max_cpu_usage}};
  for (const auto& [key, field] : aggregated_counts) object.append(std::string{key}, aggregated.*field);
  return object;
}

std::string to_json(const NodeMetrics& metrics) {
  Object object{{"proplet_id", metrics.proplet_id}, {"namespace", metrics.name_space}};
  if (metrics.timestamp) object.append("timestamp", write_timestamp(*metrics.timestamp));
  object.append("cpu_metrics", cpu_metrics_json(metrics));
  object.append("memory_metrics", memory_metrics_json(metrics));
  return codec::json::serialize(object);
}

std::string to_json(const TaskMetrics& metrics) {
  Object object{{"task_id", metrics.task_id},
                {"proplet_id", metrics.proplet_id},
                {"metrics", sample_json(metrics.metrics)},
                {"aggregated", metrics.aggregated ? Value{aggregated_json(*metrics.aggregated)} : Value{}}};
  if (metrics.timestamp) object.append("timestamp", write_timestamp(*metrics.timestamp));
  return codec::json::serialize(object);
}

}  // namespace coffer::fleet
