#include "fleet/aggregator/rest.h"

#include "base/log.h"
#include "base/version.h"
#include "net/path.h"
#include "net/url.h"

namespace coffer::fleet::aggregator {
namespace {

using codec::json::Object;

net::ServerResponse json_text(int status, std::string_view text) {
  return net::ServerResponse::text(status, "application/json", text);
}

net::ServerResponse error_response(const Error& error) {
  auto response = json_text(http_status(error),
                            codec::json::serialize(Object{{"error", error.message}, {"code", error.code.name()}}));
  if (error.code == AggregatorError::unauthorized) response.headers.set("WWW-Authenticate", "Bearer");
  return response;
}

}  // namespace

Rest::Rest(Parts parts, net::MetricsRegistry& metrics, net::Counter updates, net::Counter rounds,
           net::Histogram latency, net::Gauge state)
    : parts_(std::move(parts)),
      registry_(metrics),
      updates_(updates),
      rounds_(rounds),
      latency_(latency),
      state_(state) {}

Result<std::unique_ptr<Rest>> Rest::create(Parts parts, net::MetricsRegistry& metrics) {
  auto updates =
      TRY(metrics.counter({"aggregator_updates_total", "updates by outcome: accepted, or a code", {"outcome"}}));
  auto rounds =
      TRY(metrics.counter({"aggregator_rounds_total", "rounds that ended: completed, or a code", {"outcome"}}));
  auto latency = TRY(metrics.histogram({"aggregator_request_duration_seconds", "time of requests", {"route"}}));
  auto state = TRY(metrics.gauge({"aggregator_state", "open_rounds, and the newest model_version", {"figure"}}));
  return std::unique_ptr<Rest>(new Rest(std::move(parts), metrics, updates, rounds, latency, state));
}

const std::vector<Rest::Route>& Rest::routes() {
  static const std::vector<Route> table{
      {"POST", "/experiments", &Rest::configure, true},
      {"GET", "/task", &Rest::task},
      {"POST", "/update", &Rest::update},
      {"POST", "/update_cbor", &Rest::update_cbor},
      {"GET", "/rounds/*/complete", &Rest::round},
      {"GET", "/rounds/next", &Rest::next_round},
      {"GET", "/models", &Rest::list_models},
      {"GET", "/models/*", &Rest::get_model},
      {"POST", "/models", &Rest::store_model, true},
      {"GET", "/attestation", &Rest::attestation},
      {"GET", "/health", &Rest::health},
      {"GET", "/metrics", &Rest::metrics},
  };
  return table;
}

Result<> Rest::check_operator(const net::ServerRequest& request) const {
  if (parts_.operator_token.empty()) return {};
  constexpr std::string_view scheme = "Bearer ";
  const auto shown = request.headers.get("Authorization").value_or("");
  const auto token = shown.starts_with(scheme) ? shown.substr(scheme.size()) : std::string_view{};
  if (constant_time_equal(as_bytes(token), parts_.operator_token.expose())) return {};
  return fail(AggregatorError::unauthorized, request.path +
                                                 " is for operators: the token of AGGREGATOR_TOKEN_FILE is "
                                                 "expected as \"Authorization: Bearer ...\"");
}

Rest::Answer Rest::dispatch(const net::ServerRequest& request, std::string_view& name) {
  Call call{request, net::path_segments(request.path), {}};
  const auto method = request.method == "HEAD" ? std::string_view{"GET"} : std::string_view{request.method};
  const Route* found = nullptr;
  bool known_path = false;
  for (const auto& route : routes()) {
    if (!net::path_matches(route.path, call.segments)) continue;
    known_path = true;
    if (route.method == method && found == nullptr) found = &route;
  }
  if (found == nullptr) {
    if (known_path) return fail(AggregatorError::no_such_method, request.path + " does not know " + request.method);
    return fail(AggregatorError::not_found, "there is no " + request.path);
  }
  name = found->path;
  if (found->for_operators) TRY(check_operator(request));
  auto query = net::parse_query(request.query);
  if (!query) return fail(AggregatorError::bad_request, "the query does not parse: " + query.error().message);
  call.query = *std::move(query);
  return (this->*found->handler)(call);
}

net::ServerResponse Rest::handle(const net::ServerRequest& request) {
  const auto begin = std::chrono::steady_clock::now();
  std::string_view name = "none";
  auto answer = dispatch(request, name);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  latency_.observe(took.count(), {name});
  if (answer) return *std::move(answer);
  const auto& error = answer.error();
  log::write(http_status(error) >= 500 ? log::Level::warn : log::Level::info, "aggregator.request_refused",
             error.message,
             {{"code", std::string{error.code.name()}}, {"request", std::string{name}}, {"peer", request.peer}});
  return error_response(error);
}

net::ServerResponse Rest::refusal(int status, std::string_view why) {
  return json_text(
      status, codec::json::serialize(Object{{"error", why}, {"code", "aggregator.http_" + std::to_string(status)}}));
}

void Rest::count_closed(const RoundView& round) {
  rounds_.increment({round.failure ? round.failure->code.name() : std::string_view{"completed"}});
}

Rest::Answer Rest::health(const Call& /*call*/) {
  const Object document{{"status", "ok"},
                        {"version", version()},
                        {"open_rounds", parts_.aggregator.open_rounds()},
                        {"in_tee", parts_.prover != nullptr}};
  return json_text(200, codec::json::serialize(document));
}

Rest::Answer Rest::metrics(const Call& /*call*/) {
  state_.set(static_cast<double>(parts_.aggregator.open_rounds()), {"open_rounds"});
  state_.set(static_cast<double>(parts_.aggregator.newest_model()->model.version), {"model_version"});
  return net::ServerResponse::text(200, net::MetricsRegistry::content_type, registry_.exposition());
}

}  // namespace coffer::fleet::aggregator
