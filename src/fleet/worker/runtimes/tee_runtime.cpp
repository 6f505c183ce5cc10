#include "fleet/worker/runtimes/tee_runtime.h"

#include <mutex>

#include "base/log.h"
#include "fleet/worker/modules/chunk_image.h"
#include "image/pull.h"
#include "net/trace.h"
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
    const net::TraceScope scope(trace_);  // a thread of the pull's
    net::TraceStep step{"key.fetch", net::SpanKind::client};
    const auto start = steady_clock::now();
    auto key = next_->fetch(uri);
    step.span().note(key);
    const auto took = std::chrono::duration_cast<Duration>(steady_clock::now() - start);
    const std::scoped_lock lock(mutex_);
    timings_.keys.push_back({.took = took, .outcome = key ? "ok" : key.error().code.name()});
    return key;
  }
  std::string describe() const override { return next_->describe(); }

 private:
  std::shared_ptr<keyclient::ResourceSource> next_;
  const net::ActiveTrace trace_ = net::active_trace();  // of the task, for threads of the pull
  std::mutex mutex_;
  TeeTimings& timings_;
};

// Download and decryption are one pass over the bytes, and so one span.
Result<image::PulledModule> pull(image::ImageSource& source, const image::ImageSummary& summary,
                                 const workload::KeyChoice& choice,
                                 const std::shared_ptr<keyclient::ResourceSource>& keys) {
  net::TraceStep step{"image.pull_and_decrypt", net::SpanKind::client};
  step.span().set("image_digest", summary.manifest_digest.text());
  auto pulled = workload::pull_module(source, summary, choice, keys);
  step.span().note(pulled);
  return pulled;
}

}  // namespace

// One start, with what was decided about it before anything is fetched.
struct TeeWasmRuntime::Start {
  const StartCommand& task;
  workload::KeyChoice choice;
  SignatureDemand demand;
  std::shared_ptr<const workload::KeyAccess> keys;
  ModuleCache::Token token{};  // none where nothing is kept
  TeeTimings& timings;

  std::string broker() const { return keys->source->describe(); }
  // The image, and all that decides whether it may be opened, and with which key.
  std::string name_of(const image::Digest& image) const {
    const auto text = [](const std::optional<codec::ResourceUri>& key) { return key ? key->text() : std::string{}; };
    return image.text() + "\n" + text(choice.named) + "\n" + text(choice.otherwise) + "\n" + demand.fingerprint();
  }
};

TeeWasmRuntime::TeeWasmRuntime(const Config& config, Parts parts, InProcess in_process)
    : config_(config),
      parts_(std::move(parts)),
      in_process_(std::move(in_process)),
      pulls_(config.tasks.concurrent_pulls),
      cache_(config.tee.module_cache) {}

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
  auto choice = TRY(key_choice(task, config_.tee));
  auto demand = TRY(parts_.signatures.demand(task));
  auto keys = TRY(parts_.tee.keys(task.kbs_uri));
  Start start{.task = task,
              .choice = std::move(choice),
              .demand = std::move(demand),
              .keys = std::move(keys),
              .timings = timings};
  if (!cache_.enabled() || !start.keys->tokens) return open_image(start, *TRY(open_source(task, stop)));
  // This worker's attestation has to live now, whether or not anything is asked of the broker.
  start.token = TRY(start.keys->tokens->token());
  timings.kept = false;
  if (const auto pinned = pinned_digest(task.image_url)) {
    if (auto kept = TRY(from_kept(start, *pinned))) return *std::move(kept);
    return open_image(start, *TRY(open_source(task, stop)));
  }
  const auto source = TRY(open_source(task, stop));
  const auto named = TRY(source->manifest(std::nullopt));
  if (auto kept = TRY(from_kept(start, named.digest))) return *std::move(kept);
  return open_image(start, *source);
}

Result<std::optional<PreparedModule>> TeeWasmRuntime::from_kept(Start& start, const image::Digest& image) {
  const auto opened = cache_.find(start.broker(), start.name_of(image), start.token);
  if (!opened) return std::nullopt;
  start.timings.kept = true;
  const auto& task = start.task;
  const bool named = task.module_digest.empty() || task.module_digest == opened->compiled.digest();
  if (!named) TRY(check_module_digest(task, opened->module.expose()));
  log::info("worker.opened_before", "an encrypted module was still open",
            {{"task", task.id}, {"image", image.text()}, {"keys", start.broker()}});
  const bool as_compiled = opened->metered == in_process_.is_metered(task);
  if (!as_compiled) return TRY(in_process_.prepare(task, opened->module.expose()));
  return TRY(in_process_.prepare(task, opened->compiled));
}

Result<PreparedModule> TeeWasmRuntime::open_image(Start& start, image::ImageSource& source) {
  const auto& task = start.task;
  const auto begin = steady_clock::now();
  TRY(start.demand.check_image(source, task.id));
  const auto named = TRY(source.manifest(std::nullopt));
  const auto summary = TRY(image::inspect_image(source));
  TRY(check_encrypted(task, summary));
  const auto timed = std::make_shared<TimedSource>(start.keys->source, start.timings);
  auto pulled = TRY(pull(source, summary, start.choice, timed));
  start.timings.pull_and_decrypt = std::chrono::duration_cast<Duration>(steady_clock::now() - begin);
  start.timings.module_bytes = pulled.module.size();
  TRY(start.demand.check_module(pulled.module.expose(), task.id));
  TRY(check_module_digest(task, pulled.module.expose()));
  log::info("worker.opened", "an encrypted module was opened",
            {{"task", task.id}, {"image", summary.manifest_digest.text()}, {"keys", start.broker()}});
  auto prepared = TRY(in_process_.prepare(task, pulled.module.expose()));
  if (!start.token) return prepared;
  cache_.insert(
      start.broker(), start.name_of(named.digest), start.token,
      std::make_shared<const OpenedModule>(std::move(pulled.module), *prepared.compiled, in_process_.is_metered(task)));
  return prepared;
}

RunReport TeeWasmRuntime::run(const PreparedModule& module, const Run& run, const std::stop_token& stop) {
  return in_process_.run(module, run, stop);
}

}  // namespace coffer::fleet::worker
