#include "fleet/worker/heartbeat.h"

#include <algorithm>

namespace coffer::fleet::worker {
namespace {

using std::chrono::steady_clock;

constexpr std::string_view version = "0.5.0";  // of the wire contract that this worker follows

std::optional<std::string> unless_empty(const std::string& text) {
  return text.empty() ? std::nullopt : std::optional{text};
}

}  // namespace

Heartbeat::Heartbeat(const Config& config, Actions actions)
    : config_(config), actions_(std::move(actions)), thread_([this](const std::stop_token& stop) { run(stop); }) {}

Heartbeat::~Heartbeat() {
  stop();
}

void Heartbeat::stop() {
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
}

void Heartbeat::announce() {
  {
    const std::lock_guard lock(mutex_);
    announce_ = true;
  }
  wake_.notify_one();
}

void Heartbeat::beat_now() {
  {
    const std::lock_guard lock(mutex_);
    beat_ = true;
  }
  wake_.notify_one();
}

Discovery Heartbeat::discovery() const {
  Discovery out{.proplet_id = config_.identity.entity, .name_space = config_.name_space};
  auto& metadata = out.metadata;
  metadata.description = unless_empty(config_.description);
  metadata.location = unless_empty(config_.location);
  metadata.tags = config_.tags;
  metadata.proplet_version = version;
  metadata.wasm_runtime = config_.tasks.external_runtime.empty() ? "wasmtime-internal" : config_.tasks.external_runtime;
  if (config_.collect_system_info) {
    metadata.environment = environment_kind();
    metadata.os = "linux";
    metadata.hostname = host_name();
    metadata.cpu_arch = cpu_architecture();
    metadata.total_memory_bytes = read_machine_facts().memory_bytes;
  }
  out.capabilities = actions_.capabilities();
  return out;
}

void Heartbeat::beat() {
  const Alive alive{
      .proplet_id = config_.identity.entity, .name_space = config_.name_space, .capabilities = actions_.capabilities()};
  actions_.publish(Topic::alive, to_json(alive));
}

void Heartbeat::measure() {
  const auto process = read_process_facts();
  const auto machine = read_machine_facts();
  const auto now = std::chrono::duration<double>(steady_clock::now().time_since_epoch()).count();
  const auto percent = cpu_.percent(process, now);
  if (actions_.measured) actions_.measured(process, machine, percent);
  const NodeMetrics metrics{.proplet_id = config_.identity.entity,
                            .name_space = config_.name_space,
                            .timestamp = system_clock().now(),
                            .user_seconds = process.user_seconds,
                            .system_seconds = process.system_seconds,
                            .cpu_percent = percent,
                            .rss_bytes = process.rss_bytes,
                            .container_usage_bytes = machine.container_usage_bytes,
                            .container_limit_bytes = machine.container_limit_bytes};
  actions_.publish(Topic::node_metrics, to_json(metrics));
}

void Heartbeat::run(const std::stop_token& stop) {
  const bool measures = config_.metrics_interval > Duration{0};
  auto next_beat = steady_clock::now() + config_.liveliness_interval;
  auto next_measure = measures ? steady_clock::now() + config_.metrics_interval : Instant::max();
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    wake_.wait_until(lock, stop, std::min(next_beat, next_measure), [this] { return announce_ || beat_; });
    const bool announcing = std::exchange(announce_, false);
    const bool beating = std::exchange(beat_, false);
    lock.unlock();
    if (stop.stop_requested()) return;
    const auto now = steady_clock::now();
    if (announcing) actions_.publish(Topic::discovery, to_json(discovery()));
    if (announcing || beating || now >= next_beat) {
      beat();
      next_beat = now + config_.liveliness_interval;
    }
    if (now >= next_measure) {
      measure();
      next_measure = now + config_.metrics_interval;
    }
    lock.lock();
  }
}

}  // namespace coffer::fleet::worker
