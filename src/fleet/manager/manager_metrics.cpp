#include "fleet/manager/manager_metrics.h"

namespace coffer::fleet::manager {

Result<std::unique_ptr<ManagerMetrics>> ManagerMetrics::create(net::MetricsRegistry& registry) {
  auto queued = TRY(registry.gauge({"manager_tasks_queued", "tasks that wait for a worker"}));
  auto encrypted = TRY(registry.gauge({"manager_encrypted_tasks_queued", "encrypted tasks that wait for a worker"}));
  auto workers = TRY(registry.gauge({"manager_proplets", "workers by state: alive, verified, silent", {"state"}}));
  auto running = TRY(registry.gauge({"manager_tasks_running", "tasks that workers were given"}));
  auto mqtt = TRY(registry.gauge({"manager_mqtt", "of the connection to the MQTT broker", {"figure"}}));
  return std::unique_ptr<ManagerMetrics>(new ManagerMetrics(queued, encrypted, workers, running, mqtt));
}

void ManagerMetrics::update(const Manager& manager, const net::MqttStatistics& mqtt) {
  const auto fleet = manager.figures();
  queued_.set(static_cast<double>(manager.queue_length()));
  encrypted_.set(static_cast<double>(manager.encrypted_queue_length()));
  running_.set(static_cast<double>(fleet.running));
  workers_.set(static_cast<double>(fleet.alive), {"alive"});
  workers_.set(static_cast<double>(fleet.verified), {"verified"});
  workers_.set(static_cast<double>(fleet.silent), {"silent"});
  mqtt_.set(static_cast<double>(mqtt.reconnects), {"reconnects"});
  mqtt_.set(static_cast<double>(mqtt.queued), {"queued"});
  mqtt_.set(static_cast<double>(mqtt.messages_in), {"messages_in"});
  mqtt_.set(static_cast<double>(mqtt.messages_out), {"messages_out"});
}

}  // namespace coffer::fleet::manager
