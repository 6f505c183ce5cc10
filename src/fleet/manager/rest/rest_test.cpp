// The REST API's codes and shapes (propeller.md section 4.1).
#include "codec/base64.h"
#include "codec/jose/jwt.h"
#include "crypto/hash.h"
#include "fleet/manager/manager_testing.h"

namespace coffer::fleet::manager::testing {
namespace {

using namespace std::chrono_literals;
using codec::json::Value;

const std::string module = codec::base64_encode(to_bytes(std::string_view{"\0asm\1\0\0\0", 8}));

struct RestTest : ::testing::Test {
  Harness h;
  Client client{h};

  void SetUp() override { h.discover(1, {"gpu"}); }

  std::string create(std::string_view body = plain_task) { return text_of(client.post("/tasks", body, 201), "/id"); }
  void expect_error(const net::ServerResponse& response, int status, std::string_view code) {
    EXPECT_EQ(response.status, status) << as_text(response.body);
    const auto document = codec::json::parse(as_text(response.body)).value();
    EXPECT_EQ(text_of(document, "/code"), code) << as_text(response.body);
    EXPECT_FALSE(text_of(document, "/error").empty());
  }
  net::ServerResponse upload(const std::string& id, std::string_view file_name, std::string_view content,
                             std::string_view field = "file") {
    const std::string body =
        "--b1\r\nContent-Disposition: form-data; name=\"note\"\r\n\r\nhello\r\n--b1\r\n"
        "Content-Disposition: form-data; name=\"" +
        std::string{field} + "\"; filename=\"" + std::string{file_name} +
        "\"\r\nContent-Type: application/wasm\r\n\r\n" + std::string{content} + "\r\n--b1--\r\n";
    return client.send("PUT", "/tasks/" + id + "/upload", body, {{"Content-Type", "multipart/form-data; boundary=b1"}});
  }
};

TEST_F(RestTest, a_task_is_made_with_upstreams_members) {
  const auto response = client.send("POST", "/tasks", plain_task);
  EXPECT_EQ(response.status, 201);
  const auto task = codec::json::parse(as_text(response.body)).value();
  const auto id = text_of(task, "/id");
  EXPECT_TRUE(is_uuid(id));
  EXPECT_EQ(response.headers.get("Location"), "/tasks/" + id);
  EXPECT_EQ(text_of(task, "/state"), "0");
  EXPECT_EQ(text_of(task, "/cli_args"), "null");
  EXPECT_EQ(text_of(task, "/inputs"), R"(["10","20"])");
  EXPECT_EQ(text_of(task, "/daemon"), "false");
  EXPECT_EQ(text_of(task, "/encrypted"), "false");
  EXPECT_EQ(text_of(task, "/priority"), "50");
  EXPECT_EQ(text_of(task, "/start_time"), "0001-01-01T00:00:00Z");
  EXPECT_EQ(text_of(task, "/next_run"), "0001-01-01T00:00:00Z");
  EXPECT_EQ(text_of(task, "/created_at").substr(0, 19), "2026-01-01T00:00:00");
  EXPECT_EQ(task.find("results"), nullptr);
  EXPECT_EQ(task.find("_"), nullptr);
  EXPECT_EQ(client.get("/tasks/" + id), task);
}

TEST_F(RestTest, start_stop_and_results_answer_as_upstream) {
  const auto id = create();
  EXPECT_EQ(codec::json::serialize(client.post("/tasks/" + id + "/start")), R"({"started":true})");
  EXPECT_EQ(text_of(client.get("/tasks/" + id), "/state"), "2");
  EXPECT_EQ(codec::json::serialize(client.post("/tasks/" + id + "/stop")), R"({"stopped":true})");
  EXPECT_EQ(codec::json::serialize(client.get("/tasks/" + id + "/results")), R"({"results":null})");
  h.result(id, "30");
  EXPECT_EQ(codec::json::serialize(client.get("/tasks/" + id + "/results")), R"({"results":"30"})");
  EXPECT_EQ(text_of(client.get("/tasks/" + id), "/proplet_id"), worker_id(1));
}

TEST_F(RestTest, failures_of_the_fleet_are_500_with_a_code) {
  const auto id = create();
  client.post("/tasks/" + id + "/start");
  expect_error(client.send("POST", "/tasks/" + id + "/start"), 500, "manager.already_started");
  h.pass(1h);
  expect_error(client.send("POST", "/tasks/" + create() + "/start"), 500, "manager.no_worker");
  const auto waiting =
      client.post("/tasks/" + create(R"({"name":"a","image_url":"x","on_unavailable":"wait"})") + "/start");
  EXPECT_EQ(text_of(waiting, "/started"), "true");
  EXPECT_EQ(text_of(waiting, "/state"), "1");
  EXPECT_NE(text_of(waiting, "/reason").find("no active proplets"), std::string::npos);
}

TEST_F(RestTest, bad_bodies_are_400_and_say_where) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"", "manager.bad_request"},
      {"{", "manager.bad_request"},
      {"[]", "manager.bad_request"},
      {R"({"name":"a","name":"b"})", "manager.bad_request"},
      {R"({})", "fleet.missing_member"},
      {R"({"name":""})", "fleet.missing_member"},
      {R"({"name":7})", "fleet.bad_member"},
      {R"({"name":"a","inputs":[{}]})", "fleet.bad_member"},
      {R"({"name":"a","file":"%%%"})", "fleet.bad_member"},
      {R"({"name":"a","env":{"K":1}})", "fleet.bad_member"},
      {R"({"name":"a","priority":101})", "manager.bad_request"},
      {R"({"name":"a","priority":-1})", "manager.bad_request"},
      {R"({"name":"a","priority":1.5})", "manager.bad_request"},
      {R"({"name":"a","run_if":"maybe"})", "manager.bad_request"},
      {R"({"name":"a","kind":"odd"})", "manager.bad_request"},
      {R"({"name":"a","on_unavailable":"panic"})", "manager.bad_request"},
      {R"({"name":"a","catch_up":"all"})", "manager.bad_request"},
      {R"({"name":"a","retries":101})", "manager.bad_request"},
      {R"({"name":"a","metadata":[1]})", "fleet.bad_member"},
      {R"({"name":"a","schedule":"often"})", "manager.bad_cron"},
      {R"({"name":"a","timezone":"Mars/Base"})", "manager.bad_time_zone"},
      {R"({"name":"a","broadcast":true,"proplet_id":"00000000-0000-4000-8000-000000000001"})", "manager.bad_request"},
      {R"({"name":"a","depends_on":["00000000-0000-4000-8000-000000000009"]})", "manager.not_found"},
  };
  for (const auto& [body, code] : cases) {
    SCOPED_TRACE(body);
    expect_error(client.send("POST", "/tasks", body), code == "manager.not_found" ? 404 : 400, code);
  }
  expect_error(client.send("POST", "/tasks", plain_task, {{"Content-Type", "text/plain"}}), 400, "manager.bad_request");
  const std::string large = R"({"name":"a","metadata":{"k":")" + std::string(1U << 20, 'x') + "\"}}";
  expect_error(client.send("POST", "/tasks", large), 400, "manager.bad_request");
  EXPECT_EQ(text_of(client.get("/tasks"), "/total"), "0");
}

