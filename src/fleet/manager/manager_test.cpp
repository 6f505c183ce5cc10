// A task's way, over both databases.
#include <thread>

#include "fleet/manager/manager_testing.h"
#include "net/error.h"

namespace coffer::fleet::manager::testing {
namespace {

using namespace std::chrono_literals;

struct ManagerTest : DatabasesTest {
  void SetUp() override {
    DatabasesTest::SetUp();
    if (!IsSkipped()) with({});
  }
  void with(ManagerOptions options) { make(std::move(options)).discover(1); }
};
INSTANTIATE_TEST_SUITE_P(Databases, ManagerTest, ::testing::ValuesIn(engines), engine_name);

TEST_P(ManagerTest, a_task_runs_from_start_to_result) {
  const auto task = h().start(plain_task);
  EXPECT_EQ(task.state, TaskState::running);
  const auto start = h().next_start();
  EXPECT_EQ(start.id, task.id());
  EXPECT_EQ(start.name, "add");
  EXPECT_EQ(start.image_url, "docker.io/x/add:v1");
  EXPECT_EQ(start.inputs, (std::vector<std::string>{"10", "20"}));
  EXPECT_EQ(start.proplet_id, worker_id(1));
  h().pass(3s);
  h().result(task.id(), "30");
  const auto done = h().task(task.id());
  EXPECT_EQ(done.state, TaskState::completed);
  EXPECT_EQ(*done.results.if_string(), "30");
  EXPECT_EQ(*done.finish_time - *done.start_time, 3s);
}

TEST_P(ManagerTest, a_result_that_comes_before_the_broker_acknowledged_the_start_is_not_lost) {
  const auto task = h().create(plain_task);
  ASSERT_TRUE(h().manager->start_task(task.id()));
  h().result(task.id(), "30");  // nothing was written down of the acknowledgement yet
  h().manager->tick();
  EXPECT_EQ(h().state(task.id()), TaskState::completed);
}

TEST_P(ManagerTest, a_failure_is_the_workers_words_and_code) {
  const auto task = h().start(plain_task);
  h().manager->on_message(Topic::results,
                          fleet::to_json(TaskResult{.task_id = task.id(),
                                                    .proplet_id = worker_id(1),
                                                    .error = "TEE runtime not available",
                                                    .details = {.code = "worker.no_tee", .stderr_text = "err"}}));
  const auto done = h().task(task.id());
  EXPECT_EQ(done.state, TaskState::failed);
  EXPECT_EQ(done.error, "TEE runtime not available");
  EXPECT_EQ(done.code, "worker.no_tee");
  EXPECT_EQ(done.details.stderr_text, "err");
}

TEST_P(ManagerTest, another_workers_result_is_passed_over) {
  h().discover(2);
  const auto task = h().start(plain_task);
  const int other = task.assigned == worker_id(1) ? 2 : 1;
  h().result(task.id(), "forged", other);
  EXPECT_EQ(h().state(task.id()), TaskState::running);
  h().result(task.id(), "30");
  h().result(task.id(), "again");
  EXPECT_EQ(*h().task(task.id()).results.if_string(), "30");
}

TEST_P(ManagerTest, a_result_of_an_earlier_run_said_again_ends_nothing) {
  const auto task = h().start(plain_task);
  const auto result = fleet::to_json(TaskResult{.task_id = task.id(), .proplet_id = worker_id(1), .results = "30"});
  const auto sent = h().clock.now();
  h().manager->on_message(Topic::results, result, sent);
  EXPECT_EQ(h().state(task.id()), TaskState::completed);
  h().pass_alive(2min, 1);
  ASSERT_TRUE(h().manager->start_task(task.id()));
  h().manager->on_message(Topic::results, result, sent);
  EXPECT_EQ(h().state(task.id()), TaskState::running);
  // A worker whose clock is behind by less than is tolerated.
  h().manager->on_message(Topic::results, result, h().clock.now() - 59s);
  EXPECT_EQ(h().state(task.id()), TaskState::completed);
}

TEST_P(ManagerTest, a_result_without_a_workers_id_counts_as_federated_ones_have_none) {
  const auto task = h().start(plain_task);
  h().manager->on_message(Topic::results, R"({"task_id":")" + task.id() +
                                              R"(","results":{"round_id":"r1","update_b64":"AA=="},"error":null})");
  const auto done = h().task(task.id());
  EXPECT_EQ(done.state, TaskState::completed);
  EXPECT_EQ(text_of(done.results, "/round_id"), "r1");
}

