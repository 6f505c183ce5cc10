// Traces of one of the fleet's services: upstream's variables, and the exporter behind them.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "fleet/config/variables.h"
#include "net/otlp.h"

namespace coffer::fleet {

struct TraceSettings {
  std::string url{};  // of a collector; empty: nothing is traced
  double ratio = 0;   // of traces that are sent
  net::Headers headers{};
  std::vector<std::string> root_pems{};
};

// PREFIX + OTEL_URL and TRACE_RATIO; and, as upstream's exporters read them, OTEL_EXPORTER_OTLP_HEADERS ("name=value,
// name=value", percent-encoded) and OTEL_EXPORTER_OTLP_CERTIFICATE (a PEM file). A URL without a ratio is a notice:
// upstream's default sends nothing. ConfigError::bad_value.
Result<TraceSettings> read_trace_settings(const Variables& variables, std::vector<std::string>& notices);

class Tracing {
 public:
  Tracing() = default;  // nothing is traced
  // `service`: upstream's name, "manager", "proplet", "proxy". `metrics` outlives the object.
  static Result<Tracing> start(const TraceSettings& settings, std::string service, std::string instance,
                               net::MetricsRegistry& metrics);

  // Lives as long as the object does, wherever that is moved.
  const net::Tracer& tracer() const { return *tracer_; }
  // Sends what waits, within a few seconds. For the end, when nothing makes spans any more.
  void stop() const;

 private:
  std::shared_ptr<net::OtlpExporter> exporter_;
  std::shared_ptr<const net::Tracer> tracer_ = std::make_shared<const net::Tracer>();
};

}  // namespace coffer::fleet