TEST_F(RestTest, unknown_things_are_404_and_ids_that_are_none_400) {
  const std::string id = "00000000-0000-4000-8000-000000000009";
  expect_error(client.send("GET", "/tasks/" + id), 404, "manager.not_found");
  expect_error(client.send("DELETE", "/tasks/" + id), 404, "manager.not_found");
  expect_error(client.send("POST", "/tasks/" + id + "/start"), 404, "manager.not_found");
  expect_error(client.send("GET", "/proplets/" + id), 404, "manager.not_found");
  expect_error(client.send("GET", "/jobs/" + id), 404, "manager.not_found");
  for (const auto* path : {"/tasks/first", "/tasks/first/results", "/tasks/first/metrics"}) {
    expect_error(client.send("GET", path), 400, "manager.bad_request");
  }
  for (const auto* path : {"/tasks/first/start", "/tasks/first/stop"}) {
    expect_error(client.send("POST", path), 400, "manager.bad_request");
  }
  expect_error(client.send("DELETE", "/tasks/first"), 400, "manager.bad_request");
  expect_error(client.send("GET", "/proplets/first"), 400, "manager.bad_request");
  expect_error(client.send("GET", "/jobs/first"), 400, "manager.bad_request");
  expect_error(client.send("GET", "/nothing"), 404, "manager.not_found");
  expect_error(client.send("POST", "/tasks/\xff/start"), 400, "sql.bad_value");
  expect_error(client.send("PATCH", "/tasks"), 405, "manager.no_such_method");
}

