#include <algorithm>

#include "fleet/worker/detail/worker_impl.h"
#include "fleet/worker/runtimes/http_task.h"

namespace coffer::fleet::worker {
namespace {

wasm::RuntimeOptions engine_options(const TaskConfig& config, bool with_hal) {
  // Tasks and daemons, and some room for those that are just ending; one that serves has an instance a request.
  const auto serving = config.http.enabled ? std::min(config.max_tasks * http_requests_at_once, 512U) : 0U;
  return {.max_instances = config.max_tasks * 2 + serving + 16 + Plugins::max_plugins,
          .memory_cache_entries = 64,
          .host_interfaces = with_hal ? workload::hal::interfaces() : std::vector<wasm::HostInterface>{}};
}

}  // namespace

Result<> Worker::Impl::open(const std::filesystem::path& root) {
  metrics = TRY(WorkerMetrics::create());
  tracing = TRY(Tracing::start(config.tracing, "proplet", config.identity.entity, metrics->registry()));
  tee = TRY(TeeAccess::open(config, root));
  http = TRY(net::HttpClient::create({.user_agent = "coffer-worker", .extra_root_pems = config.http_root_pems}));
  engine = TRY(wasm::Runtime::create(engine_options(config.tasks, config.hal.enabled)));
  TRY(open_plugins());
  if (config.hal.enabled) hal = TaskHal::open(config.hal, config.identity.entity, *tee);
  outbox = std::make_unique<Outbox>([this](net::MqttMessage message) { return send(std::move(message)); });
  rounds = std::make_unique<RoundExchange>(http, process_environment());
  TRY(open_runtimes());
  TRY(open_sealer());
  open_dispatcher();
  open_reports();
  TRY(open_link());
  TRY(serve_metrics());
  return connect();
}

Result<> Worker::Impl::open_plugins() {
  if (config.plugins.directory.empty()) return {};
  auto calls = TRY(metrics->registry().counter(
      {"coffer_worker_plugin_calls_total", "Calls of plugins, by outcome", {"plugin", "hook", "outcome"}}));
  plugins = TRY(Plugins::load(
      *engine, config.plugins.directory,
      {.call_time = config.plugins.call_time,
       .observe = [calls](std::string_view plugin, std::string_view hook, std::string_view outcome) mutable {
         calls.increment({plugin, hook, outcome});
       }}));
  return {};
}

Result<> Worker::Impl::open_runtimes() {
  const auto& own_id = config.identity.entity;
  signatures.emplace(config.tasks.image_keys,
                     [this](const codec::ResourceUri& key, const std::string& kbs_uri) -> Result<SecretBytes> {
                       const auto keys = TRY(tee->keys(kbs_uri));
                       return keys->source->fetch(key);
                     });
  loader = std::make_unique<ModuleLoader>(
      config.tasks, ModuleLoader::Parts{.http = http,
                                        .chunks = &chunks,
                                        .ask_proxy = [this](const FetchRequest& request) -> Result<> {
                                          net::TraceStep step{"image.request", net::SpanKind::producer};
                                          auto traced = request;
                                          traced.traceparent = step.span().traceparent();
                                          publish(Topic::fetch, to_json(traced));
                                          return {};
                                        },
                                        .fetched = [this](std::size_t bytes) { metrics->fetched(bytes); },
                                        .signatures = &*signatures});
  wasm_runtime = std::make_unique<WasmRuntime>(*loader, InProcess{*engine, config.tasks, own_id, http, hal});
  const TeeWasmRuntime::Parts parts{.tee = *tee,
                                    .loader = *loader,
                                    .signatures = *signatures,
                                    .http = http,
                                    .observe = [this](const TeeTimings& timings) { metrics->opened(timings); }};
  tee_runtime = std::make_unique<TeeWasmRuntime>(config, parts, InProcess{*engine, config.tasks, own_id, http, hal});
  if (config.tasks.external_runtime.empty()) return {};
  host_runtime = TRY(HostRuntime::create(config.tasks, *loader, *engine, own_id));
  return {};
}

Result<> Worker::Impl::open_sealer() {
  using Environment = UpdateSealer::Environment;
  sealer = TRY(UpdateSealer::create(
      config.aggregators,
      {.http = http,
       .own_id = config.identity.entity,
       .token = [this](TimePoint now) { return keeper->live_token(now); },
       .aggregator = [this](const Environment& environment) { return rounds->coordinator(environment); },
       .fall_back = [this](const Environment& environment,
                           const std::string& update) { send_update(environment, update); }}));
  return {};
}

// Data that are learnt from in sealed rounds alone are given to no other task, whose result would go out plain.
void Worker::Impl::add_round_inputs(RoundExchange::Environment& environment) const {
  if (sealer->always() && !environment.contains("ROUND_ID")) return;
  rounds->add_inputs(environment);
}

void Worker::Impl::open_dispatcher() {
  const auto& own_id = config.identity.entity;
  monitor = std::make_unique<Monitor>(
      own_id, [this](const TaskMetrics& sample) { publish_now_or_never(Topic::task_metrics, to_json(sample)); });
  keeper = std::make_unique<AttestationKeeper>(
      *tee, own_id,
      AttestationKeeper::Observers{.changed = [this] { heartbeat->beat_now(); },
                                   .attempted = [this](const AttestationKeeper::Attempt& a) { metrics->attested(a); },
                                   .tracer = &tracing.tracer()});
  dispatcher = std::make_unique<Dispatcher>(
      config, Dispatcher::Parts{
                  .wasm = *wasm_runtime,
                  .host = host_runtime.get(),
                  .tee = *tee_runtime,
                  .tee_refusal = [this] { return tee->refusal(); },
                  .answer = [this](Topic topic, std::string payload,
                                   Outbox::Instant when) { publish(topic, std::move(payload), when); },
                  .sign = [this](ResultStatement statement) { return keeper->sign(std::move(statement)); },
                  .round_inputs = [this](RoundExchange::Environment& environment) { add_round_inputs(environment); },
                  .round_update = [this](const RoundExchange::Environment& environment,
                                         const std::string& update) { deliver_update(environment, update); },
                  .sealer = sealer.get(),
                  .hooks = plugins.get(),
                  .started =
                      [this](const StartCommand& task) {
                        metrics->task_started();
                        if (config.monitoring && task.monitoring_profile) {
                          monitor->watch(task.id, *task.monitoring_profile);
                        }
                      },
                  .ended =
                      [this](const StartCommand& task, std::string_view code) {
                        metrics->task_ended(code);
                        monitor->unwatch(task.id);
                      },
                  .tracer = &tracing.tracer()});
}

void Worker::Impl::open_reports() {
  heartbeat = std::make_unique<Heartbeat>(
      config,
      Heartbeat::Actions{
          .capabilities = [this] { return capabilities(); },
          .publish = [this](Topic topic, std::string payload) { publish_now_or_never(topic, std::move(payload)); },
          .measured = [this](const ProcessFacts& process, const MachineFacts& machine,
                             double cpu) { metrics->process(process, machine, cpu); }});
}

// The group's keys come from this worker's own broker, to an attested worker alone.
Result<> Worker::Impl::open_link() {
  sealed_metrics = TRY(SealedMetrics::create(metrics->registry()));
  const auto& key = config.group_key;
  if (!key.resource) return {};
  if (const auto refusal = tee->refusal()) {
    return fail(WorkerError::group_key_needs_tee, "PROPLET_GROUP_KEY: " + refusal->message);
  }
  sealed_metrics->has_key(false);
  link = std::make_unique<SealedLink>(
      SealedLink::Parts{.own_id = config.identity.entity,
                        .refresh = key.refresh,
                        .max_age = key.max_age,
                        .fetch = [this]() -> Result<GroupKeyKeeper::Fetched> {
                          const auto keys = TRY(tee->keys({}));
                          auto document = TRY(keys->source->fetch(*config.group_key.resource));
                          const auto token = TRY(keys->tokens->token());
                          return GroupKeyKeeper::Fetched{std::move(document), token->expires};
                        },
                        .deliver = [this](std::string_view topic,
                                          std::string_view payload) { take(topics.classify(topic).value(), payload); },
                        .attempted =
                            [this](const GroupKeyKeeper::Attempt& attempt) {
                              sealed_metrics->attempted(attempt);
                              if (attempt.first) heartbeat->announce();
                            },
                        .refused = [this](std::string_view code) { sealed_metrics->refused(code); }});
  return {};
}

Result<> Worker::Impl::serve_metrics() {
  if (config.metrics_address.empty()) return {};
  auto started = net::HttpServer::start({.sockets = {config.metrics_address}, .workers = 1},
                                        [this](const net::ServerRequest& request) { return answer(request); });
  if (!started) {
    return fail(started.error().code,
                "/metrics and /health: " + started.error().message + "; PROPLET_METRICS_PORT names another port");
  }
  server = std::move(*started);
  return {};
}

net::ServerResponse Worker::Impl::answer(const net::ServerRequest& request) const {
  if (request.method != "GET" && request.method != "HEAD") {
    return net::ServerResponse::text(405, "text/plain", "method not allowed\n");
  }
  if (request.path == "/health") {
    const codec::json::Object health{{"status", "ok"}, {"running_tasks", dispatcher->running()}};
    return net::ServerResponse::text(200, "application/json", codec::json::serialize(health));
  }
  if (request.path != "/metrics") return net::ServerResponse::text(404, "text/plain", "not found\n");
  metrics->tasks_running(dispatcher->running());
  metrics->modules_kept(tee_runtime->kept());
  return net::ServerResponse::text(200, net::MetricsRegistry::content_type, metrics->exposition());
}

}  // namespace coffer::fleet::worker