TEST_P(ManagerTest, without_a_worker_a_start_fails_and_says_so_in_the_task) {
  h().pass(1h);
  const auto task = h().create(plain_task);
  const auto started = h().manager->start_task(task.id());
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, ManagerError::no_worker);
  EXPECT_NE(started.error().message.find("no active proplets available"), std::string::npos);
  EXPECT_EQ(h().state(task.id()), TaskState::pending);
  EXPECT_NE(h().task(task.id()).reason.find("no active proplets"), std::string::npos);
  EXPECT_TRUE(h().outbox.starts().empty());
}

TEST_P(ManagerTest, a_task_that_may_wait_starts_when_a_worker_comes) {
  h().pass(1h);
  const auto task = h().start(R"({"name":"add","image_url":"x","on_unavailable":"wait"})");
  EXPECT_EQ(task.state, TaskState::scheduled);
  EXPECT_FALSE(task.reason.empty());
  h().beat(1);
  EXPECT_EQ(h().manager->dispatch().value(), 1U);
  EXPECT_EQ(h().state(task.id()), TaskState::running);
  EXPECT_EQ(h().next_start().id, task.id());
}

TEST_P(ManagerTest, the_queue_goes_by_priority_then_by_age) {
  h().pass(1h);
  std::vector<std::string> ids;
  for (const int priority : {10, 50, 90, 50}) {
    ids.push_back(
        h().start(R"({"name":"p","image_url":"x","on_unavailable":"wait","priority":)" + std::to_string(priority) + "}")
            .id());
    h().pass(1s);
  }
  h().beat(1, Capabilities{.max_tasks = 1});
  std::vector<std::string> order;
  for (int i = 0; i < 4; ++i) {
    ASSERT_EQ(h().manager->dispatch().value(), 1U);
    order.push_back(h().next_start().id);
    h().result(order.back(), "");
  }
  EXPECT_EQ(order, (std::vector<std::string>{ids[2], ids[1], ids[3], ids[0]}));
}

TEST_P(ManagerTest, a_busy_fleet_queues_also_what_shall_not_wait_for_workers) {
  h().beat(1, Capabilities{.max_tasks = 1});
  const auto first = h().start(plain_task);
  const auto second = h().start(plain_task);
  EXPECT_EQ(second.state, TaskState::scheduled);
  EXPECT_NE(second.reason.find("busy"), std::string::npos);
  h().result(first.id(), "30");
  EXPECT_EQ(h().manager->dispatch().value(), 1U);
  EXPECT_EQ(h().state(second.id()), TaskState::running);
}

TEST_P(ManagerTest, retries_are_made_after_their_delay_and_counted) {
  const auto task = h().start(R"({"name":"a","image_url":"x","retries":1,"retry_delay_seconds":5})");
  h().failure(task.id(), "trap");
  EXPECT_EQ(h().state(task.id()), TaskState::scheduled);
  EXPECT_EQ(h().manager->dispatch().value(), 0U);
  h().pass(5s);
  EXPECT_EQ(h().manager->dispatch().value(), 1U);
  EXPECT_EQ(h().task(task.id()).attempt, 2U);
  h().failure(task.id(), "trap again");
  EXPECT_EQ(h().state(task.id()), TaskState::failed);
  EXPECT_EQ(h().task(task.id()).error, "trap again");
}

TEST_P(ManagerTest, without_the_mqtt_broker_nothing_is_started) {
  h().outbox.is_connected = false;
  const auto task = h().create(plain_task);
  EXPECT_EQ(h().manager->start_task(task.id()).error().code, ManagerError::broker_unavailable);
  EXPECT_EQ(h().state(task.id()), TaskState::pending);
}

TEST_P(ManagerTest, a_restart_keeps_running_tasks_and_takes_their_results) {
  const auto running = h().start(plain_task);
  h().pass(1h);
  const auto queued = h().start(R"({"name":"q","image_url":"x","on_unavailable":"wait"})");
  h().outbox.starts();
  h().restart();
  EXPECT_EQ(h().state(running.id()), TaskState::running);
  EXPECT_TRUE(h().outbox.stops().empty());
  h().beat(1);
  EXPECT_EQ(h().manager->dispatch().value(), 1U);
  EXPECT_EQ(h().next_start().id, queued.id());
  h().result(running.id(), "30");
  EXPECT_EQ(h().state(running.id()), TaskState::completed);
}