TEST_F(RestTest, tasks_come_in_pages_filtered_by_metadata) {
  for (int i = 0; i < 5; ++i) {
    create(R"({"name":"t)" + std::to_string(i) + R"(","image_url":"x","metadata":{"team":")" +
           (i % 2 == 0 ? "a" : "b") + R"(","n":)" + std::to_string(i) + "}}");
    h.pass(1s);
  }
  auto page = client.get("/tasks?offset=1&limit=2");
  EXPECT_EQ(text_of(page, "/offset") + text_of(page, "/limit") + text_of(page, "/total"), "125");
  EXPECT_EQ(text_of(page, "/tasks/0/name"), "t1");
  EXPECT_EQ(text_of(page, "/tasks/1/name"), "t2");
  EXPECT_EQ(page.at_pointer("/tasks/2"), nullptr);
  page = client.get("/tasks?metadata=%7B%22team%22%3A%22a%22%7D&limit=2");
  EXPECT_EQ(text_of(page, "/total"), "3");
  EXPECT_EQ(text_of(page, "/tasks/1/name"), "t2");
  EXPECT_EQ(text_of(client.get("/tasks?offset=99"), "/tasks"), "[]");
  for (const auto* query : {"limit=0", "limit=101", "limit=x", "offset=-1", "metadata=7", "metadata=%7B"}) {
    expect_error(client.send("GET", std::string{"/tasks?"} + query), 400, "manager.bad_request");
  }
}

TEST_F(RestTest, a_file_is_redacted_wherever_a_task_is_shown_and_whole_for_its_worker) {
  const auto text =
      codec::base64_encode(to_bytes(std::string_view{"\0asm\1\0\0\0and more of it, so that it is long", 42}));
  const auto shown = text.substr(0, 10) + "<REDACTED>" + text.substr(text.size() - 10);
  const auto id = create(R"({"name":"a","file":")" + text + "\"}");
  EXPECT_EQ(text_of(client.get("/tasks/" + id), "/file"), shown);
  EXPECT_EQ(text_of(client.get("/tasks/" + id), "/kind"), "standard");
  EXPECT_EQ(text_of(client.get("/tasks"), "/tasks/0/file"), shown);
  client.post("/tasks/" + id + "/start");
  EXPECT_EQ(codec::base64_encode(h.next_start().file.value()), text);
}

TEST_F(RestTest, an_update_changes_what_it_names) {
  const auto id = create();
  const auto put = [&](std::string_view body) { return client.send("PUT", "/tasks/" + id, body); };
  EXPECT_EQ(put(R"({"name":"b","inputs":[1],"priority":7,"metadata":{"k":1},"image_url":"other"})").status, 200);
  auto task = client.get("/tasks/" + id);
  EXPECT_EQ(text_of(task, "/name"), "b");
  EXPECT_EQ(text_of(task, "/inputs"), R"(["1"])");
  EXPECT_EQ(text_of(task, "/priority"), "7");
  EXPECT_EQ(text_of(task, "/metadata/k"), "1");
  EXPECT_EQ(text_of(task, "/image_url"), "docker.io/x/add:v1");
  EXPECT_EQ(put(R"({"file":")" + module + "\"}").status, 200);
  EXPECT_EQ(text_of(client.get("/tasks/" + id), "/file"), module);
  expect_error(put(R"({"file":"aGVsbG8="})"), 400, "manager.bad_module");
  expect_error(put(R"({"priority":"high"})"), 400, "manager.bad_request");
  expect_error(put("[]"), 400, "manager.bad_request");
}

TEST_F(RestTest, an_upload_is_a_form_with_a_module) {
  const auto id = create(R"({"name":"a"})");
  const std::string_view wasm{"\0asm\1\0\0\0", 8};
  EXPECT_EQ(upload(id, "dir/add.wasm", wasm).status, 200);
  EXPECT_EQ(text_of(client.get("/tasks/" + id), "/file"), module);
  expect_error(upload(id, "add.txt", wasm), 400, "manager.bad_request");
  expect_error(upload(id, "add.wasm", "(module)"), 400, "manager.bad_module");
  expect_error(upload(id, "add.wasm", wasm, "other"), 400, "manager.bad_request");
  expect_error(client.send("PUT", "/tasks/" + id + "/upload", wasm), 400, "manager.bad_request");
  EXPECT_EQ(client.send("POST", "/tasks/" + id + "/start").status, 200);
}

