#include "fleet/worker/worker.h"

#include <algorithm>

#include "base/log.h"
#include "fleet/messages.h"
#include "fleet/worker/dispatcher.h"
#include "fleet/worker/heartbeat.h"
#include "fleet/worker/monitor.h"
#include "fleet/worker/outbox.h"
#include "fleet/worker/plugins/plugins.h"
#include "fleet/worker/rounds/round_exchange.h"
#include "fleet/worker/runtimes/host_runtime.h"
#include "fleet/worker/runtimes/http_task.h"
#include "fleet/worker/runtimes/tee_runtime.h"
#include "fleet/worker/runtimes/wasm_runtime.h"
#include "fleet/worker/trust/attestation_keeper.h"
#include "fleet/worker/trust/sealed_link.h"
#include "fleet/worker/trust/sealed_metrics.h"
#include "fleet/worker/unsent_result.h"
#include "fleet/worker/worker_metrics.h"
#include "net/http_server.h"

namespace coffer::fleet::worker {
namespace {

constexpr Duration drain_time = std::chrono::seconds{5};

wasm::RuntimeOptions engine_options(const TaskConfig& config, bool with_hal) {
  // Tasks and daemons, and some room for those that are just ending; one that serves has an instance a request.
  const auto serving = config.http.enabled ? std::min(config.max_tasks * http_requests_at_once, 512U) : 0U;
  return {.max_instances = config.max_tasks * 2 + serving + 16 + Plugins::max_plugins,
          .memory_cache_entries = 64,
          .host_interfaces = with_hal ? workload::hal::interfaces() : std::vector<wasm::HostInterface>{}};
}

// All but the way to the proxy, whose pieces are checked by digest and signature, and stay encrypted where they are.
bool is_sealed(const Topics& topics, std::string_view topic) {
  const auto kind = topics.classify(topic);
  return kind != Topic::fetch && kind != Topic::chunk;
}

}  // namespace

// In the order in which they need each other: what stands lower goes first.
struct Worker::Impl {
  Impl(Config given, Topics channel_topics) : config(std::move(given)), topics(std::move(channel_topics)) {}

  Result<> open(const std::filesystem::path& root);
  Result<> open_plugins();
  Result<> open_link();
  Result<> open_runtimes();
  Result<> open_sealer();
  void open_dispatcher();
  void open_reports();
  Result<> serve_metrics();
  Result<> connect();
  void stop();

  Result<> send(net::MqttMessage message);
  net::MqttClient::Done watch(const net::MqttMessage& message);
  Alive offline() const;
  void on_message(const net::MqttMessage& message);
  void take(Topic topic, std::string_view payload);
  void on_connected();
  void publish(Topic topic, std::string payload, Outbox::Instant not_before = {});
  // What nobody needs later is not kept while there is no connection.
  void publish_now_or_never(Topic topic, std::string payload);
  void add_round_inputs(RoundExchange::Environment& environment) const;
  void deliver_update(const RoundExchange::Environment& environment, const std::string& update);
  void send_update(const RoundExchange::Environment& environment, const std::string& update);
  Capabilities capabilities() const;
  net::ServerResponse answer(const net::ServerRequest& request) const;

