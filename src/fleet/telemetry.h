// Measurements of workers and tasks.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "codec/json.h"

namespace coffer::fleet {

// The time of a measurement: RFC 3339 (Go), {"secs_since_epoch","nanos_since_epoch"} (Rust). Nothing for an uptime in
// milliseconds (embedded) and all else: the receiver takes the time of arrival.
std::optional<TimePoint> read_timestamp(const codec::json::Value& value);
// RFC 3339 with milliseconds, which every generation of upstream's manager reads.
std::string write_timestamp(TimePoint time);

struct NodeMetrics {
  std::string proplet_id;
  std::string name_space{};
  std::optional<TimePoint> timestamp{};
  double user_seconds = 0, system_seconds = 0, cpu_percent = 0;
  std::uint64_t rss_bytes = 0, heap_alloc_bytes = 0, heap_sys_bytes = 0, heap_inuse_bytes = 0;
  std::optional<std::uint64_t> container_usage_bytes{}, container_limit_bytes{};
};

struct TaskMetrics {
  struct Sample {
    double cpu_percent = 0;
    std::uint64_t memory_bytes = 0;
    double memory_percent = 0;
    std::uint64_t disk_read_bytes = 0, disk_write_bytes = 0, uptime_seconds = 0, thread_count = 0,
                  file_descriptor_count = 0;
    friend bool operator==(const Sample&, const Sample&) = default;
  };
  struct Aggregated {
    double avg_cpu_usage = 0, max_cpu_usage = 0;
    std::uint64_t avg_memory_usage = 0, max_memory_usage = 0, total_disk_read = 0, total_disk_write = 0,
                  sample_count = 0;
    friend bool operator==(const Aggregated&, const Aggregated&) = default;
  };
  std::string task_id, proplet_id;
  Sample metrics{};
  std::optional<Aggregated> aggregated{};
  std::optional<TimePoint> timestamp{};
};

// Numbers that are absent are zero; negative ones and those that are no numbers are FleetError::bad_member.
Result<NodeMetrics> parse_node_metrics(std::string_view payload);
Result<TaskMetrics> parse_task_metrics(std::string_view payload);
std::string to_json(const NodeMetrics& metrics);
std::string to_json(const TaskMetrics& metrics);
// The objects inside, as the manager's REST API shows them.
codec::json::Object cpu_metrics_json(const NodeMetrics& metrics);
codec::json::Object memory_metrics_json(const NodeMetrics& metrics);
codec::json::Object sample_json(const TaskMetrics::Sample& sample);
codec::json::Object aggregated_json(const TaskMetrics::Aggregated& aggregated);

}  // namespace coffer::fleet
