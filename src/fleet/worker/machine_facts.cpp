#include "fleet/worker/machine_facts.h"

#include <sys/utsname.h>
#include <unistd.h>

#include <charconv>
#include <fstream>
#include <iterator>
#include <sstream>

namespace coffer::fleet::worker {
namespace {

namespace fs = std::filesystem;

std::string read(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>{stream}, {}};
}

std::optional<std::uint64_t> first_number(std::string_view text) {
  const auto start = text.find_first_of("0123456789");
  if (start == std::string_view::npos) return std::nullopt;
  std::uint64_t value = 0;
  text.remove_prefix(start);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{}) return std::nullopt;
  return value;
}

// The number on the line "name:   123 kB" of a /proc file.
std::uint64_t field(const std::string& text, const std::string& name) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(name + ":")) return first_number(std::string_view{line}.substr(name.size())).value_or(0);
  }
  return 0;
}

// Fields 14 and 15 of /proc/self/stat, counted behind the name in parentheses (proc(5)).
void read_cpu_times(const std::string& stat, ProcessFacts& facts) {
  const auto close = stat.rfind(')');
  if (close == std::string::npos) return;
  std::istringstream words(stat.substr(close + 1));
  std::string skipped;
  for (int field_number = 3; field_number < 14; ++field_number) words >> skipped;
  std::uint64_t user = 0, system = 0;
  words >> user >> system;
  const auto ticks = static_cast<double>(::sysconf(_SC_CLK_TCK));
  facts.user_seconds = static_cast<double>(user) / ticks;
  facts.system_seconds = static_cast<double>(system) / ticks;
}

}  // namespace

ProcessFacts read_process_facts(const fs::path& root) {
  const auto self = root / "proc/self";
  ProcessFacts facts;
  read_cpu_times(read(self / "stat"), facts);
  const auto status = read(self / "status");
  facts.rss_bytes = field(status, "VmRSS") * 1024;
  facts.threads = field(status, "Threads");
  const auto io = read(self / "io");
  facts.read_bytes = field(io, "read_bytes");
  facts.written_bytes = field(io, "write_bytes");
  std::error_code failure;
  for (fs::directory_iterator at(self / "fd", failure), end; !failure && at != end; at.increment(failure)) {
    ++facts.file_descriptors;
  }
  return facts;
}

MachineFacts read_machine_facts(const fs::path& root) {
  const auto memory = read(root / "proc/meminfo");
  const auto group = root / "sys/fs/cgroup";
  return {.memory_bytes = field(memory, "MemTotal") * 1024,
          .memory_available_bytes = field(memory, "MemAvailable") * 1024,
          .container_usage_bytes = first_number(read(group / "memory.current")),
          .container_limit_bytes = first_number(read(group / "memory.max"))};
}

std::string host_name() {
  struct utsname names{};
  return ::uname(&names) == 0 ? names.nodename : "";
}

std::string cpu_architecture() {
  struct utsname names{};
  return ::uname(&names) == 0 ? names.machine : "";
}

std::string environment_kind(const fs::path& root) {
  std::error_code failure;
  return fs::exists(root / ".dockerenv", failure) ? "docker" : "binary";
}

double CpuMeter::percent(const ProcessFacts& facts, double now) {
  const double used = facts.user_seconds + facts.system_seconds;
  const double passed = now - last_time_;
  const double result = last_time_ < 0 || passed <= 0 ? 0 : (used - last_used_) / passed * 100;
  last_used_ = used;
  last_time_ = now;
  return result;
}

}  // namespace coffer::fleet::worker
