// Measurements on their way to the store: gathered, so that a fleet's do not cost a transaction each, and bounded, by
// age in the store and by rate here.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "fleet/manager/store/store.h"
#include "fleet/telemetry.h"

namespace coffer::fleet::manager {

class TelemetryLog {
 public:
  void take(const NodeMetrics& metrics, TimePoint now);
  void take(const TaskMetrics& metrics, TimePoint now);
  // Writes what came since the last call; where that fails it is lost.
  Result<> save(storage::SqlDatabase& database);
  static Result<> prune(storage::SqlDatabase& database, TimePoint before);

 private:
  void add(std::string kind, const std::string& subject, std::string document, TimePoint at, TimePoint now);

  std::mutex mutex_;
  std::vector<store::Measurement> pending_;
  std::map<std::string, TimePoint> last_;  // by kind and subject
};

}  // namespace coffer::fleet::manager
