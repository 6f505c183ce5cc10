// What a worker is made of: opened in worker_open.cpp, run in worker.cpp.
#pragma once

#include <atomic>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "fleet/worker/dispatcher.h"
#include "fleet/worker/heartbeat.h"
#include "fleet/worker/monitor.h"
#include "fleet/worker/outbox.h"
#include "fleet/worker/plugins/plugins.h"
#include "fleet/worker/rounds/round_exchange.h"
#include "fleet/worker/runtimes/host_runtime.h"
#include "fleet/worker/runtimes/tee_runtime.h"
#include "fleet/worker/runtimes/wasm_runtime.h"
#include "fleet/worker/trust/attestation_keeper.h"
#include "fleet/worker/trust/sealed_link.h"
#include "fleet/worker/trust/sealed_metrics.h"
#include "fleet/worker/worker.h"
#include "fleet/worker/worker_metrics.h"
#include "net/http_server.h"

namespace coffer::fleet::worker {

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

}  // namespace coffer::fleet::worker
