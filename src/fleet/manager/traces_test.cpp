// What a manager tells a collector of, and what it passes on to workers.
#include "fleet/manager/manager_testing.h"
#include "net/trace_testing.h"

namespace coffer::fleet::manager::testing {
namespace {

using namespace std::chrono_literals;

const std::string own_trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

struct TracesTest : ::testing::Test {
  TracesTest() {
    h.tracer = net::Tracer{spans, 1};
    h.discover(1);
  }
  std::string create(net::Headers headers = {{"Content-Type", "application/json"}}) {
    const auto response = client.send("POST", "/tasks", plain_task, std::move(headers));
    return text_of(codec::json::parse(as_text(response.body)).value(), "/id");
  }
  std::shared_ptr<net::testing::SpanList> spans = std::make_shared<net::testing::SpanList>();
  Harness h;
  Client client{h};
};

TEST_F(TracesTest, a_task_is_one_trace_from_its_creation_to_its_result) {
  const auto id = create();
  client.post("/tasks/" + id + "/start");
  const auto start = h.next_start();
  h.result(id, "30");
  const auto create_span = spans->named("create-task");
  const auto dispatch = spans->named("task.dispatch");
  EXPECT_EQ(create_span.kind, net::SpanKind::server);
  EXPECT_FALSE(create_span.parent);
  for (const auto* name : {"start-task", "task.dispatch", "task.result"}) {
    EXPECT_EQ(spans->named(name).context.trace_id, create_span.context.trace_id) << name;
    EXPECT_EQ(spans->named(name).parent, create_span.context.span_id) << name;
  }
  EXPECT_EQ(start.traceparent, dispatch.context.text());
  EXPECT_EQ(spans->all().size(), 4U);
}

TEST_F(TracesTest, a_clients_trace_goes_on_through_its_requests) {
  const auto id = create({{"Content-Type", "application/json"}, {"traceparent", own_trace}});
  EXPECT_EQ(spans->named("create-task").parent, net::TraceContext::parse(own_trace)->span_id);
  // Another client's start belongs to what that client does.
  const std::string other = "00-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa-00f067aa0ba902b7-01";
  client.send("POST", "/tasks/" + id + "/start", "", {{"traceparent", other}});
  const auto start = spans->named("start-task");
  EXPECT_EQ(start.parent, net::TraceContext::parse(other)->span_id);
  EXPECT_EQ(spans->named("task.dispatch").parent, start.context.span_id);
  h.result(id, "30");
  EXPECT_EQ(spans->named("task.result").parent, start.context.span_id);
}

TEST_F(TracesTest, a_body_names_no_trace) {
  h.tracer = net::Tracer{};
  const auto body = R"({"name":"add","image_url":"x/add:v1","traceparent":")" + own_trace + R"("})";
  const auto id = text_of(client.post("/tasks", body, 201), "/id");
  client.post("/tasks/" + id + "/start");
  EXPECT_EQ(h.next_start().traceparent, "");
}

TEST_F(TracesTest, requests_say_what_was_asked_and_how_it_ended) {
  client.send("GET", "/tasks/00000000-0000-4000-8000-000000000009");
  const auto span = spans->named("get-task");
  std::map<std::string, net::SpanValue> attributes(span.attributes.begin(), span.attributes.end());
  EXPECT_EQ(std::get<std::string>(attributes["http.request.method"]), "GET");
  EXPECT_EQ(std::get<std::string>(attributes["http.route"]), "/tasks/*");
  EXPECT_EQ(std::get<std::int64_t>(attributes["http.response.status_code"]), 404);
  EXPECT_EQ(std::get<std::string>(attributes["error.type"]), "manager.not_found");
  EXPECT_EQ(span.failure, "");  // the client's mistake, not ours
  h.outbox.is_connected = false;
  const auto id = create();
  client.send("POST", "/tasks/" + id + "/start");
  EXPECT_EQ(spans->named("start-task").failure, "manager.broker_unavailable");
  client.send("GET", "/metrics");
  client.send("GET", "/health");
  for (const auto& each : spans->all()) EXPECT_NE(each.name, "metrics");
}

TEST_F(TracesTest, neither_inputs_nor_environment_nor_results_are_told) {
  const auto body = R"({"name":"add","image_url":"x/add:v1","inputs":["canary-in"],"env":{"K":"canary-env"}})";
  const auto id = text_of(client.post("/tasks", body, 201), "/id");
  client.post("/tasks/" + id + "/start");
  h.failure(id, "canary-result");
  for (const auto& span : spans->all()) {
    EXPECT_EQ(span.failure.find("canary"), std::string::npos);
    for (const auto& [key, value] : span.attributes) {
      const auto* text = std::get_if<std::string>(&value);
      EXPECT_TRUE(text == nullptr || text->find("canary") == std::string::npos) << span.name << "." << key;
    }
  }
}

TEST_F(TracesTest, jobs_and_stops_have_traces_too) {
  const auto job = client.post(
      "/jobs", R"({"name":"j","execution_mode":"parallel","tasks":[{"name":"a","image_url":"x/a:v1"}]})", 201);
  client.post("/jobs/" + text_of(job, "/job_id") + "/start");
  const auto start = h.next_start();
  const auto made = spans->named("create-job");
  EXPECT_EQ(net::TraceContext::parse(start.traceparent)->trace_id, made.context.trace_id);
  client.post("/tasks/" + start.id + "/stop");
  const auto stops = h.outbox.stops();
  ASSERT_EQ(stops.size(), 1U);
  EXPECT_EQ(stops[0].traceparent, made.context.text());
}

TEST_F(TracesTest, a_scheduled_run_is_a_trace_of_its_own) {
  h.create(R"({"name":"add","image_url":"x/a:v1","schedule":"* * * * *","is_recurring":true})");
  h.pass_alive(70s, 1);
  const auto schedule = spans->named("task.schedule");
  EXPECT_EQ(spans->named("task.dispatch").parent, schedule.context.span_id);
}

TEST_F(TracesTest, a_trace_outlives_the_manager) {
  const auto id = create();
  const auto made = spans->named("create-task");
  h.restart();
  h.beat(1);
  ASSERT_TRUE(h.manager->start_task(id));
  EXPECT_EQ(spans->named("task.dispatch").parent, made.context.span_id);
}

TEST_F(TracesTest, without_a_collector_a_clients_trace_is_passed_on_and_nothing_else) {
  h.tracer = net::Tracer{};
  auto id = create();
  client.post("/tasks/" + id + "/start");
  EXPECT_EQ(h.next_start().traceparent, "");
  id = create({{"Content-Type", "application/json"}, {"traceparent", own_trace}});
  client.post("/tasks/" + id + "/start");
  EXPECT_EQ(h.next_start().traceparent, own_trace);
  EXPECT_TRUE(spans->all().empty());
}

TEST_F(TracesTest, nothing_is_told_of_who_may_not_ask) {
  const auto access = Access::parse(
      "[[token]]\nname = \"a\"\nrole = \"viewer\"\nsha256 = \"" + std::string(64, 'a') + "\"\n", "users.toml");
  Client guarded{h, *access};
  EXPECT_EQ(guarded.send("GET", "/tasks").status, 401);
  EXPECT_TRUE(spans->all().empty());
}

}  // namespace
}  // namespace coffer::fleet::manager::testing
