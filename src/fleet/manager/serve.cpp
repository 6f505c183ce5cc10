#include "fleet/manager/serve.h"

#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <mutex>
#include <thread>

#include "base/log.h"
#include "fleet/manager/inbox.h"
#include "fleet/manager/manager_metrics.h"
#include "fleet/manager/mqtt_outbox.h"
#include "fleet/manager/rest/rest.h"
#include "fleet/manager/round_updates.h"
#include "fleet/manager/sealed_wire.h"

namespace coffer::fleet::manager {
namespace {

constexpr std::size_t max_file = 4U << 20;
constexpr std::size_t result_threads = 8;

// What stands where a result names its task; good enough to keep two of one task in their order.
std::string_view task_in(std::string_view payload) {
  const auto place = payload.find("\"task_id\"");
  return place == std::string_view::npos ? std::string_view{} : payload.substr(place + 9, 42);
}

Result<std::string> read_file(const std::string& path, std::string_view what) {
  std::error_code error;
  const auto size = std::filesystem::file_size(path, error);
  std::ifstream stream(path, std::ios::binary);
  if (error || !stream || size > max_file) {
    return fail(ConfigError::unreadable, std::string{what} + ": " + path + " cannot be read, or is over 4 MiB");
  }
  return std::string{std::istreambuf_iterator<char>{stream}, {}};
}

Result<std::unique_ptr<storage::SqlDatabase>> open_database(const Config& config) {
  switch (config.storage) {
    case StorageKind::memory: return storage::open_sqlite_database({});
    case StorageKind::postgres: return storage::open_postgres_database(config.postgres);
    case StorageKind::sqlite: break;
  }
  const std::filesystem::path file = config.sqlite_path;
  std::error_code error;
  if (file.has_parent_path()) std::filesystem::create_directories(file.parent_path(), error);
  return storage::open_sqlite_database(file);
}

Result<Access> open_access(const Config& config) {
  if (config.insecure_open) {
    log::warn("fleet.open", "EVERYBODY MAY USE THE API (--insecure-open), as with upstream's manager");
    return Access::open();
  }
  auto access = TRY(Access::parse(TRY(read_file(config.auth_file, "MANAGER_AUTH_FILE")), config.auth_file));
  if (!access.knows_certificates() || !config.client_roots.empty()) return access;
  return fail(
      ConfigError::missing,
      config.auth_file + " has a [[certificate]], and no client is asked for one: set MANAGER_HTTP_CLIENT_CA_CERTS");
}

Result<SecretBytes> coordinator_token(const Config& config) {
  if (config.coordinator_token_file.empty()) return SecretBytes{};
  auto text = TRY(read_file(config.coordinator_token_file, "MANAGER_COORDINATOR_TOKEN_FILE"));
  while (text.ends_with('\n') || text.ends_with('\r')) text.pop_back();
  auto token = SecretBytes::copy_of(std::string_view{text});
  wipe({reinterpret_cast<std::byte*>(text.data()), text.size()});
  return token;
}

Result<net::ServerOptions> server_options(Config& config) {
  auto options = std::move(config.http);
  auto host = config.http_host == "localhost" ? "127.0.0.1" : config.http_host;
  if (host.contains(':')) host = "[" + host + "]";
  options.sockets = {host + ":" + std::to_string(config.http_port)};
  options.refusal = Rest::refusal;
  if (config.certificate.empty()) return options;
  net::TlsIdentity identity;
  identity.certificate_chain_pem = TRY(read_file(config.certificate, "MANAGER_HTTP_SERVER_CERT"));
  auto key = TRY(read_file(config.certificate_key, "MANAGER_HTTP_SERVER_KEY"));
  identity.private_key_pem = SecretBytes::copy_of(std::string_view{key});
  wipe({reinterpret_cast<std::byte*>(key.data()), key.size()});
  options.tls = std::move(identity);
  if (config.client_roots.empty()) return options;
  options.client_certificates = net::ClientCertificates {
    .root_pems = TRY(read_file(config.client_roots, "MANAGER_HTTP_CLIENT_CA_CERTS"))
    , .required = config.client_certificate_required
  };
  return options;
}

// Runs `work` when woken, never twice at once.
class Waker {
 public:
  ~Waker() { stop(); }
  void start(std::function<void()> work) {
    thread_ = std::jthread([this, work = std::move(work)] {
      for (std::unique_lock lock(mutex_);;) {
        wake_.wait(lock, [&] { return wanted_ || stopping_; });
        if (stopping_) return;
        wanted_ = false;
        lock.unlock();
        work();
        lock.lock();
      }
    });
  }
  void wake() {
    {
      const std::scoped_lock lock(mutex_);
      if (std::exchange(wanted_, true)) return;
    }
    wake_.notify_one();
  }
  void stop() {
    {
      const std::scoped_lock lock(mutex_);
      stopping_ = true;
    }
    wake_.notify_one();
    thread_ = {};
  }

