#include "fleet/proxy/proxy.h"

#include <atomic>
#include <chrono>
#include <map>
#include <mutex>
#include <thread>

#include "base/log.h"
#include "base/printable.h"
#include "base/version.h"
#include "codec/json.h"
#include "fleet/proxy/fetch_queue.h"
#include "fleet/proxy/fetcher.h"
#include "fleet/proxy/proxy_metrics.h"
#include "fleet/registry_messages.h"
#include "net/http_server.h"

namespace coffer::fleet::proxy {
namespace {

using codec::json::Object;

std::string_view name_of(FetchQueue::Admission admission) {
  switch (admission) {
    case FetchQueue::Admission::queued: return "queued";
    case FetchQueue::Admission::joined: return "joined";
    case FetchQueue::Admission::repeated: return "repeated";
    case FetchQueue::Admission::full: return "full";
  }
  std::unreachable();
}

}  // namespace

struct Proxy::Impl {
  Impl(Config given, std::unique_ptr<ProxyMetrics> counted)
      : config(std::move(given)), metrics(std::move(counted)), queue(config.max_queue) {}
  ~Impl() { stop(); }

  void on_message(const net::MqttMessage& message);
  bool remember_trace(const FetchRequest& request);
  std::string take_trace(const std::string& app_name);
  void refuse(const std::string& app_name, const Error& why);
  void work();
  void fetch(const std::string& app_name);
  Result<> send(const std::string& app_name, const Chunk& chunk);
  net::ServerResponse answer(const net::ServerRequest& request);
  Result<> connect(net::MqttOptions options);
  Result<> listen();
  void stop();

