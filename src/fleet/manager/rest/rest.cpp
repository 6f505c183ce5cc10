#include "fleet/manager/rest/rest.h"

#include <algorithm>
#include <charconv>

#include "base/log.h"
#include "base/version.h"
#include "fleet/manager/openapi_embedded.h"
#include "fleet/manager/rest/rest_detail.h"
#include "net/path.h"
#include "net/url.h"

namespace coffer::fleet::manager {
namespace {

using codec::json::Object;

std::string_view method_of(const net::ServerRequest& request) {
  return request.method == "HEAD" ? "GET" : std::string_view{request.method};
}

// Where nobody proves who he is, what he says is as good as anything: upstream's way.
std::string claimed_user(const net::ServerRequest& request) {
  constexpr std::size_t longest = 256;
  return std::string{request.headers.get("X-User-Id").value_or("").substr(0, longest)};
}

Result<std::uint64_t> number(const Call& call, const std::string& key, std::uint64_t fallback) {
  const auto found = call.query.find(key);
  if (found == call.query.end() || found->second.empty()) return fallback;
  std::uint64_t value = 0;
  const auto& text = found->second;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (code == std::errc{} && end == text.data() + text.size()) return value;
  return fail(ManagerError::bad_request, "the query's " + key + " is expected to be a number, found \"" + text + "\"");
}

}  // namespace

net::ServerResponse json_response(int status, const codec::json::Value& value) {
  return net::ServerResponse::text(status, "application/json", codec::json::serialize(value));
}

net::ServerResponse error_response(const Error& error) {
  auto response = json_response(http_status(error), Object{{"error", error.message}, {"code", error.code.name()}});
  if (error.code == ManagerError::unauthenticated) response.headers.set("WWW-Authenticate", "Bearer");
  return response;
}

Result<store::Page> page_of(const Call& call) {
  store::Page page;
  page.offset = TRY(number(call, "offset", 0));
  page.limit = TRY(number(call, "limit", 10));
  constexpr std::uint64_t most = 100;
  if (page.limit == 0 || page.limit > most) {
    return fail(ManagerError::bad_request,
                "the query's limit is expected to be from 1 to 100, found " + std::to_string(page.limit));
  }
  page.offset = std::min<std::uint64_t>(page.offset, INT64_MAX);
  return page;
}

Result<> check_json(const Call& call) {
  const auto type = call.request.headers.get("Content-Type").value_or("");
  if (type.find("application/json") != std::string_view::npos) return {};
  return fail(ManagerError::bad_request,
              "a Content-Type of application/json is expected, found \"" + std::string{type.substr(0, 64)} + "\"");
}

Result<> check_uuid(std::string_view id) {
  if (is_uuid(id)) return {};
  return fail(ManagerError::bad_request,
              "an id is expected to be a UUID, found \"" + std::string{id.substr(0, 64)} + "\"");
}

Rest::Rest(Manager& manager, RestOptions options, net::MetricsRegistry& metrics, const Clock& clock, net::Counter count,
           net::Histogram latency, std::shared_ptr<net::HttpClient> http)
    : manager_(manager),
      options_(std::move(options)),
      metrics_(metrics),
      clock_(clock),
      count_(count),
      latency_(latency),
      http_(std::move(http)) {}

Result<std::unique_ptr<Rest>> Rest::create(Manager& manager, RestOptions options, net::MetricsRegistry& metrics,
                                           const Clock& clock) {
  auto count = TRY(metrics.counter({"manager_api_request_count", "requests of the REST API", {"method"}}));
  // Upstream's name says microseconds and its value seconds (propeller.md section 4.6); ours is true to its own name.
  auto latency = TRY(metrics.histogram({"manager_api_request_duration_seconds", "time of REST requests", {"method"}}));
  auto http = TRY(net::HttpClient::create());
  return std::unique_ptr<Rest>(new Rest(manager, std::move(options), metrics, clock, count, latency, std::move(http)));
}

const std::vector<Rest::Route>& Rest::routes() {
  static const std::vector<Route> table{
      {"GET", "/proplets", &Rest::list_workers, Role::viewer, "list-proplets"},
      {"GET", "/proplets/*", &Rest::get_worker, Role::viewer, "get-proplet"},
      {"DELETE", "/proplets/*", &Rest::delete_worker, Role::admin, "delete-proplet"},
      {"GET", "/proplets/*/sdf", &Rest::worker_sdf, Role::viewer, "get-proplet-sdf"},
      {"GET", "/proplets/*/metrics", &Rest::worker_metrics, Role::viewer, "get-proplet-metrics"},
      {"GET", "/proplets/*/alive-history", &Rest::worker_history, Role::viewer, "get-proplet-alive-history"},
      {"POST", "/tasks", &Rest::create_task, Role::operator_, "create-task"},
      {"GET", "/tasks", &Rest::list_tasks, Role::viewer, "list-tasks"},
      {"GET", "/tasks/*", &Rest::get_task, Role::viewer, "get-task"},
      {"PUT", "/tasks/*", &Rest::update_task, Role::operator_, "update-task"},
      {"PUT", "/tasks/*/upload", &Rest::upload_task, Role::operator_, "upload-task-file"},
      {"DELETE", "/tasks/*", &Rest::delete_task, Role::operator_, "delete-task"},
      {"POST", "/tasks/*/start", &Rest::start_task, Role::operator_, "start-task"},
      {"POST", "/tasks/*/stop", &Rest::stop_task, Role::operator_, "stop-task"},
      {"POST", "/tasks/*/invoke", &Rest::invoke_task, Role::operator_, "invoke-task"},
      {"GET", "/tasks/*/metrics", &Rest::task_metrics, Role::viewer, "get-task-metrics"},
      {"GET", "/tasks/*/results", &Rest::task_results, Role::viewer, "get-task-results"},
      {"POST", "/workflows", &Rest::create_workflow, Role::operator_, "create-workflow"},
      {"POST", "/jobs", &Rest::create_job, Role::operator_, "create-job"},
      {"GET", "/jobs", &Rest::list_jobs, Role::viewer, "list-jobs"},
      {"GET", "/jobs/*", &Rest::get_job, Role::viewer, "get-job"},
      {"POST", "/jobs/*/start", &Rest::start_job, Role::operator_, "start-job"},
      {"POST", "/jobs/*/stop", &Rest::stop_job, Role::operator_, "stop-job"},
      {"POST", "/fl/experiments", &Rest::configure_experiment, Role::operator_, "configure-experiment"},
      {"GET", "/fl/task", &Rest::forward, Role::viewer, "get-fl-task"},
      {"POST", "/fl/update", &Rest::forward, Role::operator_, "post-fl-update"},
      {"POST", "/fl/update_cbor", &Rest::forward, Role::operator_, "post-fl-update-cbor"},
      {"GET", "/fl/rounds/*/complete", &Rest::forward, Role::viewer, "get-round-status"},
      {"GET", "/metrics", &Rest::metrics, Role::viewer, "metrics"},
      {"GET", "/overview", &Rest::overview, Role::viewer, "overview"},
      {"GET", "/openapi.yaml", &Rest::openapi, Role::viewer, "openapi"},
  };
  return table;
}

Rest::Answer Rest::dispatch(const net::ServerRequest& request, std::string_view& name) {
  Call call{request, net::path_segments(request.path), {}};
  if (net::path_matches("/health", call.segments)) return health(call);
  const Route* found = nullptr;
  bool known_path = false;
  for (const auto& route : routes()) {
    if (!net::path_matches(route.path, call.segments)) continue;
    known_path = true;
    if (route.method == method_of(request)) found = &route;
  }
  // Who is nobody is not told which paths there are.
  const auto caller = TRY(options_.access.check(request, found != nullptr ? found->role : Role::viewer, clock_.now()));
  if (found == nullptr) {
    if (known_path) return fail(ManagerError::no_such_method, request.path + " does not know " + request.method);
    return fail(ManagerError::not_found, "there is no " + request.path);
  }
  name = found->name;
  auto query = net::parse_query(request.query);
  if (!query) return fail(ManagerError::bad_request, "the query does not parse: " + query.error().message);
  call.query = *std::move(query);
  const CallerScope scope(options_.access.is_open() ? claimed_user(request) : caller);
  return run(*found, call);
}

// A client's trace goes on here (W3C Trace Context); what is only looked at by machines has none.
Rest::Answer Rest::run(const Route& route, Call& call) {
  if (route.handler == &Rest::metrics || route.handler == &Rest::openapi) return (this->*route.handler)(call);
  const auto parent = net::TraceContext::parse(call.request.headers.get("traceparent").value_or(""));
  auto span = net::tracer_or_none(options_.tracer).start(route.name, {.parent = parent, .kind = net::SpanKind::server});
  span.set("http.request.method", std::string{method_of(call.request)});
  span.set("http.route", std::string{route.path});
  const net::TraceScope scope(span);
  call.span = &span;
  call.traced_by_client = parent.has_value();
  auto answer = (this->*route.handler)(call);
  // Tasks of jobs and workflows may have ids that their maker chose; what neither exists nor is a UUID is a bad
  // request.
  if (!answer && answer.error().code == ManagerError::not_found && route.path.starts_with("/tasks/*")) {
    if (auto valid = check_uuid(call.id()); !valid) answer = fail(std::move(valid.error()));
  }
  const int status = answer ? answer->status : http_status(answer.error());
  span.set("http.response.status_code", std::int64_t{status});
  if (!answer && status >= 500) span.fail(answer.error());
  if (!answer && status < 500) span.set("error.type", std::string{answer.error().code.name()});
  return answer;
}

net::ServerResponse Rest::handle(const net::ServerRequest& request) {
  const auto begin = std::chrono::steady_clock::now();
  std::string_view name = "none";
  auto answer = dispatch(request, name);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  count_.increment({name});
  latency_.observe(took.count(), {name});
  if (answer) return *std::move(answer);
  const auto& error = answer.error();
  log::write(http_status(error) >= 500 ? log::Level::warn : log::Level::info, "fleet.request_refused", error.message,
             {{"code", std::string{error.code.name()}}, {"request", std::string{name}}, {"peer", request.peer}});
  return error_response(error);
}

net::ServerResponse Rest::refusal(int status, std::string_view why) {
  return json_response(status, Object{{"error", why}, {"code", "manager.http_" + std::to_string(status)}});
}

Rest::Answer Rest::health(const Call& /*call*/) {
  return json_response(200, Object{{"status", "pass"},
                                   {"version", version()},
                                   {"commit", ""},
                                   {"description", "manager service"},
                                   {"build_time", ""},
                                   {"instance_id", options_.instance_id}});
}

Rest::Answer Rest::metrics(const Call& /*call*/) {
  return net::ServerResponse::text(200, net::MetricsRegistry::content_type, metrics_.exposition());
}

Rest::Answer Rest::openapi(const Call& /*call*/) {
  return net::ServerResponse::text(200, "application/yaml", openapi_yaml);
}

}  // namespace coffer::fleet::manager