TEST_P(ManagerTest, a_double_start_is_refused_and_a_finished_task_runs_again) {
  const auto task = h().start(plain_task);
  EXPECT_EQ(h().manager->start_task(task.id()).error().code, ManagerError::already_started);
  h().result(task.id(), "30");
  h().outbox.starts();
  const auto again = h().manager->start_task(task.id());
  ASSERT_TRUE(again) << to_string(again.error());
  EXPECT_TRUE(again->results.is_null());
  h().result(task.id(), "31");
  EXPECT_EQ(*h().task(task.id()).results.if_string(), "31");
}

TEST_P(ManagerTest, what_cannot_run_is_refused_at_its_start) {
  EXPECT_EQ(h().manager->start_task(h().create(R"({"name":"a"})").id()).error().code, FleetError::nothing_to_run);
  EXPECT_EQ(h().manager->start_task(h().create(R"({"name":"a","encrypted":true})").id()).error().code,
            FleetError::encrypted_needs_image);
  const auto task = h().create(R"({"name":"a","encrypted":true,"image_url":"x","file":"AGFzbQEAAAA="})");
  EXPECT_EQ(h().manager->start_task(task.id()).error().code, FleetError::encrypted_with_file);
  EXPECT_EQ(h().manager->start_task(worker_id(9)).error().code, ManagerError::not_found);
}

TEST_P(ManagerTest, encrypted_work_goes_to_nobody_who_has_not_proven_itself) {
  const auto task = h().create(R"({"name":"a","image_url":"x","encrypted":true})");
  const auto started = h().manager->start_task(task.id());
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, ManagerError::no_eligible_worker);
  EXPECT_NE(h().task(task.id()).reason.find("trusts no broker's tokens"), std::string::npos);
  // Its word does not help.
  h().beat(1, Capabilities{.tee = Capabilities::Tee{.type = "tdx"}, .runtimes = {"tee"}});
  EXPECT_FALSE(h().manager->start_task(task.id()));
  with({.scheduler = {.unverified_encrypted = true}});
  EXPECT_EQ(h().start(R"({"name":"a","image_url":"x","encrypted":true})").state, TaskState::running);
}

TEST_P(ManagerTest, stop_asks_the_worker_and_its_answer_ends_the_task) {
  const auto task = h().start(R"({"name":"a","image_url":"x","retries":5})");
  ASSERT_TRUE(h().manager->stop_task(task.id()));
  const auto stops = h().outbox.stops();
  ASSERT_EQ(stops.size(), 1U);
  EXPECT_EQ(stops[0].id, task.id());
  EXPECT_EQ(stops[0].proplet_id, worker_id(1));
  EXPECT_EQ(h().state(task.id()), TaskState::running);
  h().failure(task.id(), "task aborted");
  EXPECT_EQ(h().state(task.id()), TaskState::failed);  // trap 20, and no retry
  EXPECT_EQ(h().task(task.id()).code, "manager.stopped");
  EXPECT_EQ(h().manager->stop_task(task.id()).error().code, ManagerError::not_running);
}

TEST_P(ManagerTest, stop_ends_what_waits_or_runs_nowhere) {
  const auto running = h().start(plain_task);
  h().pass(1h);
  const auto queued = h().start(R"({"name":"q","image_url":"x","on_unavailable":"wait"})");
  ASSERT_TRUE(h().manager->stop_task(queued.id()));
  EXPECT_EQ(h().state(queued.id()), TaskState::failed);
  ASSERT_TRUE(h().manager->stop_task(running.id()));
  EXPECT_EQ(h().state(running.id()), TaskState::failed);
  EXPECT_EQ(h().manager->stop_task(h().create(plain_task).id()).error().code, ManagerError::not_running);
}

TEST_P(ManagerTest, a_worker_that_does_not_answer_a_stop_is_not_waited_for) {
  const auto task = h().start(plain_task);
  h().manager->tick();
  ASSERT_TRUE(h().manager->stop_task(task.id()));
  h().pass_alive(20s, 1);
  EXPECT_EQ(h().state(task.id()), TaskState::running);
  h().pass_alive(15s, 1);
  EXPECT_EQ(h().state(task.id()), TaskState::failed);
  EXPECT_EQ(h().task(task.id()).code, "manager.stopped");
  EXPECT_EQ(h().manager->worker(worker_id(1))->task_count, 0U);
}

