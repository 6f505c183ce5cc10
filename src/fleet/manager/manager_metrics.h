// What Prometheus sees of a manager beside its requests.
#pragma once

#include <memory>

#include "fleet/manager/manager.h"
#include "net/metrics.h"
#include "net/mqtt.h"

namespace coffer::fleet::manager {

class ManagerMetrics {
 public:
  static Result<std::unique_ptr<ManagerMetrics>> create(net::MetricsRegistry& registry);
  void update(const Manager& manager, const net::MqttStatistics& mqtt);

 private:
  ManagerMetrics(net::Gauge queued, net::Gauge encrypted, net::Gauge workers, net::Gauge running, net::Gauge mqtt)
      : queued_(queued), encrypted_(encrypted), workers_(workers), running_(running), mqtt_(mqtt) {}
  net::Gauge queued_, encrypted_, workers_, running_, mqtt_;
};

}  // namespace coffer::fleet::manager