TEST_F(RestTest, what_a_task_asks_of_its_modules_signature_is_kept_shown_and_sent) {
  const std::string asked = R"({"public_key":"kbs:///default/key/cosign","signature":"AAAA"})";
  const auto id = create(R"({"name":"a","image_url":"x","module_signature":)" + asked + "}");
  EXPECT_EQ(text_of(client.get("/tasks/" + id), "/module_signature"), asked);
  client.post("/tasks/" + id + "/start");
  const ModuleSignature expected{.public_key = "kbs:///default/key/cosign", .signature = "AAAA"};
  EXPECT_EQ(h.next_start().module_signature, expected);
  expect_error(client.send("POST", "/tasks", R"({"name":"a","module_signature":{}})"), 400, "fleet.bad_member");
  expect_error(client.send("POST", "/tasks", R"({"name":"a","module_signature":{"public_key":"cosign.pub"}})"), 400,
               "fleet.bad_member");
}

TEST_F(RestTest, a_monitoring_profile_goes_out_whole_and_in_seconds) {
  // Trap 6 of propeller.md section 9b: upstream's worker wants all ten members, and reads seconds where its manager's
  // type counts nanoseconds.
  const auto id =
      create(R"({"name":"a","image_url":"x","monitoring_profile":{"interval":5000000000,"collect_cpu":false}})");
  client.post("/tasks/" + id + "/start");
  const auto profile = h.next_start().monitoring_profile.value();
  EXPECT_EQ(profile.interval, 5s);
  EXPECT_FALSE(profile.collect_cpu);
  const auto shown = client.get("/tasks/" + id);
  EXPECT_EQ(text_of(shown, "/monitoring_profile/interval"), "5");
  EXPECT_EQ(text_of(shown, "/monitoring_profile/history_size"), "100");
  EXPECT_EQ(shown.find("monitoring_profile")->if_object()->size(), 10U);
}

TEST_F(RestTest, a_task_that_is_deleted_is_stopped_and_gone) {
  const auto id = create();
  client.post("/tasks/" + id + "/start");
  const auto response = client.send("DELETE", "/tasks/" + id);
  EXPECT_EQ(response.status, 204);
  EXPECT_TRUE(response.body.empty());
  EXPECT_EQ(h.outbox.stops().size(), 1U);
  EXPECT_EQ(client.send("GET", "/tasks/" + id).status, 404);
  EXPECT_EQ(text_of(client.get("/proplets/" + worker_id(1)), "/task_count"), "0");
}

TEST_F(RestTest, workers_show_what_they_say_and_what_they_proved_apart) {
  h.beat(1, Capabilities{.tee = Capabilities::Tee{.type = "tdx"},
                         .attestation = Capabilities::Attestation{.token = "secret-token"},
                         .runtimes = {"wasm"}});
  h.discover(2);
  auto page = client.get("/proplets?limit=1");
  EXPECT_EQ(text_of(page, "/total"), "2");
  const auto* worker = page.at_pointer("/proplets/0");
  EXPECT_EQ(text_of(*worker, "/id"), worker_id(1));
  EXPECT_EQ(text_of(*worker, "/alive"), "true");
  EXPECT_EQ(text_of(*worker, "/metadata/tags"), R"(["gpu"])");
  EXPECT_EQ(text_of(*worker, "/last_alive_at").substr(0, 10), "2026-01-01");
  EXPECT_EQ(text_of(*worker, "/coffer/verified"), "false");
  EXPECT_EQ(text_of(*worker, "/coffer/says/tee/type"), "tdx");
  EXPECT_EQ(codec::json::serialize(page).find("secret-token"), std::string::npos);
  h.beat(2, "offline");
  EXPECT_EQ(text_of(client.get("/proplets?status=active"), "/total"), "1");
  EXPECT_EQ(text_of(client.get("/proplets?status=inactive"), "/proplets/0/id"), worker_id(2));
  expect_error(client.send("GET", "/proplets?status=odd"), 400, "manager.bad_request");
  EXPECT_EQ(text_of(client.get("/proplets/" + worker_id(1) + "/alive-history"), "/total"), "2");
  EXPECT_EQ(text_of(client.get("/proplets/" + worker_id(1) + "/sdf"), "/info/title"), "proplet-00000000");
  const auto id = create(R"({"name":"a","image_url":"x","proplet_id":")" + worker_id(1) + "\"}");
  client.post("/tasks/" + id + "/start");
  expect_error(client.send("DELETE", "/proplets/" + worker_id(1)), 409, "manager.conflict");
  EXPECT_EQ(client.send("DELETE", "/proplets/" + worker_id(2)).status, 204);
}

