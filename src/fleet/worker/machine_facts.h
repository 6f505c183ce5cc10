// What /proc and the control group tell of this process and this machine.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace coffer::fleet::worker {

struct ProcessFacts {
  double user_seconds = 0, system_seconds = 0;
  std::uint64_t rss_bytes = 0, threads = 0, file_descriptors = 0;
  std::uint64_t read_bytes = 0, written_bytes = 0;  // of disks
};

struct MachineFacts {
  std::uint64_t memory_bytes = 0, memory_available_bytes = 0;
  std::optional<std::uint64_t> container_usage_bytes{}, container_limit_bytes{};
};

// `root` stands for "/" in tests. What cannot be read is zero or absent.
ProcessFacts read_process_facts(const std::filesystem::path& root = "/");
MachineFacts read_machine_facts(const std::filesystem::path& root = "/");

std::string host_name();
std::string cpu_architecture();  // "x86_64"
// "docker" in a container, otherwise "binary", as upstream's discovery says it.
std::string environment_kind(const std::filesystem::path& root = "/");

// How much of one processor was used between two readings, in percent.
class CpuMeter {
 public:
  // `now`: seconds of any steady clock. Zero for the first.
  double percent(const ProcessFacts& facts, double now);

 private:
  double last_used_ = 0, last_time_ = -1;
};

}  // namespace coffer::fleet::worker
