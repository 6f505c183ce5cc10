#include "fleet/worker/tee_runtime.h"

#include <mutex>

#include "base/log.h"
#include "fleet/worker/chunk_image.h"
#include "image/pull.h"
#include "workload/image_access.h"

namespace coffer::fleet::worker {
namespace {

using std::chrono::steady_clock;

// The request's key wins over what the image's annotations name, and these over the worker's own (seed 002).
Result<workload::KeyChoice> key_choice(const StartCommand& task, const TeeConfig& config) {
  workload::KeyChoice choice{.expect_encrypted = true, .otherwise = config.default_key};
  if (!task.kbs_resource_path.empty()) choice.named = TRY(codec::ResourceUri::parse_any(task.kbs_resource_path));
  return choice;
}

Result<> check_encrypted(const StartCommand& task, const image::ImageSummary& summary) {
  if (summary.encrypted) return {};
  return fail(workload::WorkloadError::not_encrypted,
              "the image " + task.image_url + " is not encrypted, but the task is marked so");
}

Result<> check_reference(const StartCommand& task) {
  if (!is_address(task.image_url)) return {};
  return fail(WorkerError::unsupported, "encrypted tasks come from a registry, and image_url is the address " +
                                            task.image_url + "; give HOST/NAME:TAG");
}

// Another source, and how long it took. Lives as long as one pull.
class TimedSource final : public keyclient::ResourceSource {
 public:
  TimedSource(std::shared_ptr<keyclient::ResourceSource> next, TeeTimings& timings)
      : next_(std::move(next)), timings_(timings) {}

  Result<SecretBytes> fetch(const codec::ResourceUri& uri) override {
    const auto start = steady_clock::now();
    auto key = next_->fetch(uri);
    const auto took = std::chrono::duration_cast<Duration>(steady_clock::now() - start);
    const std::scoped_lock lock(mutex_);
    timings_.keys.push_back({.took = took, .outcome = key ? "ok" : key.error().code.name()});
    return key;
  }
  std::string describe() const override { return next_->describe(); }

 private:
  std::shared_ptr<keyclient::ResourceSource> next_;
  std::mutex mutex_;
  TeeTimings& timings_;
};

}  // namespace

TeeWasmRuntime::TeeWasmRuntime(const Config& config, Parts parts, InProcess in_process)
    : config_(config),
      parts_(std::move(parts)),
      in_process_(std::move(in_process)),
      pulls_(config.tasks.concurrent_pulls) {}

Result<PreparedModule> TeeWasmRuntime::prepare(const StartCommand& task, const std::stop_token& stop) {
  if (stop.stop_requested()) return fail(WorkerError::stopped, "the task was stopped");
  TeeTimings timings{.outcome = "ok"};
  pulls_.acquire();
  auto prepared = open(task, stop, timings);
  pulls_.release();
  if (!prepared) {
    timings.outcome = prepared.error().code.name();
    log::warn("worker.encrypted_refused", prepared.error().message,
              {{"task", task.id}, {"image", task.image_url}, {"code", std::string{timings.outcome}}});
  }
  if (parts_.observe) parts_.observe(timings);
  return prepared;
}

Result<std::unique_ptr<image::ImageSource>> TeeWasmRuntime::open_source(const StartCommand& task,
                                                                        const std::stop_token& stop) {
  if (config_.tasks.encrypted_image_route == ImageRoute::proxy && !names_registry(task.image_url)) {
    auto image = TRY(parts_.loader.fetch_by_proxy(task.image_url, stop));
    return ChunkImageSource::create(task.image_url, std::move(image));
  }
  return workload::open_image({.image = task.image_url,
                               .registry_user = config_.tasks.registry_user,
                               .registry_password_file = config_.tasks.registry_password_file,
                               .plain_http_hosts = config_.tasks.plain_http_registries,
                               .layer_store = config_.tasks.layer_store,
                               .guest_directories = config_.tasks.directories,
                               .http = parts_.http});
}

Result<PreparedModule> TeeWasmRuntime::open(const StartCommand& task, const std::stop_token& stop,
                                            TeeTimings& timings) {
  TRY(check_reference(task));
  const auto choice = TRY(key_choice(task, config_.tee));
  const auto keys = TRY(parts_.tee.keys(task.kbs_uri));
  const auto start = steady_clock::now();
  const auto source = TRY(open_source(task, stop));
  const auto summary = TRY(image::inspect_image(*source));
  TRY(check_encrypted(task, summary));
  const auto timed = std::make_shared<TimedSource>(keys->source, timings);
  const auto pulled = TRY(workload::pull_module(*source, summary, choice, timed));
  timings.pull_and_decrypt = std::chrono::duration_cast<Duration>(steady_clock::now() - start);
  timings.module_bytes = pulled.module.size();
  TRY(check_module_digest(task, pulled.module.expose()));
  log::info("worker.opened", "an encrypted module was opened",
            {{"task", task.id}, {"image", summary.manifest_digest.text()}, {"keys", keys->source->describe()}});
  return in_process_.prepare(task, pulled.module.expose());
}

RunReport TeeWasmRuntime::run(const PreparedModule& module, const Run& run, const std::stop_token& stop) {
  return in_process_.run(*module.compiled, run, stop);
}

}  // namespace coffer::fleet::worker