TEST_F(RestTest, measurements_have_upstreams_shape) {
  const auto id = create();
  h.manager->on_message(Topic::task_metrics,
                        R"({"task_id":")" + id + R"(","proplet_id":")" + worker_id(1) +
                            R"(","metrics":{"cpu_percent":1.5,"memory_bytes":7},"aggregated":null,)" +
                            R"("timestamp":{"secs_since_epoch":1767225590,"nanos_since_epoch":0}})");
  const auto page = client.get("/tasks/" + id + "/metrics");
  EXPECT_EQ(text_of(page, "/total"), "1");
  EXPECT_EQ(text_of(page, "/metrics/0/metrics/cpu_percent"), "1.5");
  EXPECT_EQ(text_of(page, "/metrics/0/timestamp").substr(0, 19), "2025-12-31T23:59:50");
  EXPECT_EQ(text_of(client.get("/proplets/" + worker_id(1) + "/metrics"), "/metrics"), "[]");
  expect_error(client.send("GET", "/tasks/" + worker_id(8) + "/metrics"), 404, "manager.not_found");
}

TEST_F(RestTest, jobs_and_workflows_answer_as_upstream) {
  const auto job =
      client.post("/jobs", R"({"name":"j","execution_mode":"parallel","tasks":[{"name":"a","image_url":"x"}]})", 201);
  const auto id = text_of(job, "/job_id");
  EXPECT_EQ(text_of(job, "/tasks/0/job_id"), id);
  EXPECT_EQ(text_of(client.get("/jobs/" + id), "/state"), "0");
  EXPECT_EQ(codec::json::serialize(client.post("/jobs/" + id + "/start")),
            R"({"message":"job started","job_id":")" + id + "\"}");
  EXPECT_EQ(text_of(client.get("/jobs?status=running"), "/jobs/0/job_id"), id);
  EXPECT_EQ(text_of(client.post("/jobs/" + id + "/stop"), "/message"), "job stopped");
  const auto workflow = client.post("/workflows", R"({"tasks":[{"name":"a","image_url":"x"}]})", 201);
  EXPECT_TRUE(is_uuid(text_of(workflow, "/tasks/0/workflow_id")));
  expect_error(client.send("POST", "/jobs", R"({"name":"j","execution_mode":"odd","tasks":[{"name":"a"}]})"), 400,
               "manager.bad_request");
  expect_error(client.send("POST", "/jobs", R"({"name":"j","tasks":[]})"), 400, "manager.bad_request");
  expect_error(client.send("POST", "/workflows", R"({"tasks":[{"name":""}]})"), 400, "fleet.missing_member");
  expect_error(client.send("POST", "/workflows", R"({"tasks":[7]})"), 400, "manager.bad_request");
}

TEST_F(RestTest, health_metrics_and_the_document_are_served) {
  const auto health = client.get("/health");
  EXPECT_EQ(text_of(health, "/status"), "pass");
  EXPECT_EQ(text_of(health, "/description"), "manager service");
  EXPECT_EQ(text_of(health, "/instance_id"), "i");
  create();
  const auto metrics = client.send("GET", "/metrics");
  EXPECT_NE(as_text(metrics.body).find("manager_api_request_count{method=\"create-task\"} 1"), std::string_view::npos);
  const auto document = client.send("GET", "/openapi.yaml");
  EXPECT_TRUE(as_text(document.body).starts_with("openapi: 3"));
}

