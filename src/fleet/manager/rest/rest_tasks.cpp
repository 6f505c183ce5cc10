#include "codec/base64.h"
#include "fleet/manager/rest/multipart.h"
#include "fleet/manager/rest/rest.h"
#include "fleet/manager/rest/rest_detail.h"

namespace coffer::fleet::manager {

using codec::json::Object;

// A module is shown by its two ends, as upstream shows it: it may be large, and is nobody's business but the workers'.
Result<Object> Rest::task_view(const Task& task) {
  auto object = to_json(task);
  if (!task.has_file) return object;
  const auto file = TRY(manager_.task_file(task.id()));
  if (!file) return object;
  object.append("file", redacted(codec::base64_encode(*file)));
  return object;
}

Rest::Answer Rest::create_task(const Call& call) {
  TRY(check_json(call));
  auto body = TRY(parse_task(call.body()));
  if (body.task.kind.empty()) body.task.kind = "standard";
  const auto file = body.file ? codec::base64_encode(*body.file) : std::string{};
  const auto task = TRY(manager_.create_task(std::move(body)));
  auto view = to_json(task);
  if (task.has_file) view.append("file", redacted(file));
  auto response = json_response(201, view);
  response.headers.set("Location", "/tasks/" + task.id());
  return response;
}

Rest::Answer Rest::list_tasks(const Call& call) {
  const auto page = TRY(page_of(call));
  Object filter;
  if (const auto text = call.query.find("metadata"); text != call.query.end() && !text->second.empty()) {
    auto value = codec::json::parse(text->second);
    if (!value || value->if_object() == nullptr) {
      return fail(ManagerError::bad_request, "the query's metadata is expected to be a JSON object");
    }
    filter = std::move(*value->if_object());
  }
  const auto found = TRY(manager_.tasks(page, filter));
  codec::json::Array tasks;
  for (const auto& task : found.items) tasks.emplace_back(TRY(task_view(task)));
  return json_response(
      200, Object{{"offset", page.offset}, {"limit", page.limit}, {"total", found.total}, {"tasks", std::move(tasks)}});
}

Rest::Answer Rest::get_task(const Call& call) {
  return json_response(200, TRY(task_view(TRY(manager_.task(call.id())))));
}

Rest::Answer Rest::update_task(const Call& call) {
  TRY(check_json(call));
  auto update = TRY(parse_task_update(call.body()));
  if (update.file && !is_wasm(*update.file)) {
    return fail(ManagerError::bad_module, "task.file is no WebAssembly module in binary form");
  }
  return json_response(200, TRY(task_view(TRY(manager_.update_task(call.id(), std::move(update))))));
}

Rest::Answer Rest::upload_task(const Call& call) {
  const auto type = call.request.headers.get("Content-Type").value_or("");
  const auto file = TRY(find_form_file(type, call.request.body, "file"));
  if (!file.name.ends_with(".wasm")) {
    return fail(ManagerError::bad_request, "a file name that ends with .wasm is expected, found \"" + file.name + "\"");
  }
  if (!is_wasm(file.content)) {
    return fail(ManagerError::bad_module, file.name + " is no WebAssembly module in binary form");
  }
  return json_response(200, TRY(task_view(TRY(manager_.upload(call.id(), to_bytes(file.content))))));
}

Rest::Answer Rest::delete_task(const Call& call) {
  TRY(manager_.delete_task(call.id()));
  return net::ServerResponse{.status = 204};
}

namespace {

// The request that starts a task is a part of that task's trace, unless its client named another.
void adopt(const Call& call, const Task& task) {
  const auto trace = net::TraceContext::parse(task.trace);
  if (call.span != nullptr && !call.traced_by_client && trace) call.span->adopt(*trace);
}

}  // namespace

Rest::Answer Rest::start_task(const Call& call) {
  const auto task = TRY(manager_.start_task(call.id(), call.trace()));
  adopt(call, task);
  Object object{{"started", true}};
  if (task.state == TaskState::scheduled) {
    object.append("state", static_cast<int>(task.state));
    object.append("reason", task.reason);
  }
  return json_response(200, object);
}

Rest::Answer Rest::stop_task(const Call& call) {
  TRY(manager_.stop_task(call.id()));
  return json_response(200, Object{{"stopped", true}});
}

Rest::Answer Rest::invoke_task(const Call& call) {
  const auto body = TRY(parse_invoke_body(call.body()));
  auto results = TRY(manager_.invoke_task(call.id(), body, call.trace()));
  return json_response(200, Object{{"invoked", true}, {"results", std::move(results)}});
}

Rest::Answer Rest::task_metrics(const Call& call) {
  const auto page = TRY(page_of(call));
  TRY(manager_.task(call.id()));
  const auto found = TRY(manager_.measurements("task", call.id(), page));
  return json_response(200, page_json(page, found, "metrics", [](const std::string& text) {
                         return codec::json::parse(text).value_or(codec::json::Value{});
                       }));
}

// Upstream answers a task without results with an empty body; an object is what its own SDK can read.
Rest::Answer Rest::task_results(const Call& call) {
  const auto task = TRY(manager_.task(call.id()));
  return json_response(200, Object{{"results", task.results}});
}

}  // namespace coffer::fleet::manager
