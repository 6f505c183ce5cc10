#include "fleet/tracing/tracing.h"

#include <fstream>
#include <iterator>

#include "base/version.h"
#include "net/url.h"

namespace coffer::fleet {
namespace {

constexpr const char* headers_variable = "OTEL_EXPORTER_OTLP_HEADERS";
constexpr const char* certificate_variable = "OTEL_EXPORTER_OTLP_CERTIFICATE";

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

// The values may be credentials: an error names none.
Result<net::Headers> read_headers(std::string_view text) {
  const auto bad = fail(ConfigError::bad_value, std::string{headers_variable} + ": expected name=value,name=value");
  net::Headers headers;
  while (!text.empty()) {
    const auto entry = trimmed(text.substr(0, text.find(',')));
    text.remove_prefix(
        std::min(text.size(), text.find(',') == std::string_view::npos ? text.size() : text.find(',') + 1));
    if (entry.empty()) continue;
    const auto equals = entry.find('=');
    if (equals == std::string_view::npos) return bad;
    const auto name = trimmed(entry.substr(0, equals));
    const auto value = net::percent_decode(trimmed(entry.substr(equals + 1)));
    if (!net::is_token(name) || !value || !net::is_field_value(*value)) return bad;
    headers.set(name, *value);
  }
  return headers;
}

Result<std::string> read_root(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>{stream}, {}};
  if (stream && text.find("-----BEGIN CERTIFICATE-----") != std::string::npos) return text;
  return fail(ConfigError::bad_value,
              std::string{certificate_variable} + ": " + path + " is no certificate in PEM that can be read");
}

}  // namespace

Result<TraceSettings> read_trace_settings(const Variables& variables, std::vector<std::string>& notices) {
  TraceSettings settings{.url = variables.text("OTEL_URL")};
  settings.ratio = TRY(variables.fraction("TRACE_RATIO", 0));
  if (settings.url.empty()) return settings;
  if (const auto url = net::Url::parse(settings.url); !url) {
    return fail(ConfigError::bad_value, variables.name_of("OTEL_URL") + " is \"" + settings.url +
                                            "\"; expected http://HOST:4318, with or without a path");
  }
  if (const auto headers = variables.find_plain(headers_variable)) settings.headers = TRY(read_headers(*headers));
  if (const auto file = variables.find_plain(certificate_variable)) {
    settings.root_pems.push_back(TRY(read_root(*file)));
  }
  if (settings.ratio == 0) {
    notices.push_back(variables.name_of("OTEL_URL") + " is set, and " + variables.name_of("TRACE_RATIO") +
                      " is 0, upstream's default: no trace is sent");
  }
  return settings;
}

Result<Tracing> Tracing::start(const TraceSettings& settings, std::string service, std::string instance,
                               net::MetricsRegistry& metrics) {
  Tracing tracing;
  if (settings.url.empty() || settings.ratio == 0) return tracing;
  net::OtlpOptions options{.url = settings.url, .service_name = std::move(service)};
  options.service_version = version();
  options.instance_id = std::move(instance);
  options.headers = settings.headers;
  net::HttpClientOptions client{.user_agent = "coffer"};
  client.extra_root_pems = settings.root_pems;
  auto http = TRY(net::HttpClient::create(std::move(client)));
  tracing.exporter_ = TRY(net::OtlpExporter::start(std::move(options), std::move(http), metrics));
  tracing.tracer_ = std::make_shared<const net::Tracer>(tracing.exporter_, settings.ratio);
  return tracing;
}

void Tracing::stop() const {
  if (exporter_) exporter_->stop();
}

}  // namespace coffer::fleet