TEST_F(RestTest, the_overview_counts_what_ended_and_names_the_latest_failures) {
  h.result(h.start(plain_task).id(), "30");
  const auto failed = h.start(plain_task).id();
  h.manager->on_message(Topic::results, fleet::to_json(TaskResult{.task_id = failed,
                                                                  .proplet_id = worker_id(1),
                                                                  .error = "no module",
                                                                  .details = {.code = "worker.http_status"}}));
  h.start(plain_task);
  const auto seen = client.get("/overview");
  EXPECT_EQ(text_of(seen, "/tasks/completed"), "1");
  EXPECT_EQ(text_of(seen, "/tasks/failed"), "1");
  EXPECT_EQ(text_of(seen, "/tasks/running"), "1");
  EXPECT_EQ(text_of(seen, "/workers/alive"), "1");
  EXPECT_EQ(text_of(seen, "/failures/0/id"), failed);
  EXPECT_EQ(text_of(seen, "/failures/0/code"), "worker.http_status");
  EXPECT_EQ(text_of(seen, "/failures/0/error"), "no module");
  for (int i = 0; i < 30; ++i) h.failure(h.start(plain_task).id(), "again");
  EXPECT_EQ(client.get("/overview").at_pointer("/failures")->if_array()->size(), 20U);
}

TEST_F(RestTest, federated_learning_is_off_without_a_coordinator) {
  expect_error(client.send("GET", "/fl/task?round_id=1"), 500, "manager.coordinator_off");
  Client forwarding{h, Access::open(), "http://127.0.0.1:9"};
  expect_error(forwarding.send("POST", "/fl/update", "{}"), 500, "manager.coordinator_failed");
}

TEST_F(RestTest, an_experiment_is_told_to_the_coordinator_and_started_with_each_participant) {
  std::string told;
  const auto coordinator =
      *net::HttpServer::start({.sockets = {"127.0.0.1:0"}, .workers = 1}, [&](const net::ServerRequest& request) {
        told = request.path + " " + std::string{request.headers.get("Authorization").value_or("")};
        return net::ServerResponse::text(201, "application/json", R"({"status":"configured"})");
      });
  Client forwarding{h, Access::open(), "http://" + coordinator->addresses().front(), "secret"};
  const auto body =
      R"({"round_id":"r1","model_ref":"fl/models/global_model_v4","task_wasm_image":"localhost:5000/t:1",)"
      R"("participants":[")" +
      worker_id(1) + R"("],"hyperparams":{"lr":0.5},"encrypted":true,"sealed":true})";
  const auto answer = forwarding.send("POST", "/fl/experiments", body);
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(as_text(answer.body), R"({"status":"configured"})");
  EXPECT_EQ(told, "/experiments Bearer secret");
  const auto tasks = client.get("/tasks");
  ASSERT_EQ(tasks.find("total")->if_uint64(), 1U);
  EXPECT_EQ(text_of(tasks, "/tasks/0/name"), "fl-round-r1-" + worker_id(1));
  EXPECT_EQ(text_of(tasks, "/tasks/0/env/MODEL_URI"), "fl/models/global_model_v4");
  EXPECT_EQ(text_of(tasks, "/tasks/0/env/FL_UPDATE_SEALED"), "true");
  EXPECT_EQ(tasks.at_pointer("/tasks/0/encrypted")->if_bool() != nullptr &&
                *tasks.at_pointer("/tasks/0/encrypted")->if_bool(),
            true);
  EXPECT_EQ(forwarding.send("POST", "/fl/experiments", R"({"round_id":"r2"})").status, 200)
      << "tasks are others' business";
  EXPECT_EQ(client.get("/tasks").find("total")->if_uint64(), 1U);
}

TEST_F(RestTest, a_rounds_status_is_where_either_kind_of_client_reads_it) {
  std::string said = R"({"round_id":"r1","completed":true})";
  const auto coordinator = *net::HttpServer::start(
      {.sockets = {"127.0.0.1:0"}, .workers = 1},
      [&](const net::ServerRequest&) { return net::ServerResponse::text(200, "application/json", said); });
  Client forwarding{h, Access::open(), "http://" + coordinator->addresses().front()};
  const auto round = forwarding.get("/fl/rounds/r1/complete");
  EXPECT_EQ(text_of(round, "/round_id"), "r1");
  EXPECT_EQ(text_of(round, "/status/round_id"), "r1");
  said = R"({"status":{"round_id":"r2"}})";
  EXPECT_EQ(as_text(forwarding.send("GET", "/fl/rounds/r2/complete").body), said);
  said = "no JSON";
  EXPECT_EQ(as_text(forwarding.send("GET", "/fl/rounds/r3/complete").body), said);
}