TEST_P(ManagerTest, a_daemon_that_counts_as_completed_can_still_be_stopped) {
  const auto task = h().start(R"({"name":"a","image_url":"x","daemon":true})");
  h().result(task.id(), "");
  EXPECT_EQ(h().state(task.id()), TaskState::completed);
  ASSERT_TRUE(h().manager->stop_task(task.id()));
  EXPECT_EQ(h().outbox.stops().at(0).proplet_id, worker_id(1));
}

TEST_P(ManagerTest, a_broadcast_is_complete_when_everybody_has_answered) {
  h().discover(2);
  const auto task = h().start(R"({"name":"a","image_url":"x","broadcast":true})");
  const auto start = h().next_start();
  EXPECT_TRUE(start.broadcast);
  EXPECT_TRUE(start.proplet_id.empty());
  h().result(task.id(), "one", 1);
  h().result(task.id(), "one", 1);
  h().result(task.id(), "stranger", 3);
  EXPECT_EQ(h().state(task.id()), TaskState::running);
  h().failure(task.id(), "trap", 2);
  const auto done = h().task(task.id());
  EXPECT_EQ(done.state, TaskState::failed);
  EXPECT_NE(done.error.find("trap"), std::string::npos);
  EXPECT_EQ(text_of(done.proplet_results, "/" + worker_id(1) + "/results"), "one");
}

TEST_P(ManagerTest, a_worker_that_fell_silent_loses_its_tasks_and_a_late_result_still_counts) {
  const auto task = h().start(plain_task);
  h().manager->tick();
  h().pass_alive(2min, 0);
  EXPECT_EQ(h().state(task.id()), TaskState::failed);
  EXPECT_EQ(h().task(task.id()).code, "manager.worker_lost");
  h().result(task.id(), "30", 1);
  EXPECT_EQ(h().state(task.id()), TaskState::completed);
}

TEST_P(ManagerTest, a_lost_workers_task_with_retries_goes_to_another) {
  const auto task = h().start(R"({"name":"a","image_url":"x","retries":1})");
  h().discover(2);
  for (int i = 0; i < 20; ++i) {
    h().pass(5s);
    h().beat(2);
    for (int j = 0; j < 5; ++j) h().manager->tick();
  }
  h().outbox.starts();
  EXPECT_EQ(h().manager->dispatch().value(), 1U);
  EXPECT_EQ(h().next_start().proplet_id, worker_id(2));
  EXPECT_EQ(h().task(task.id()).attempt, 2U);
}

TEST_P(ManagerTest, a_worker_that_says_it_is_idle_has_lost_the_result) {
  const auto task = h().start(plain_task);
  h().manager->tick();
  for (int i = 0; i < 6; ++i) {
    h().pass(5s);
    h().beat(1, Capabilities{.running_tasks = 0, .max_tasks = 4});
    for (int j = 0; j < 5; ++j) h().manager->tick();
  }
  EXPECT_EQ(h().state(task.id()), TaskState::failed);
  EXPECT_EQ(h().task(task.id()).code, "manager.result_lost");
}

TEST_P(ManagerTest, results_of_parents_go_to_their_children) {
  const auto parent = h().start(plain_task);
  const auto child = h().create(R"({"name":"b","image_url":"x","depends_on":[")" + parent.id() + R"("]})");
  EXPECT_EQ(h().manager->start_task(child.id()).error().code, ManagerError::unmet_dependencies);
  h().result(parent.id(), "30");
  h().outbox.starts();
  ASSERT_TRUE(h().manager->start_task(child.id()));
  EXPECT_EQ(text_of(h().next_start().parent_results, "/" + parent.id()), "30");
}

