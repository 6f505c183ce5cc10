#include "fleet/worker/worker.h"

#include "base/log.h"
#include "fleet/messages.h"
#include "fleet/worker/detail/worker_impl.h"
#include "fleet/worker/unsent_result.h"

namespace coffer::fleet::worker {
namespace {

constexpr Duration drain_time = std::chrono::seconds{5};

// All but the way to the proxy, whose pieces are checked by digest and signature, and stay encrypted where they are.
bool is_sealed(const Topics& topics, std::string_view topic) {
  const auto kind = topics.classify(topic);
  return kind != Topic::fetch && kind != Topic::chunk;
}

}  // namespace

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
