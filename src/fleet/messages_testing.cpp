#include "fleet/messages_testing.h"

#include <array>

#include "codec/json.h"

namespace coffer::fleet {
namespace {

std::size_t below(std::mt19937& random, std::size_t bound) {
  return std::uniform_int_distribution<std::size_t>{0, bound - 1}(random);
}

bool flip(std::mt19937& random) {
  return below(random, 2) == 1;
}

std::string name(std::mt19937& random) {
  return "n" + random_text(random);
}

std::vector<std::string> texts(std::mt19937& random) {
  std::vector<std::string> list(below(random, 4));
  for (std::string& text : list) text = random_text(random);
  return list;
}

std::map<std::string, std::string> text_map(std::mt19937& random) {
  std::map<std::string, std::string> map;
  for (std::size_t left = below(random, 4); left > 0; --left) map[name(random)] = random_text(random);
  return map;
}

std::string maybe_name(std::mt19937& random) {
  return flip(random) ? name(random) : std::string{};
}

TimePoint random_time(std::mt19937& random) {
  return TimePoint{
      std::chrono::milliseconds{1'700'000'000'000 + static_cast<std::int64_t>(below(random, 1'000'000'000))}};
}

}  // namespace

std::string random_text(std::mt19937& random, std::size_t longest) {
  static constexpr std::array<std::string_view, 10> alphabet{"a", "Z", "7", " ", "\"", "\\", "/", "é", "漢", "{"};
  std::string text;
  for (std::size_t left = below(random, longest + 1); left > 0; --left)
    text += alphabet.at(below(random, alphabet.size()));
  return text;
}

Bytes random_bytes(std::mt19937& random, std::size_t longest) {
  Bytes bytes(below(random, longest + 1));
  for (std::byte& byte : bytes) byte = static_cast<std::byte>(below(random, 256));
  return bytes;
}

StartCommand random_start(std::mt19937& random) {
  StartCommand start{.id = name(random), .name = name(random)};
  start.image_url = maybe_name(random);
  if (flip(random)) start.file = concat({to_bytes("x"), random_bytes(random)});
  start.inputs = texts(random);
  start.cli_args = texts(random);
  start.broadcast = flip(random);
  start.daemon = flip(random);
  start.latent = flip(random);
  start.encrypted = flip(random);
  start.env = text_map(random);
  start.kbs_resource_path = maybe_name(random);
  if (flip(random))
    start.monitoring_profile =
        MonitoringProfile{.interval = std::chrono::seconds{1 + below(random, 999)}, .collect_cpu = flip(random)};
  start.proplet_id = maybe_name(random);
  start.hal_storage_path = maybe_name(random);
  start.mode = maybe_name(random);
  if (flip(random)) start.parent_results = {{"parent", codec::json::Array{1, "two", nullptr}}};
  start.kbs_uri = maybe_name(random);
  start.module_digest = maybe_name(random);
  if (flip(random)) start.module_signature = ModuleSignature{.public_key = "kbs:///a/b/c", .signature = "AAAA"};
  if (flip(random)) start.fuel = below(random, 1'000'000);
  if (flip(random)) start.memory_bytes = below(random, 1'000'000);
  if (flip(random)) start.timeout = std::chrono::milliseconds{1 + below(random, 100'000)};
  return start;
}

Capabilities random_capabilities(std::mt19937& random) {
  Capabilities capabilities;
  if (flip(random)) capabilities.tee = Capabilities::Tee{name(random), flip(random)};
  if (flip(random)) {
    capabilities.attestation = Capabilities::Attestation{.token = name(random), .proof = maybe_name(random)};
    if (flip(random)) capabilities.attestation->expires_at = random_time(random);
  }
  capabilities.runtimes = texts(random);
  capabilities.memory_bytes = below(random, 1U << 30);
  capabilities.memory_available_bytes = below(random, 1U << 30);
  capabilities.running_tasks = below(random, 9);
  capabilities.max_tasks = below(random, 9);
  capabilities.tags = texts(random);
  return capabilities;
}

Discovery random_discovery(std::mt19937& random) {
  Discovery discovery{.proplet_id = name(random), .name_space = maybe_name(random)};
  if (flip(random)) discovery.metadata.description = name(random);
  if (flip(random)) discovery.metadata.wasm_runtime = name(random);
  if (flip(random)) discovery.metadata.total_memory_bytes = below(random, 1U << 30);
  discovery.metadata.tags = texts(random);
  if (flip(random)) discovery.capabilities = random_capabilities(random);
  return discovery;
}

TaskResult random_result(std::mt19937& random) {
  TaskResult result{.task_id = name(random), .proplet_id = maybe_name(random)};
  result.results = random_text(random);
  if (flip(random)) result.error = name(random);
  result.details = {.code = maybe_name(random), .stdout_text = random_text(random), .stderr_text = random_text(random)};
  if (flip(random)) result.details.exit_code = static_cast<int>(below(random, 256));
  result.details.lasting = flip(random);
  return result;
}

TaskMetrics random_task_metrics(std::mt19937& random) {
  TaskMetrics metrics{.task_id = name(random), .proplet_id = name(random)};
  metrics.metrics = {.cpu_percent = static_cast<double>(below(random, 1000)) / 8,
                     .memory_bytes = below(random, 1U << 30)};
  if (flip(random))
    metrics.aggregated = TaskMetrics::Aggregated{.avg_cpu_usage = 1.5, .sample_count = below(random, 99)};
  if (flip(random)) metrics.timestamp = random_time(random);
  return metrics;
}

std::string with_member(const std::string& payload, const std::string& key, const std::string& value) {
  auto root = codec::json::parse(payload).value();
  if (value.empty())
    root.if_object()->erase(key);
  else
    root.if_object()->set(key, codec::json::parse(value).value());
  return codec::json::serialize(root);
}

}  // namespace coffer::fleet
