// Workers, jobs, workflows and federated learning.
#include <algorithm>
#include <array>

#include "fleet/manager/rest/rest.h"
#include "fleet/manager/rest/rest_detail.h"
#include "fleet/telemetry.h"

namespace coffer::fleet::manager {
namespace {

using codec::json::Array;
using codec::json::Object;
using codec::json::Value;

Object worker_view(const Manager::WorkerView& view) {
  return to_json(view.worker, view.task_count, view.alive);
}

// Nothing where the query has none. ManagerError::bad_request.
template <class T, std::size_t N>
Result<std::optional<T>> status_of(const Call& call, const std::array<std::pair<std::string_view, T>, N>& names) {
  const auto found = call.query.find("status");
  if (found == call.query.end() || found->second.empty()) return std::nullopt;
  std::string list;
  for (const auto& [name, value] : names) {
    if (name == found->second) return value;
    list += (list.empty() ? "" : ", ") + std::string{name};
  }
  return fail(ManagerError::bad_request, "the query's status is expected to be one of " + list);
}

Value parsed(const std::string& text) {
  return codec::json::parse(text).value_or(Value{});
}

Array task_list(const std::vector<Task>& tasks) {
  Array list;
  for (const auto& task : tasks) list.emplace_back(to_json(task));
  return list;
}

// Upstream's clients read a round in "status", where upstream's own coordinator does not put it: here it is in both
// places.
void add_status(Bytes& body) {
  auto round = codec::json::parse(as_text(body));
  auto* members = round ? round->if_object() : nullptr;
  if (members == nullptr || members->contains("status")) return;
  members->append("status", Object{*members});
  body = to_bytes(codec::json::serialize(*members));
}

}  // namespace

Rest::Answer Rest::list_workers(const Call& call) {
  const auto page = TRY(page_of(call));
  constexpr std::array<std::pair<std::string_view, bool>, 2> names{{{"active", true}, {"inactive", false}}};
  const auto alive = TRY(status_of(call, names));
  return json_response(200, page_json(page, TRY(manager_.workers(page, alive)), "proplets", worker_view));
}

Rest::Answer Rest::get_worker(const Call& call) {
  TRY(check_uuid(call.id()));
  return json_response(200, worker_view(TRY(manager_.worker(call.id()))));
}

Rest::Answer Rest::delete_worker(const Call& call) {
  TRY(check_uuid(call.id()));
  TRY(manager_.delete_worker(call.id()));
  return net::ServerResponse{.status = 204};
}

Rest::Answer Rest::worker_sdf(const Call& call) {
  TRY(check_uuid(call.id()));
  const auto view = TRY(manager_.worker(call.id()));
  return json_response(200, to_sdf(view.worker));
}

Rest::Answer Rest::worker_metrics(const Call& call) {
  TRY(check_uuid(call.id()));
  const auto page = TRY(page_of(call));
  TRY(manager_.worker(call.id()));
  return json_response(200, page_json(page, TRY(manager_.measurements("proplet", call.id(), page)), "metrics", parsed));
}

// Newest last, as upstream keeps it.
Rest::Answer Rest::worker_history(const Call& call) {
  TRY(check_uuid(call.id()));
  const auto page = TRY(page_of(call));
  const auto view = TRY(manager_.worker(call.id()));
  store::Paged<TimePoint> found{.total = view.worker.history.size()};
  for (auto i = page.offset; i < found.total && found.items.size() < page.limit; ++i) {
    found.items.push_back(view.worker.history[i]);
  }
  return json_response(200, page_json(page, found, "history", write_timestamp));
}

Rest::Answer Rest::create_workflow(const Call& call) {
  TRY(check_json(call));
  const auto tasks = TRY(manager_.create_workflow(TRY(parse_workflow(call.body()))));
  return json_response(201, Object{{"tasks", task_list(tasks)}});
}

Rest::Answer Rest::create_job(const Call& call) {
  TRY(check_json(call));
  const auto view = TRY(manager_.create_job(TRY(parse_job(call.body()))));
  auto response = json_response(201, to_json(view.job, view.tasks));
  response.headers.set("Location", "/jobs/" + view.job.id);
  return response;
}

Rest::Answer Rest::list_jobs(const Call& call) {
  const auto page = TRY(page_of(call));
  constexpr std::array<std::pair<std::string_view, TaskState>, 4> names{{{"pending", TaskState::pending},
                                                                         {"running", TaskState::running},
                                                                         {"completed", TaskState::completed},
                                                                         {"failed", TaskState::failed}}};
  const auto state = TRY(status_of(call, names));
  const auto found = TRY(manager_.jobs(page, state));
  return json_response(
      200, page_json(page, found, "jobs", [](const Manager::JobView& view) { return to_json(view.job, view.tasks); }));
}

// 200, as upstream's own SDK and command line expect; its manager answers 201.
Rest::Answer Rest::get_job(const Call& call) {
  TRY(check_uuid(call.id()));
  const auto view = TRY(manager_.job(call.id()));
  return json_response(200, to_json(view.job, view.tasks));
}

Rest::Answer Rest::start_job(const Call& call) {
  TRY(check_uuid(call.id()));
  TRY(manager_.start_job(call.id()));
  return json_response(200, Object{{"message", "job started"}, {"job_id", call.id()}});
}

Rest::Answer Rest::stop_job(const Call& call) {
  TRY(check_uuid(call.id()));
  TRY(manager_.stop_job(call.id()));
  return json_response(200, Object{{"message", "job stopped"}, {"job_id", call.id()}});
}

// As upstream's manager does it: the coordinator learns of the round, then every participant gets its task. A body that
// names no image leaves the tasks to somebody else.
Rest::Answer Rest::configure_experiment(const Call& call) {
  auto answer = TRY(forward(call));
  const auto body = codec::json::parse(call.body());
  const auto* object = body ? body->if_object() : nullptr;
  if (object == nullptr || !object->contains("task_wasm_image")) return answer;
  auto start = *object;
  if (const auto* model = start.find("model_ref"); model != nullptr && !start.contains("model_uri")) {
    const Value uri{*model};
    start.set("model_uri", uri);
  }
  const auto round = TRY(parse_round_start(codec::json::serialize(start)));
  if (!round.task_wasm_image.empty()) TRY(manager_.start_round(round));
  return answer;
}

// Ours: what somebody who watches the fleet wants to know at once. Ends are those that this manager saw.
Rest::Answer Rest::overview(const Call& /*call*/) {
  const auto figures = manager_.figures();
  const auto outcomes = manager_.outcomes();
  Array failures;
  for (const auto& task : outcomes.failures) {
    failures.emplace_back(Object{{"id", task.id},
                                 {"name", task.name},
                                 {"proplet_id", task.worker},
                                 {"code", task.code},
                                 {"error", task.error},
                                 {"at", write_timestamp(task.at)}});
  }
  const Object workers{{"alive", figures.alive}, {"verified", figures.verified}, {"silent", figures.silent}};
  const Object tasks{{"queued", manager_.queue_length()},
                     {"queued_encrypted", manager_.encrypted_queue_length()},
                     {"running", figures.running},
                     {"completed", outcomes.completed},
                     {"failed", outcomes.failed}};
  return json_response(200, Object{{"at", write_timestamp(clock_.now())},
                                   {"manager", options_.instance_id},
                                   {"workers", workers},
                                   {"tasks", tasks},
                                   {"failures", std::move(failures)}});
}

Rest::Answer Rest::forward(const Call& call) {
  if (options_.coordinator_url.empty()) {
    return fail(ManagerError::coordinator_off, "federated learning is off: MANAGER_COORDINATOR_URL is not set");
  }
  net::HttpRequest request;
  request.method = call.request.method == "HEAD" ? "GET" : call.request.method;
  request.url = options_.coordinator_url + call.request.path.substr(std::string_view{"/fl"}.size());
  if (!call.request.query.empty()) request.url += "?" + call.request.query;
  const auto type = call.request.headers.get("Content-Type");
  if (type) request.headers.set("Content-Type", std::string{*type});
  if (!options_.coordinator_token.empty() && call.request.method == "POST") {
    request.headers.set("Authorization", "Bearer " + to_text(options_.coordinator_token.expose()));
  }
  if (auto trace = net::active_traceparent(); !trace.empty()) request.headers.set("traceparent", std::move(trace));
  request.body = call.request.body;
  request.timeout = std::chrono::seconds{30};
  auto answer = http_->send(request);
  if (!answer) return fail(ManagerError::coordinator_failed, "the coordinator: " + answer.error().message);
  if (answer->status >= 400) {
    return fail(ManagerError::coordinator_failed, "the coordinator answered " + std::to_string(answer->status) + ": " +
                                                      std::string{as_text(answer->body).substr(0, 512)});
  }
  if (call.request.path.ends_with("/complete")) add_status(answer->body);
  net::ServerResponse response{.status = 200, .body = std::move(answer->body)};
  response.headers.set("Content-Type", std::string{answer->headers.get("Content-Type").value_or("application/json")});
  return response;
}

}  // namespace coffer::fleet::manager
