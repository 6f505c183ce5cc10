// The REST API (propeller.md section 4.1): upstream's paths, shapes and codes. Errors are {"error","code"}.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "fleet/manager/manager.h"
#include "fleet/manager/rest/access.h"
#include "net/http_client.h"
#include "net/http_server.h"
#include "net/metrics.h"
#include "net/trace.h"

namespace coffer::fleet::manager {

struct RestOptions {
  Access access;
  std::string coordinator_url{};    // of federated learning; empty: off
  SecretBytes coordinator_token{};  // shown to it with every POST; empty: none is
  std::string instance_id{};
  const net::Tracer* tracer = nullptr;  // outlives the object
};

// What a handler needs of a request.
struct Call {
  const net::ServerRequest& request;
  std::vector<std::string> segments;  // of the path
  std::map<std::string, std::string> query;
  net::Span* span = nullptr;      // of the request
  bool traced_by_client = false;  // the span belongs to a trace that the client named

  const std::string& id() const { return segments.at(1); }
  // What a run asked for by this call belongs to, where the client said so.
  std::string trace() const { return traced_by_client ? net::active_traceparent() : std::string{}; }
  std::string_view body() const { return as_text(request.body); }
};

class Rest {
 public:
  static Result<std::unique_ptr<Rest>> create(Manager& manager, RestOptions options, net::MetricsRegistry& metrics,
                                              const Clock& clock);
  // Safe to call from any number of threads.
  net::ServerResponse handle(const net::ServerRequest& request);

  // The same document for what the server refuses before it is a request.
  static net::ServerResponse refusal(int status, std::string_view why);

 private:
  using Answer = Result<net::ServerResponse>;
  using Handler = Answer (Rest::*)(const Call&);
  struct Route {
    std::string_view method, path;  // "/tasks/*/start"
    Handler handler;
    Role role;
    std::string_view name;  // in the metrics
  };
  static const std::vector<Route>& routes();

  Rest(Manager& manager, RestOptions options, net::MetricsRegistry& metrics, const Clock& clock, net::Counter count,
       net::Histogram latency, std::shared_ptr<net::HttpClient> http);
  Answer dispatch(const net::ServerRequest& request, std::string_view& name);
  Answer run(const Route& route, Call& call);

  Answer list_workers(const Call& call);
  Answer get_worker(const Call& call);
  Answer delete_worker(const Call& call);
  Answer worker_sdf(const Call& call);
  Answer worker_metrics(const Call& call);
  Answer worker_history(const Call& call);

  Answer create_task(const Call& call);
  Answer list_tasks(const Call& call);
  Answer get_task(const Call& call);
  Answer update_task(const Call& call);
  Answer upload_task(const Call& call);
  Answer delete_task(const Call& call);
  Answer start_task(const Call& call);
  Answer stop_task(const Call& call);
  Answer invoke_task(const Call& call);
  Answer task_metrics(const Call& call);
  Answer task_results(const Call& call);

  Answer create_workflow(const Call& call);
  Answer create_job(const Call& call);
  Answer list_jobs(const Call& call);
  Answer get_job(const Call& call);
  Answer start_job(const Call& call);
  Answer stop_job(const Call& call);

  Answer configure_experiment(const Call& call);
  Answer forward(const Call& call);  // federated learning, to the coordinator

  Answer health(const Call& call);
  Answer metrics(const Call& call);
  Answer openapi(const Call& call);
  Answer overview(const Call& call);

  Result<codec::json::Object> task_view(const Task& task);

  Manager& manager_;
  RestOptions options_;
  net::MetricsRegistry& metrics_;
  const Clock& clock_;
  net::Counter count_;
  net::Histogram latency_;
  std::shared_ptr<net::HttpClient> http_;
};

}  // namespace coffer::fleet::manager
