// The manager's plugins: what they are asked, and what their answers do. testdata/plugin.c does what a task's name
// says.
#include "fleet/manager/plugins/plugins.h"

#include <gmock/gmock.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <thread>

#include "fleet/manager/manager_testing.h"

namespace coffer::fleet::manager::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
namespace fs = std::filesystem;

const fs::path guests = COFFER_PLUGIN_GUESTS;

struct PluginsTest : ::testing::Test {
  PluginsTest() {
    install("plugin");
    h = std::make_unique<Harness>();
    h->manager = manager_with(load(200ms).value());
    client = std::make_unique<Client>(*h);
    h->discover(1);
  }
  void install(const std::string& name, const std::string& as = {}) {
    fs::copy_file(guests / (name + ".wasm"), directory.path() / ((as.empty() ? name : as) + ".wasm"));
  }
  Result<std::unique_ptr<Plugins>> load(Duration budget = 1s) {
    registries.push_back(std::make_unique<net::MetricsRegistry>());
    return Plugins::load({.directory = directory.path(), .budget = budget}, *registries.back());
  }
  std::unique_ptr<Manager> manager_with(std::unique_ptr<Plugins> plugins) {
    return Manager::create(h->options, {.database = h->open_database(),
                                        .outbox = h->outbox,
                                        .checker = AttestationChecker{std::nullopt},
                                        .clock = h->clock,
                                        .plugins = std::move(plugins)})
        .value();
  }
  void expect_refused(std::string_view method, const std::string& target, std::string_view body, std::string_view code,
                      std::string_view reason) {
    const auto response = client->send(method, target, body);
    EXPECT_EQ(response.status, 500) << as_text(response.body);
    EXPECT_THAT(std::string{as_text(response.body)}, HasSubstr("\"" + std::string{code} + "\""));
    EXPECT_THAT(std::string{as_text(response.body)}, HasSubstr(std::string{reason}));
  }
  std::string create(const std::string& name, std::string_view more = {}) {
    return text_of(client->post("/tasks", body(name, more), 201), "/id");
  }
  static std::string body(const std::string& name, std::string_view more = {}) {
    return R"({"name":")" + name + R"(","image_url":"x/add:v1","inputs":["10"])" + std::string{more} + "}";
  }
  void expect_start_refused(const std::string& name, std::string_view code, std::string_view reason) {
    const auto id = create(name);
    expect_refused("POST", "/tasks/" + id + "/start", {}, code, reason);
    EXPECT_TRUE(h->outbox.starts().empty());
    EXPECT_EQ(h->state(id), TaskState::pending);
  }
  // Plugins are told of events by a thread of their own.
  void expect_counted(const std::string& line) {
    const auto end = std::chrono::steady_clock::now() + 20s;
    while (registries.back()->exposition().find(line) == std::string::npos) {
      ASSERT_LT(std::chrono::steady_clock::now(), end) << line << "\n" << registries.back()->exposition();
      std::this_thread::yield();
    }
  }

  TemporaryDirectory directory;
  std::vector<std::unique_ptr<net::MetricsRegistry>> registries;
  std::unique_ptr<Harness> h;
  std::unique_ptr<Client> client;
};

TEST_F(PluginsTest, what_they_allow_goes_its_way) {
  const auto id = create("plain");
  client->post("/tasks/" + id + "/start");
  const auto start = h->next_start();
  EXPECT_EQ(start.id, id);
  EXPECT_EQ(start.env, (std::map<std::string, std::string>{{"DISPATCHED", "yes"}}));
  h->result(id, "30");
  EXPECT_EQ(h->state(id), TaskState::completed);
  expect_counted(R"(manager_plugin_calls_total{hook="on_task_start",outcome="done",plugin="plugin"} 1)");
  expect_counted(R"(manager_plugin_calls_total{hook="on_task_complete",outcome="done",plugin="plugin"} 1)");
  expect_counted(R"(manager_plugin_calls_total{hook="authorize",outcome="allowed",plugin="plugin"} 2)");
}

TEST_F(PluginsTest, deny_with_their_reason_and_a_code) {
  expect_refused("POST", "/tasks", body("forbidden"), "manager.plugin_denied", "this name is not allowed");
  expect_refused("POST", "/tasks", body("silent"), "manager.plugin_denied", "denied by plugin");
  EXPECT_EQ(text_of(client->get("/tasks"), "/total"), "0");
  expect_counted(R"(manager_plugin_calls_total{hook="authorize",outcome="denied",plugin="plugin"} 2)");
}