 private:
  std::mutex mutex_;
  std::condition_variable wake_;
  bool wanted_ = false, stopping_ = false;
  std::jthread thread_;
};

// Runs `work` once a second.
class Ticker {
 public:
  void start(std::function<void()> work) {
    thread_ = std::jthread([this, work = std::move(work)](const std::stop_token& stop) {
      std::unique_lock lock(mutex_);
      while (!wake_.wait_for(lock, stop, std::chrono::seconds{1}, [] { return false; }) && !stop.stop_requested()) {
        work();
      }
    });
  }
  void stop() { thread_ = {}; }

 private:
  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::jthread thread_;
};

}  // namespace

struct RunningManager::Impl {
  explicit Impl(Topics t, const Config& config)
      : topics(std::move(t)),
        outbox(topics, config.qos, std::min<Duration>(config.mqtt_timeout, std::chrono::seconds{10})) {}

  Topics topics;
  MqttOutbox outbox;
  SealedOutbox sealed_outbox{outbox};
  net::MetricsRegistry metrics;
  std::unique_ptr<SealedWire> wire;
  Tracing tracing;
  Waker dispatcher;
  Ticker ticker;
  std::unique_ptr<Manager> manager;
  std::unique_ptr<ManagerMetrics> figures;
  std::vector<std::unique_ptr<Inbox>> results;
  std::unique_ptr<Inbox> presence;
  std::unique_ptr<RoundUpdates> rounds;  // where there is a coordinator
  std::unique_ptr<Inbox> round_updates;
  std::unique_ptr<net::MqttClient> mqtt;
  std::unique_ptr<Rest> rest;
  std::unique_ptr<net::HttpServer> server;
  std::string url;
  bool stopped = false;