TEST_P(ManagerTest, a_latent_task_is_invoked_and_compiled_again_where_it_was_lost) {
  const auto task = h().start(R"({"name":"greet","image_url":"x","latent":true})");
  h().outbox.starts();
  int calls = 0;
  h().outbox.on_invoke = [&](const InvokeCommand& invoke) {
    InvokeResult result{.task_id = invoke.id, .invocation_id = invoke.invocation_id, .proplet_id = worker_id(1)};
    if (++calls == 1) {
      result.error = "task " + invoke.id + " has not been precompiled";
    } else {
      result.results = "hello " + invoke.inputs.at(0) + invoke.env.at("K");
    }
    h().manager->on_message(Topic::invoke_results, fleet::to_json(result));
  };
  const auto result = h().manager->invoke_task(task.id(), {.inputs = {"you"}, .env = {{"K", "!"}}});
  ASSERT_TRUE(result) << to_string(result.error());
  EXPECT_EQ(*result->if_string(), "hello you!");
  EXPECT_EQ(h().next_start().id, task.id());
  h().outbox.on_invoke = [&](const InvokeCommand& invoke) {
    h().manager->on_message(
        Topic::invoke_results,
        fleet::to_json(InvokeResult{
            .task_id = invoke.id, .invocation_id = invoke.invocation_id, .proplet_id = worker_id(1), .error = "trap"}));
  };
  EXPECT_EQ(h().manager->invoke_task(task.id(), {}).error().code, ManagerError::invoke_failed);
  EXPECT_EQ(h().manager->invoke_task(h().create(plain_task).id(), {}).error().code, ManagerError::not_running);
}

TEST_P(ManagerTest, an_invocation_that_nobody_answers_ends) {
  with({.invoke_timeout = 50ms});
  const auto task = h().start(R"({"name":"greet","image_url":"x","latent":true})");
  EXPECT_EQ(h().manager->invoke_task(task.id(), {}).error().code, ManagerError::invoke_timeout);
}

TEST_P(ManagerTest, hundreds_of_tasks_queued_at_once_all_run_once) {
  h().pass(1h);
  std::vector<std::string> ids;
  for (int i = 0; i < 300; ++i) {
    ids.push_back(h().start(R"({"name":"a","image_url":"x","on_unavailable":"wait"})").id());
  }
  h().beat(1);
  EXPECT_EQ(h().manager->dispatch().value(), ids.size());
  std::map<std::string, int> seen;
  for (const auto& start : h().outbox.starts()) ++seen[start.id];
  EXPECT_EQ(seen.size(), ids.size());
  EXPECT_EQ(h().manager->dispatch().value(), 0U);
}

TEST_P(ManagerTest, two_managers_give_a_queue_out_once) {
  h().pass(1h);
  constexpr std::size_t tasks = 100;
  for (std::size_t i = 0; i < tasks; ++i) h().start(R"({"name":"a","image_url":"x","on_unavailable":"wait"})");
  const auto second = h().another();
  h().beat(1);
  second->on_message(Topic::alive, fleet::to_json(Alive{.proplet_id = worker_id(1)}));
  std::size_t given = 0;
  {
    std::size_t other = 0;
    std::jthread thread([&] { other = second->dispatch().value_or(1'000'000); });
    given = h().manager->dispatch().value();
    thread.join();
    given += other;
  }
  EXPECT_EQ(given, tasks);
  std::map<std::string, int> seen;
  for (const auto& start : h().outbox.starts()) ++seen[start.id];
  EXPECT_EQ(seen.size(), tasks);
  for (const auto& [id, times] : seen) EXPECT_EQ(times, 1) << id;
}

TEST_P(ManagerTest, measurements_are_kept_for_an_hour) {
  h().manager->on_message(Topic::node_metrics,
                          fleet::to_json(NodeMetrics{.proplet_id = worker_id(1), .user_seconds = 1.5}));
  h().manager->on_message(Topic::node_metrics,
                          fleet::to_json(NodeMetrics{.proplet_id = worker_id(1), .user_seconds = 1.6}));  // too soon
  const auto found = h().manager->measurements("proplet", worker_id(1), {}).value();
  ASSERT_EQ(found.total, 1U);
  EXPECT_NE(found.items[0].find("1.5"), std::string::npos);
  h().pass(2h);
  for (int i = 0; i < 60; ++i) h().manager->tick();
  EXPECT_EQ(h().manager->measurements("proplet", worker_id(1), {})->total, 0U);
}

TEST_P(ManagerTest, what_is_no_message_changes_nothing) {
  for (const auto topic : {Topic::discovery, Topic::alive, Topic::node_metrics, Topic::task_metrics, Topic::results,
                           Topic::invoke_results, Topic::round_start, Topic::start, Topic::chunk}) {
    for (const std::string_view payload : {"", "{", "[]", "\xff\xfe", R"({"proplet_id":1})", "null"}) {
      h().manager->on_message(topic, payload);
    }
  }
  EXPECT_EQ(h().manager->workers({}, std::nullopt)->total, 1U);
}

}  // namespace
}  // namespace coffer::fleet::manager::testing