TEST_F(PluginsTest, that_trap_hang_or_talk_nonsense_deny_and_work_again) {
  expect_refused("POST", "/tasks", body("trap"), "manager.plugin_failed", "plugin plugin, authorize: ");
  expect_refused("POST", "/tasks", body("spin"), "manager.plugin_failed", "longer than its wall time");
  expect_refused("POST", "/tasks", body("garbage"), "manager.plugin_failed", "its answer cannot be read");
  expect_refused("POST", "/tasks", body("wrong"), "manager.plugin_failed", "answer.allow");
  create("plain");
  expect_counted(R"(manager_plugin_calls_total{hook="authorize",outcome="failed",plugin="plugin"} 4)");
}

TEST_F(PluginsTest, decide_each_action) {
  const auto stopped = create("no-stop");
  client->post("/tasks/" + stopped + "/start");
  h->next_start();
  expect_refused("POST", "/tasks/" + stopped + "/stop", {}, "manager.plugin_denied", "denied by plugin");
  EXPECT_EQ(h->state(stopped), TaskState::running);
  expect_start_refused("no-start", "manager.plugin_denied", "denied by plugin");
  const auto kept = create("kept");
  expect_refused("DELETE", "/tasks/" + kept, {}, "manager.plugin_denied", "kept as it is");
  expect_refused("PUT", "/tasks/" + kept, R"({"name":"other"})", "manager.plugin_denied", "kept as it is");
  expect_refused("POST", "/tasks/" + kept + "/invoke", "{}", "manager.plugin_denied", "kept as it is");
  EXPECT_EQ(h->task(kept).work.name, "kept");
}

TEST_F(PluginsTest, see_who_asks) {
  const auto ask = [&](net::Headers headers) {
    headers.set("Content-Type", "application/json");
    return client->send("POST", "/tasks", body("alices"), std::move(headers)).status;
  };
  EXPECT_EQ(ask({{"X-User-Id", "alice"}}), 201);
  EXPECT_EQ(ask({{"X-User-Id", "bob"}}), 500);
  EXPECT_EQ(ask({}), 500);
}

TEST_F(PluginsTest, see_a_callers_name_that_was_proven_and_not_the_one_that_is_claimed) {
  const auto access = Access::parse(
      "[[token]]\nname = \"bob\"\nrole = \"operator\"\n"
      "sha256 = \"2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b\"\n",  // "secret"
      "users.toml");
  ASSERT_TRUE(access) << to_string(access.error());
  Client proven{*h, *access};
  const auto ask = [&](std::string_view claimed) {
    return proven
        .send("POST", "/tasks", body("alices"),
              {{"Content-Type", "application/json"},
               {"Authorization", "Bearer secret"},
               {"X-User-Id", std::string{claimed}}})
        .status;
  };
  EXPECT_EQ(ask("alice"), 500);
}

TEST_F(PluginsTest, add_to_a_task_before_it_is_made) {
  const auto task = h->task(create("any", R"(,"env":{"BY":"client","KEEP":"1"})"));
  EXPECT_EQ(task.work.env, (std::map<std::string, std::string>{{"BY", "plugin"}, {"KEEP", "1"}}));
  EXPECT_EQ(task.priority, 70);
  EXPECT_EQ(task.work.inputs, (std::vector<std::string>{"10", "extra"}));
  EXPECT_EQ(task.work.image_url, "mirror/x:v1");
}

TEST_F(PluginsTest, whose_additions_cannot_be_read_are_passed_over) {
  for (const auto* name : {"unclear", "urgent"}) {
    const auto task = h->task(create(name));
    EXPECT_EQ(task.priority, 50);
    EXPECT_TRUE(task.work.env.empty());
  }
  expect_counted(R"(manager_plugin_calls_total{hook="enrich_task",outcome="failed",plugin="plugin"} 2)");
}

TEST_F(PluginsTest, choose_among_the_workers) {
  expect_start_refused("tagged", "manager.no_eligible_worker", "it lacks the tag");
  expect_start_refused("large", "manager.no_eligible_worker", "bytes of memory");
  h->discover(2, {"gpu"});
  const auto id = create("tagged");
  client->post("/tasks/" + id + "/start");
  EXPECT_EQ(h->task(id).assigned, worker_id(2));
}