struct AccessTest : RestTest {
  static std::string hash(std::string_view token) { return codec::hex_encode(crypto::sha256(as_bytes(token))); }
  std::string file = "[[token]]\nname = \"see\"\nrole = \"viewer\"\nsha256 = \"" + hash("v-token") +
                     "\"\n[[token]]\nname = \"run\"\nrole = \"operator\"\nsha256 = \"" + hash("o-token") +
                     "\"\n[[token]]\nname = \"all\"\nrole = \"admin\"\nsha256 = \"" + hash("a-token") + "\"\n";
  Client guarded{h, Access::parse(file, "users.toml").value()};

  int status(std::string_view method, std::string_view target, std::string_view token) {
    net::Headers headers{{"Content-Type", "application/json"}};
    if (!token.empty()) headers.set("Authorization", "Bearer " + std::string{token});
    return guarded.send(method, target, plain_task, headers).status;
  }
};

TEST_F(AccessTest, each_role_may_what_it_may) {
  EXPECT_EQ(status("GET", "/health", ""), 200);
  for (const auto* target : {"/tasks", "/proplets", "/metrics", "/openapi.yaml", "/nothing"}) {
    EXPECT_EQ(status("GET", target, ""), 401) << target;
    EXPECT_EQ(status("GET", target, "wrong"), 401) << target;
  }
  EXPECT_EQ(status("GET", "/tasks", "v-token"), 200);
  EXPECT_EQ(status("POST", "/tasks", "v-token"), 403);
  EXPECT_EQ(status("POST", "/tasks", "o-token"), 201);
  EXPECT_EQ(status("DELETE", "/proplets/" + worker_id(1), "o-token"), 403);
  EXPECT_EQ(status("DELETE", "/proplets/" + worker_id(1), "a-token"), 204);
  EXPECT_EQ(status("GET", "/nothing", "v-token"), 404);
}

TEST_F(AccessTest, a_refusal_says_how_to_ask) {
  const auto response = guarded.send("GET", "/tasks", "", {});
  EXPECT_EQ(response.headers.get("WWW-Authenticate"), "Bearer");
  expect_error(response, 401, "manager.unauthenticated");
  expect_error(guarded.send("GET", "/tasks", "", {{"Authorization", "Basic dTpw"}}), 401, "manager.unauthenticated");
  expect_error(guarded.send("GET", "/tasks", "", {{"Authorization", "Bearer " + std::string(9000, 'a')}}), 401,
               "manager.unauthenticated");
}

TEST_F(AccessTest, a_trusted_keys_tokens_have_its_role_at_most) {
  const auto key = *crypto::PrivateKey::generate(crypto::KeyKind::ed25519);
  const auto access = Access::parse(
      "[[key]]\nrole = \"operator\"\npublic_key = '''" + key.public_key().to_pem() + "'''\n", "users.toml");
  ASSERT_TRUE(access) << to_string(access.error());
  Client by_key{h, *access};
  const auto status_of = [&](std::string_view role, Duration lifetime, std::string_view method = "POST") {
    codec::json::Object claims{{"sub", "ci"}, {"exp", to_unix_seconds(h.clock.now() + lifetime)}};
    if (!role.empty()) claims.append("role", role);
    const auto token = *codec::jose::sign_jwt({}, claims, key, crypto::SignatureAlgorithm::eddsa);
    return by_key
        .send(method, "/tasks", plain_task,
              {{"Content-Type", "application/json"}, {"Authorization", "Bearer " + token}})
        .status;
  };
  EXPECT_EQ(status_of("", 1min), 201);
  EXPECT_EQ(status_of("admin", 1min), 201);
  EXPECT_EQ(status_of("viewer", 1min), 403);
  EXPECT_EQ(status_of("viewer", 1min, "GET"), 200);
  EXPECT_EQ(status_of("odd", 1min), 401);
  EXPECT_EQ(status_of("", -5min), 401);
}

TEST_F(AccessTest, a_file_that_lets_nobody_in_or_does_not_parse_is_refused) {
  for (const std::string_view text : {"", "token = 7", "[[token]]\nname = \"a\"\nrole = \"viewer\"\nsha256 = \"abc\"",
                                      "[[token]]\nname = \"a\"\nrole = \"king\"\nsha256 = \""
                                      "0000000000000000000000000000000000000000000000000000000000000000\"",
                                      "[[key]]\nrole = \"viewer\"\npublic_key = \"no\"", "[[token"}) {
    EXPECT_FALSE(Access::parse(text, "users.toml")) << text;
  }
}

}  // namespace
}  // namespace coffer::fleet::manager::testing