  const Config config;
  std::optional<Fetcher> fetcher{};  // reads `config`
  const std::unique_ptr<ProxyMetrics> metrics;
  Tracing tracing{};
  std::mutex traces_mutex;
  std::map<std::string, std::string> traces;  // by image that waits: what its first request belongs to
  FetchQueue queue;
  std::atomic<bool> stopping = false;
  const std::string instance = random_uuid();
  std::unique_ptr<net::MqttClient> mqtt;
  std::unique_ptr<net::HttpServer> http;
  std::vector<std::jthread> workers;
};

void Proxy::Impl::on_message(const net::MqttMessage& message) {
  const auto request = parse_fetch_request(as_text(message.payload));
  if (!request) {
    log::warn("proxy.bad_request", request.error().message, {{"code", std::string{request.error().code.name()}}});
    metrics->requested("malformed");
    return;
  }
  const bool remembered = remember_trace(*request);  // before a thread can take it
  const auto admission = queue.add(request->app_name);
  metrics->requested(name_of(admission));
  const bool waits = admission == FetchQueue::Admission::queued || admission == FetchQueue::Admission::repeated;
  if (remembered && !waits) take_trace(request->app_name);
  if (admission == FetchQueue::Admission::full)
    refuse(request->app_name, Error{ProxyError::busy, "expected at most " + std::to_string(config.max_queue) +
                                                          " images to wait for this proxy"});
}

// A message of few bytes; where even the queue for those is full, the worker's own time limit tells it.
void Proxy::Impl::refuse(const std::string& app_name, const Error& why) {
  log::warn("proxy.refused", why.message,
            {{"image", printable(app_name, 256)}, {"code", std::string{why.code.name()}}});
  const Chunk answer{.app_name = app_name, .error = why.message, .code = std::string{why.code.name()}};
  (void)mqtt->publish(
      {.topic = config.topics.of(Topic::chunk), .payload = to_bytes(to_json(answer)), .qos = config.fetch.qos});
}

Result<> Proxy::Impl::send(const std::string& app_name, const Chunk& chunk) {
  if (stopping) return fail(ProxyError::stopping, "the proxy is stopping");
  if (chunk.index == 0) queue.sending(app_name);
  const std::size_t size = chunk.data.size();
  TRY(mqtt->publish_and_wait(
      {.topic = config.topics.of(Topic::chunk), .payload = to_bytes(to_json(chunk)), .qos = config.fetch.qos},
      config.fetch.chunk_timeout));
  metrics->chunk_sent(size);
  return {};
}

// The first request of those that wait for an image is the one whose trace its fetch belongs to.
bool Proxy::Impl::remember_trace(const FetchRequest& request) {
  if (!tracing.tracer().enabled()) return false;
  const std::scoped_lock lock(traces_mutex);
  return traces.try_emplace(request.app_name, request.traceparent).second;
}

std::string Proxy::Impl::take_trace(const std::string& app_name) {
  const std::scoped_lock lock(traces_mutex);
  const auto found = traces.extract(app_name);
  return found ? found.mapped() : std::string{};
}

void Proxy::Impl::fetch(const std::string& app_name) {
  const auto began = std::chrono::steady_clock::now();
  const auto parent = net::TraceContext::parse(take_trace(app_name));
  auto span = tracing.tracer().start("image.fetch", {.parent = parent, .kind = net::SpanKind::consumer});
  span.set("image", app_name);
  const auto outcome = fetcher->fetch(app_name, [&](const Chunk& chunk) { return send(app_name, chunk); });
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
  metrics->fetched(outcome, took.count());
  span.note(outcome);
  if (!outcome) return refuse(app_name, outcome.error());
  span.set("bytes", static_cast<std::int64_t>(outcome->bytes));
  span.set("encrypted", outcome->encrypted);
  log::info("proxy.sent", "",
            {{"image", app_name},
             {"layer", outcome->digest},
             {"chunks", std::to_string(outcome->chunks)},
             {"bytes", std::to_string(outcome->bytes)},
             {"encrypted", outcome->encrypted ? "true" : "false"}});
}

void Proxy::Impl::work() {
  while (const auto app_name = queue.take()) {
    fetch(*app_name);
    queue.done(*app_name);
  }
}

net::ServerResponse Proxy::Impl::answer(const net::ServerRequest& request) {
  if (request.method != "GET" && request.method != "HEAD")
    return net::ServerResponse::text(405, "application/json", R"({"error":"expected GET","code":"proxy.method"})");
  if (request.path == "/metrics") {
    metrics->observe(queue.waiting(), queue.running(), mqtt->connected(), mqtt->statistics().reconnects);
    return net::ServerResponse::text(200, net::MetricsRegistry::content_type, metrics->exposition());
  }
  if (request.path != "/health")
    return net::ServerResponse::text(404, "application/json", R"({"error":"no such page","code":"proxy.not_found"})");
  const Object health{{"status", mqtt->connected() ? "pass" : "warn"},
                      {"version", std::string{version()}},
                      {"commit", ""},
                      {"description", "proxy service"},
                      {"build_time", ""},
                      {"instance_id", instance},
                      {"connected", mqtt->connected()},
                      {"running", queue.running()},
                      {"waiting", queue.waiting()}};
  return net::ServerResponse::text(200, "application/health+json", codec::json::serialize(health));
}

Result<> Proxy::Impl::connect(net::MqttOptions options) {
  mqtt = TRY(net::MqttClient::start(std::move(options),
                                    {.on_message = [this](net::MqttMessage message) { on_message(message); }}));
  // Only from here on do messages come.
  return mqtt->subscribe(config.topics.of(Topic::fetch), config.fetch.qos);
}

Result<> Proxy::Impl::listen() {
  if (config.http_address.empty()) return {};
  http = TRY(net::HttpServer::start({.sockets = {config.http_address}, .workers = 1, .max_queue = 16},
                                    [this](const net::ServerRequest& request) { return answer(request); }));
  log::info("proxy.listening", "", {{"http", http->addresses().front()}});
  return {};
}

void Proxy::Impl::stop() {
  if (stopping.exchange(true)) return;
  queue.close();
  if (http != nullptr) http->stop();
  // A chunk that waits for a broker that is away would wait out its time.
  const bool connected = mqtt != nullptr && mqtt->connected();
  if (mqtt != nullptr && !connected) mqtt->stop();
  workers.clear();
  if (mqtt != nullptr) mqtt->stop(std::chrono::seconds{2});
  tracing.stop();
}

Proxy::Proxy(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Proxy::~Proxy() = default;

Result<std::unique_ptr<Proxy>> Proxy::start(Config config) {
  auto metrics = TRY(ProxyMetrics::create());
  net::MqttOptions mqtt = std::move(config.mqtt);
  mqtt.max_queue = 65'536;  // of answers that refuse, which are short; their bytes are bounded with the chunks'
  mqtt.max_queue_bytes = (config.concurrent_fetches + 1) * config.fetch.max_message;
  auto impl = std::make_unique<Impl>(std::move(config), std::move(metrics));
  impl->fetcher = TRY(Fetcher::create(impl->config.fetch));
  impl->tracing = TRY(Tracing::start(impl->config.tracing, "proxy", impl->instance, impl->metrics->registry()));
  TRY(impl->connect(std::move(mqtt)));
  TRY(impl->listen());
  for (unsigned left = impl->config.concurrent_fetches; left > 0; --left)
    impl->workers.emplace_back([raw = impl.get()] { raw->work(); });
  return std::unique_ptr<Proxy>{new Proxy{std::move(impl)}};
}

std::string Proxy::http_address() const {
  return impl_->http == nullptr ? std::string{} : impl_->http->addresses().front();
}

Result<> Proxy::wait_connected(Duration timeout) {
  return impl_->mqtt->wait_connected(timeout);
}

void Proxy::stop() {
  impl_->stop();
}

}  // namespace coffer::fleet::proxy