TEST_F(PluginsTest, may_keep_a_task_from_every_worker) {
  expect_start_refused("nowhere", "manager.plugin_denied", "not today");
  expect_start_refused("unselected", "manager.plugin_failed", "on_before_proplet_select");
  expect_start_refused("stay", "manager.plugin_denied", "dispatch blocked by plugin");
}

TEST_F(PluginsTest, end_a_task_that_would_wait_rather_than_let_it_wait_for_ever) {
  const auto id = create("nowhere", R"(,"on_unavailable":"wait")");
  expect_refused("POST", "/tasks/" + id + "/start", {}, "manager.plugin_denied", "not today");
}

TEST_F(PluginsTest, refuse_the_whole_job_or_workflow_with_one_of_its_tasks) {
  const auto pair =
      R"({"name":"j","execution_mode":"parallel","tasks":[)" + body("plain") + "," + body("forbidden") + "]}";
  expect_refused("POST", "/jobs", pair, "manager.plugin_denied", "this name is not allowed");
  expect_refused("POST", "/workflows", pair, "manager.plugin_denied", "this name is not allowed");
  EXPECT_EQ(text_of(client->get("/jobs"), "/total"), "0");
  const auto job = client->post(
      "/jobs", R"({"name":"j","execution_mode":"parallel","tasks":[)" + body("plain") + "," + body("no-start") + "]}",
      201);
  expect_refused("POST", "/jobs/" + text_of(job, "/job_id") + "/start", {}, "manager.plugin_denied",
                 "denied by plugin");
  EXPECT_TRUE(h->outbox.starts().empty());
}

TEST_F(PluginsTest, fail_a_jobs_task_that_no_worker_may_have) {
  const auto job =
      client->post("/jobs", R"({"name":"j","execution_mode":"parallel","tasks":[)" + body("stay") + "]}", 201);
  client->post("/jobs/" + text_of(job, "/job_id") + "/start");
  const auto task = h->task(text_of(job, "/tasks/0/id"));
  EXPECT_EQ(task.state, TaskState::failed);
  EXPECT_EQ(task.code, "manager.plugin_denied");
}

TEST_F(PluginsTest, are_asked_where_a_workflow_goes_on_by_itself) {
  const auto first = R"({"id":"first","name":"plain","image_url":"x/a:v1"})";
  const auto second = R"({"id":"second","name":"no-start","image_url":"x/a:v1","depends_on":["first"]})";
  client->post("/workflows", R"({"tasks":[)" + std::string{first} + "," + second + "]}", 201);
  client->post("/tasks/first/start");
  h->result("first", "1");
  const auto task = h->task("second");
  EXPECT_EQ(task.state, TaskState::failed);
  EXPECT_EQ(task.code, "manager.plugin_denied");
  EXPECT_EQ(task.error, "not even by itself");
}

TEST_F(PluginsTest, are_asked_where_a_schedule_starts_a_task) {
  const auto id = create("no-start", R"(,"schedule":"* * * * *","is_recurring":true)");
  h->pass_alive(61s, 1);
  const auto task = h->task(id);
  EXPECT_EQ(task.state, TaskState::failed);
  EXPECT_EQ(task.error, "not even by itself");
  EXPECT_TRUE(task.next_run);
}

TEST_F(PluginsTest, that_trap_where_they_are_only_told_are_counted) {
  const auto id = create("plain");
  client->post("/tasks/" + id + "/start");
  h->failure(id, "trap");
  EXPECT_EQ(h->state(id), TaskState::failed);
  expect_counted(R"(manager_plugin_calls_total{hook="on_task_complete",outcome="failed",plugin="plugin"} 1)");
  create("plain");
}

TEST_F(PluginsTest, are_asked_by_many_at_once) {
  const auto plugins = load(20s).value();
  Task allowed, denied;
  allowed.work.name = "plain";
  denied.work.name = "forbidden";
  std::vector<std::jthread> callers;
  for (int caller = 0; caller < 6; ++caller) {
    callers.emplace_back([&] {
      for (int call = 0; call < 100; ++call) {
        EXPECT_TRUE(plugins->authorize(PluginAction::start, allowed));
        EXPECT_FALSE(plugins->authorize(PluginAction::start, denied));
        plugins->task_started(allowed);
      }
    });
  }
}