  Result<> start(Config& config);
  Result<> start_manager(Config& config);
  Result<> start_mqtt(Config& config);
  Result<> start_http(Config& config);
  Result<> start_wire(const Config& config);
  void on_message(net::MqttMessage message);
  void take(const std::string& topic, SealedWire::Incoming incoming, std::shared_ptr<const void> receipt);
  bool is_of_ours(const std::string& topic) const;
  void take_round_update(const std::string& topic, std::string_view payload);
  Result<> start_rounds(const Config& config);
  void dispatch();
};

void RunningManager::Impl::dispatch() {
  const auto given = manager->dispatch();
  if (!given)
    log::warn("fleet.dispatch_failed", given.error().message, {{"code", std::string{given.error().code.name()}}});
}

// Presence and measurements keep their order (a worker announces itself again, so nobody waits for their end), and so
// do the results of a task; those of several are worked on side by side, for they wait for the disk together.
void RunningManager::Impl::on_message(net::MqttMessage message) {
  const auto topic = topics.classify(message.topic);
  if (!topic || (*topic == Topic::round_update && !is_of_ours(message.topic))) return;
  auto incoming = wire->incoming(message.topic, as_text(message.payload));
  if (incoming) take(message.topic, std::move(*incoming), std::move(message.receipt));
}

void RunningManager::Impl::take(const std::string& name, SealedWire::Incoming incoming,
                                std::shared_ptr<const void> receipt) {
  const auto topic = topics.classify(name);
  if (*topic == Topic::round_update) return take_round_update(name, incoming.payload);
  const bool is_result = *topic == Topic::results || *topic == Topic::invoke_results || *topic == Topic::round_start;
  auto& payload = incoming.payload;
  auto& inbox = is_result ? *results[std::hash<std::string_view>{}(task_in(payload)) % results.size()] : *presence;
  if (inbox.push(*topic, std::move(payload), is_result ? std::move(receipt) : nullptr, incoming.sent_at)) return;
  log::error("fleet.message_dropped", "more messages came than can be worked on", {{"topic", name}});
}

// The topic has no tenant: what workers of other managers send is heard here, too.
bool RunningManager::Impl::is_of_ours(const std::string& name) const {
  const auto topic = parse_round_update_topic(name);
  return topic && manager->worker(topic->proplet);
}

void RunningManager::Impl::take_round_update(const std::string& name, std::string_view payload) {
  const auto topic = parse_round_update_topic(name);
  if (!topic || !round_updates) return;
  auto document = round_update_document(*topic, payload);
  if (!document) {
    log::warn("fleet.message_unreadable", document.error().message, {{"topic", name}});
  } else if (!round_updates->push(Topic::round_update, std::move(*document))) {
    log::error("fleet.message_dropped", "more messages came than can be worked on", {{"topic", name}});
  }
}

// Upstream's workers send on this topic where they do not reach the coordinator, and most brokers do not let them.
Result<> RunningManager::Impl::start_rounds(const Config& config) {
  if (config.coordinator_url.empty()) return {};
  rounds = std::make_unique<RoundUpdates>(config.coordinator_url, TRY(net::HttpClient::create()));
  round_updates = std::make_unique<Inbox>(
      1, 1000, 64U << 20, [this](Topic, std::string_view document, auto) { return rounds->forward(document); });
  return {};
}

Result<> RunningManager::Impl::start_wire(const Config& config) {
  wire = TRY(SealedWire::create(
      config.group_key, topics, config.identity.entity, metrics,
      [this](const std::string& topic, SealedWire::Incoming incoming) { take(topic, std::move(incoming), nullptr); }));
  sealed_outbox.set(wire.get());
  return {};
}

Result<> RunningManager::Impl::start_manager(Config& config) {
  if (config.manager.id.empty()) config.manager.id = random_uuid();
  tracing = TRY(Tracing::start(config.tracing, "manager", config.manager.id, metrics));
  std::optional<WorkerTrust> trust;
  if (config.trust) trust = TRY(WorkerTrust::create(*config.trust));
  // A plugin decides who may run what: without one that is there, nothing starts.
  std::unique_ptr<Plugins> plugins;
  if (!config.plugins.directory.empty()) plugins = TRY(Plugins::load(config.plugins, metrics));
  manager = TRY(Manager::create(config.manager, {
    .database = TRY(open_database(config))
    , .outbox = sealed_outbox, .checker = AttestationChecker{std::move(trust), config.proof_lifetime},
        .wake = [this] { dispatcher.wake(); }, .tracer = &tracing.tracer(), .plugins = std::move(plugins)
  }));
  figures = TRY(ManagerMetrics::create(metrics));
  const auto take = [this](Topic topic, std::string_view payload, std::optional<TimePoint> sent_at) {
    return manager->on_message(topic, payload, sent_at);
  };
  for (std::size_t i = 0; i < result_threads; ++i) {
    results.push_back(std::make_unique<Inbox>(1, 20'000, 64U << 20, take));
  }
  presence = std::make_unique<Inbox>(1, 100'000, 128U << 20, take);
  return {};
}

Result<> RunningManager::Impl::start_mqtt(Config& config) {
  net::MqttHandlers handlers;
  handlers.on_message = [this](net::MqttMessage message) { on_message(std::move(message)); };
  handlers.on_connected = [this] {
    log::info("fleet.broker_connected", {});
    dispatcher.wake();
  };
  handlers.on_disconnected = [](const Error& why) {
    log::warn("fleet.broker_lost", why.message, {{"code", std::string{why.code.name()}}});
  };
  mqtt = TRY(net::MqttClient::start(std::move(config.mqtt), std::move(handlers)));
  // What tells the present state is of QoS 0, so that the broker keeps room for results while no manager runs. Of QoS 2
  // the broker forgets a message before libmosquitto shows it, and a manager that is killed then loses it: with QoS 1
  // it comes again until it was committed, and what comes twice counts once.
  for (const auto topic : {Topic::alive, Topic::node_metrics, Topic::task_metrics}) {
    TRY(mqtt->subscribe(topics.of(topic), 0));
  }
  for (const auto topic : {Topic::discovery, Topic::results, Topic::invoke_results, Topic::round_start}) {
    TRY(mqtt->subscribe(topics.of(topic), std::min(config.qos, 1)));
  }
  if (round_updates) TRY(mqtt->subscribe(topics.of(Topic::round_update), std::min(config.qos, 1), true));
  outbox.set(mqtt.get());
  return {};
}

Result<> RunningManager::Impl::start_http(Config& config) {
  auto access = TRY(open_access(config));
  auto token = TRY(coordinator_token(config));
  RestOptions options{.access = std::move(access),
                      .coordinator_url = config.coordinator_url,
                      .coordinator_token = std::move(token),
                      .instance_id = manager->options().id,
                      .tracer = &tracing.tracer()};
  rest = TRY(Rest::create(*manager, std::move(options), metrics, system_clock()));
  server = TRY(net::HttpServer::start(TRY(server_options(config)),
                                      [this](const net::ServerRequest& request) { return rest->handle(request); }));
  url = (config.certificate.empty() ? "http://" : "https://") + server->addresses().front();
  log::info("fleet.listening", {}, {{"url", url}});
  if (config.url_file.empty()) return {};
  std::ofstream stream{config.url_file};
  stream << url << "\n";
  return stream ? Result<>{}
                : fail(ConfigError::unreadable, "MANAGER_URL_FILE: " + config.url_file + " cannot be written");
}

Result<> RunningManager::Impl::start(Config& config) {
  for (const auto& notice : config.notices) log::warn("fleet.notice", notice);
  TRY(start_wire(config));
  TRY(start_manager(config));
  TRY(start_rounds(config));
  dispatcher.start([this] { dispatch(); });
  TRY(start_mqtt(config));
  TRY(start_http(config));
  ticker.start([this] {
    wire->tick();
    manager->tick();
    figures->update(*manager, mqtt->statistics());
  });
  return {};
}

RunningManager::RunningManager(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

RunningManager::~RunningManager() {
  stop();
}

const std::string& RunningManager::url() const {
  return impl_->url;
}

void RunningManager::stop() {
  if (std::exchange(impl_->stopped, true)) return;
  if (impl_->server) impl_->server->stop();
  impl_->ticker.stop();
  impl_->dispatcher.stop();
  for (const auto& inbox : impl_->results) inbox->stop();
  if (impl_->presence) impl_->presence->stop();
  if (impl_->round_updates) impl_->round_updates->stop();
  impl_->outbox.set(nullptr);
  if (impl_->mqtt) impl_->mqtt->stop(std::chrono::seconds{2});
  if (impl_->manager) impl_->manager->close();
  impl_->tracing.stop();
}

Result<std::unique_ptr<RunningManager>> serve(Config config) {
  auto topics = TRY(Topics::create(config.identity.tenant, config.identity.channel));
  auto impl = std::make_unique<RunningManager::Impl>(std::move(topics), config);
  std::unique_ptr<RunningManager> running{new RunningManager(std::move(impl))};
  TRY(running->impl_->start(config));
  return running;
}

}  // namespace coffer::fleet::manager