  Config config;
  Topics topics;
  std::unique_ptr<WorkerMetrics> metrics;
  Tracing tracing;
  std::unique_ptr<TeeAccess> tee;
  std::shared_ptr<net::HttpClient> http;
  std::optional<wasm::Runtime> engine;
  std::unique_ptr<Plugins> plugins;
  std::shared_ptr<const TaskHal> hal;
  ChunkAssembler chunks;
  std::unique_ptr<net::MqttClient> mqtt;
  std::unique_ptr<Outbox> outbox;
  std::unique_ptr<RoundExchange> rounds;
  std::optional<SignaturePolicy> signatures;
  std::unique_ptr<ModuleLoader> loader;
  std::unique_ptr<WasmRuntime> wasm_runtime;
  std::unique_ptr<HostRuntime> host_runtime;
  std::unique_ptr<TeeWasmRuntime> tee_runtime;
  std::unique_ptr<Monitor> monitor;
  std::unique_ptr<AttestationKeeper> keeper;
  std::unique_ptr<UpdateSealer> sealer;
  std::unique_ptr<Dispatcher> dispatcher;
  std::unique_ptr<Heartbeat> heartbeat;
  std::optional<SealedMetrics> sealed_metrics;
  std::unique_ptr<SealedLink> link;  // where payloads are sealed
  std::unique_ptr<net::HttpServer> server;
  std::atomic<net::MqttClient*> client = nullptr;  // mqtt's, once it is there: its own thread is there sooner
  std::atomic<bool> connected_before = false;
};

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

Result<> Worker::Impl::connect() {
  auto options = std::move(config.mqtt);
  // Where payloads are sealed, a will would be a plain one: it is the broker's word, not ours.
  if (config.last_will && !link) {
    options.last_will = net::MqttMessage{topics.of(Topic::alive), to_bytes(to_json(offline())), 0};
  }
  mqtt = TRY(
      net::MqttClient::start(std::move(options), {.on_message = [this](const net::MqttMessage& m) { on_message(m); },
                                                  .on_connected = [this] { on_connected(); },
                                                  .on_disconnected =
                                                      [](const Error& why) {
                                                        log::warn("worker.disconnected", why.message,
                                                                  {{"code", std::string{why.code.name()}}});
                                                      }}));
  for (const auto topic : {Topic::start, Topic::stop, Topic::invoke, Topic::chunk}) {
    TRY(mqtt->subscribe(topics.of(topic), config.qos));
  }
  client = mqtt.get();
  // A connection that was made meanwhile could not be announced yet.
  if (mqtt->connected()) heartbeat->announce();
  if (link) link->start();
  keeper->start();
  return {};
}

Result<> Worker::Impl::send(net::MqttMessage message) {
  auto* const sender = client.load();
  if (sender == nullptr) return fail(net::NetError::queue_full, "the MQTT client is just being made");
  auto done = watch(message);
  if (!link || !is_sealed(topics, message.topic)) return sender->publish(std::move(message), std::move(done));
  auto sealed = link->seal(message.topic, as_text(message.payload));
  // To be tried again: what is said waits for the key, as it waits for room.
  if (!sealed) return fail(net::NetError::queue_full, sealed.error().message);
  message.payload = to_bytes(*sealed);
  return sender->publish(std::move(message), std::move(done));
}

// A result that the broker does not take must not leave its task waiting: something shorter goes in its place.
net::MqttClient::Done Worker::Impl::watch(const net::MqttMessage& message) {
  const auto topic = topics.classify(message.topic);
  const bool is_result = topic == Topic::results || topic == Topic::invoke_results;
  if (!is_result || message.payload.size() <= surely_taken) return {};
  return [this, topic = *topic, payload = message.payload](const Result<>& sent) {
    if (sent) return;
    const auto& code = sent.error().code;
    if (code != net::NetError::not_taken && code != net::NetError::too_large) return;
    if (auto instead = unsent_result(topic, as_text(payload), sent.error())) publish(topic, std::move(*instead));
  };
}

Alive Worker::Impl::offline() const {
  return {.proplet_id = config.identity.entity, .status = std::string{Alive::offline}, .name_space = config.name_space};
}

void Worker::Impl::on_connected() {
  log::info("worker.connected", "in touch with the MQTT broker", {{"channel", topics.base()}});
  if (connected_before.exchange(true)) metrics->reconnected();
  heartbeat->announce();
}

void Worker::Impl::on_message(const net::MqttMessage& message) {
  const auto topic = topics.classify(message.topic);
  if (!topic) return;
  if (!link || *topic == Topic::chunk) return take(*topic, as_text(message.payload));
  if (const auto payload = link->open(message.topic, as_text(message.payload))) take(*topic, *payload);
}

void Worker::Impl::take(Topic topic, std::string_view payload) {
  switch (topic) {
    case Topic::start: return dispatcher->start(payload);
    case Topic::stop: return dispatcher->stop(payload);
    case Topic::invoke: return dispatcher->invoke(payload);
    case Topic::chunk: break;
    default: return;
  }
  auto chunk = parse_chunk(payload);
  const auto accepted = chunk ? chunks.accept(std::move(*chunk)) : Result<>{std::unexpected(chunk.error())};
  // Every worker of the channel hears every chunk; most are for others.
  if (accepted || accepted.error().code == FleetError::unknown_assembly) return;
  log::warn("worker.bad_chunk", accepted.error().message, {{"code", std::string{accepted.error().code.name()}}});
}

void Worker::Impl::publish(Topic topic, std::string payload, Outbox::Instant not_before) {
  outbox->send({.topic = topics.of(topic), .payload = to_bytes(payload), .qos = config.qos}, not_before);
}

void Worker::Impl::publish_now_or_never(Topic topic, std::string payload) {
  const auto* const sender = client.load();
  if (link && !link->ready()) return;
  if (sender != nullptr && sender->connected()) publish(topic, std::move(payload));
}

// To the coordinator, or by upstream's topic for want of one that answers.
void Worker::Impl::deliver_update(const RoundExchange::Environment& environment, const std::string& update) {
  if (!rounds->deliver(environment, update)) send_update(environment, update);
}

void Worker::Impl::send_update(const RoundExchange::Environment& environment, const std::string& update) {
  const auto round = environment.find("ROUND_ID");
  if (round == environment.end()) return;
  outbox->send({.topic = round_update_topic(round->second, config.identity.entity),
                .payload = to_bytes(update),
                .qos = config.qos});
}

Capabilities Worker::Impl::capabilities() const {
  const auto machine = read_machine_facts();
  Capabilities out{.tee = tee->tee(),
                   .attestation = keeper->current(system_clock().now()),
                   .runtimes = {"wasm"},
                   .memory_bytes = machine.memory_bytes,
                   .memory_available_bytes = machine.memory_available_bytes,
                   .running_tasks = dispatcher->running(),
                   .max_tasks = config.tasks.max_tasks,
                   .tags = config.tags};
  if (host_runtime) out.runtimes.emplace_back("host");
  if (!tee->refusal()) out.runtimes.emplace_back("tee");
  return out;
}

// Tasks first, then their results, then the connection; after it nobody calls in here any more.
void Worker::Impl::stop() {
  if (link) link->stop();
  if (server) server->stop();
  chunks.close();
  if (dispatcher) dispatcher->finish();
  if (heartbeat) heartbeat->stop();
  // An orderly end is told like any other, so that nobody is sent work that nobody is there to do.
  if (config.last_will) publish_now_or_never(Topic::alive, to_json(offline()));
  if (outbox) outbox->flush();
  if (mqtt) mqtt->stop(drain_time);
  keeper.reset();
  monitor.reset();
  tracing.stop();
}

Worker::Worker(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Worker::~Worker() {
  stop();
}

void Worker::stop() {
  if (impl_) impl_->stop();
}

std::string Worker::metrics_address() const {
  return impl_->server ? impl_->server->addresses().front() : "";
}

Result<std::unique_ptr<Worker>> Worker::start(Config config, const std::filesystem::path& root) {
  for (const auto& notice : config.notices) log::warn("worker.config", notice);
  if (!is_uuid(config.identity.entity)) {
    log::warn("worker.config", "the entity id is no UUID: managers refuse such workers in their REST API",
              {{"entity_id", config.identity.entity}});
  }
  auto topics = TRY(Topics::create(config.identity.tenant, config.identity.channel));
  auto worker = std::unique_ptr<Worker>(new Worker(std::make_unique<Impl>(std::move(config), std::move(topics))));
  TRY(worker->impl_->open(root));
  return worker;
}

}  // namespace coffer::fleet::worker