TEST_F(PluginsTest, that_hang_do_not_hold_up_others_for_ever) {
  const auto plugins = load(20ms).value();
  Task spinning, plain;
  spinning.work.name = "spin";
  plain.work.name = "plain";
  std::atomic<bool> done = false;
  std::vector<std::jthread> hanging;
  for (int caller = 0; caller < 12; ++caller) {
    hanging.emplace_back([&] {
      while (!done)
        EXPECT_EQ(plugins->authorize(PluginAction::start, spinning).error().code, ManagerError::plugin_failed);
    });
  }
  bool busy = false;
  for (int call = 0; call < 1000 && !busy; ++call) {
    const auto answered = plugins->authorize(PluginAction::start, plain);
    busy = !answered && answered.error().message.ends_with("it is busy with other calls");
  }
  done = true;
  EXPECT_TRUE(busy);
}

TEST_F(PluginsTest, are_asked_by_the_order_of_their_names) {
  install("plugin", "another");
  h->manager = manager_with(load().value());
  client = std::make_unique<Client>(*h);
  expect_refused("POST", "/tasks", body("forbidden"), "manager.plugin_denied", "not allowed");
  expect_counted(R"(manager_plugin_calls_total{hook="authorize",outcome="denied",plugin="another"} 1)");
  EXPECT_EQ(registries.back()->exposition().find(R"(plugin="plugin")"), std::string::npos);
}

TEST_F(PluginsTest, that_cannot_be_used_are_named_at_the_start) {
  const auto expect_bad = [&](const std::string& file, std::string_view why) {
    const auto loaded = load();
    ASSERT_FALSE(loaded) << file;
    EXPECT_EQ(loaded.error().code, ManagerError::bad_plugin);
    EXPECT_THAT(loaded.error().message, HasSubstr(file + ".wasm"));
    EXPECT_THAT(loaded.error().message, HasSubstr(std::string{why}));
    fs::remove(directory.path() / (file + ".wasm"));
  };
  std::ofstream{directory.path() / "text.wasm"} << "(module)";
  expect_bad("text", "");
  std::ofstream{directory.path() / "empty.wasm"} << std::string_view{"\0asm\1\0\0\0", 8};
  expect_bad("empty", "does not export plugin_alloc");
  std::ofstream{directory.path() / "component.wasm"} << std::string_view{"\0asm\x0d\0\1\0", 8};
  expect_bad("component", "no core module");
  install("without_alloc");
  expect_bad("without_alloc", "does not export plugin_alloc");
  install("wrong_type");
  expect_bad("wrong_type", "(i32, i32) -> (i32)");
  install("without_hooks");
  expect_bad("without_hooks", "none of the functions");
  install("traps_at_start");
  expect_bad("traps_at_start", "");
  fs::create_symlink("nowhere.wasm", directory.path() / "gone.wasm");
  expect_bad("gone", "cannot be read");
  EXPECT_TRUE(load());
}

TEST_F(PluginsTest, need_a_directory_that_is_there) {
  net::MetricsRegistry metrics;
  const auto loaded = Plugins::load({.directory = directory.path() / "absent"}, metrics);
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().code, ManagerError::bad_plugin);
}

TEST(PluginMessages, ask_with_upstreams_members) {
  Task task;
  task.work.id = "t";
  task.work.name = "add";
  task.work.env = {{"A", "1"}};
  task.work.inputs = {"10"};
  task.work.encrypted = true;
  task.created_at = parse_rfc3339("2026-01-01T00:00:00Z").value();
  EXPECT_EQ(plugin_request("alice", PluginAction::delete_, task),
            R"({"context":{"user_id":"alice","action":"delete"},"task":{"id":"t","name":"add","inputs":["10"],)"
            R"("env":{"A":"1"},"priority":50,"encrypted":true,"created_at":"2026-01-01T00:00:00Z"}})");
  Worker worker{.id = "w", .name = "sharp"};
  worker.metadata.tags = {"gpu"};
  worker.metadata.total_memory_bytes = 7;
  worker.metadata.location = "lab";
  EXPECT_THAT(
      plugin_dispatch_request("", Task{}, worker),
      HasSubstr(R"("proplet":{"id":"w","name":"sharp","tags":["gpu"],"total_memory_bytes":7,"location":"lab"})"));
  task.state = TaskState::failed;
  task.error = "why";
  EXPECT_THAT(plugin_event(task), HasSubstr(R"("error":"why")"));
  EXPECT_EQ(plugin_event(task).find("success"), std::string::npos);
}

}  // namespace
}  // namespace coffer::fleet::manager::testing
