// What is published, and what comes back more than once or later than thought, over both databases.
#include "fleet/manager/manager_testing.h"
#include "net/error.h"

namespace coffer::fleet::manager::testing {
namespace {

using namespace std::chrono_literals;

struct DeliveryTest : DatabasesTest {
  void SetUp() override {
    DatabasesTest::SetUp();
    if (!IsSkipped()) make().discover(1);
  }
};
INSTANTIATE_TEST_SUITE_P(Databases, DeliveryTest, ::testing::ValuesIn(engines), engine_name);

TEST_P(DeliveryTest, a_start_that_did_not_get_through_is_published_again_by_whoever_is_there) {
  const auto task = h().create(plain_task);
  h().outbox.failure = Error{net::NetError::timeout, "no acknowledgement"};
  ASSERT_TRUE(h().manager->start_task(task.id()));
  h().outbox.failure.reset();
  const auto second = h().another();
  second->tick();
  EXPECT_TRUE(h().outbox.starts().empty());  // the first one's claim holds
  h().pass(16s);
  second->tick();
  EXPECT_EQ(h().next_start().id, task.id());
  h().manager->tick();
  second->tick();
  EXPECT_TRUE(h().outbox.starts().empty());
  EXPECT_EQ(second->task(task.id())->state, TaskState::running);
}

TEST_P(DeliveryTest, a_start_that_waits_for_the_broker_is_not_published_a_second_time) {
  const auto task = h().create(plain_task);
  h().outbox.holds = true;
  ASSERT_TRUE(h().manager->start_task(task.id()));
  h().outbox.starts();
  for (int i = 0; i < 3; ++i) {
    h().pass(16s);
    h().beat(1);
    h().manager->tick();
  }
  EXPECT_TRUE(h().outbox.starts().empty());
  EXPECT_EQ(h().state(task.id()), TaskState::running);
  h().outbox.waiting.at(0)(Result<>{});
  h().manager->tick();
  h().pass(16s);
  h().manager->tick();
  EXPECT_TRUE(h().outbox.starts().empty());
}

TEST_P(DeliveryTest, a_start_that_the_broker_refuses_for_its_size_fails_its_task_with_the_next_tick) {
  const auto task = h().create(plain_task);
  h().outbox.holds = true;
  ASSERT_TRUE(h().manager->start_task(task.id()));
  h().outbox.waiting.at(0)(fail(net::NetError::too_large, "over the broker's limit"));
  h().manager->tick();
  EXPECT_EQ(h().task(task.id()).error, "over the broker's limit");
  EXPECT_EQ(h().task(task.id()).code, "net.too_large");
}

TEST_P(DeliveryTest, a_start_that_can_never_get_through_fails_its_task) {
  const auto task = h().create(R"({"name":"a","image_url":"x","retries":3})");
  h().outbox.failure = Error{net::NetError::bad_message, "over the limit"};
  ASSERT_TRUE(h().manager->start_task(task.id()));
  EXPECT_EQ(h().state(task.id()), TaskState::failed);
  EXPECT_EQ(h().task(task.id()).error, "over the limit");
}

TEST_P(DeliveryTest, a_result_of_an_earlier_run_does_not_end_the_present_one) {
  const auto task = h().start(plain_task);
  const auto first = h().next_start().run;
  ASSERT_FALSE(first.empty());
  const auto result_of = [&](const std::string& run, std::string_view text) {
    h().manager->on_message(
        Topic::results,
        fleet::to_json(TaskResult{.task_id = task.id(), .proplet_id = worker_id(1), .results = text, .run = run}));
  };
  result_of(first, "first");
  ASSERT_TRUE(h().manager->start_task(task.id()));
  const auto second = h().next_start().run;
  EXPECT_NE(first, second);
  result_of(first, "first");
  EXPECT_EQ(h().state(task.id()), TaskState::running);
  result_of(second, "second");
  EXPECT_EQ(*h().task(task.id()).results.if_string(), "second");
}

// What a worker says of a task that goes on after its result, as one that serves HTTP does.
TaskResult lasting(const std::string& task, std::optional<std::string> error = std::nullopt) {
  TaskResult result{.task_id = task, .proplet_id = worker_id(1), .results = "started at port 1", .error = error};
  result.details.lasting = !error;
  return result;
}

TEST_P(DeliveryTest, a_task_that_goes_on_after_its_result_can_be_stopped_once) {
  const auto task = h().start(plain_task);
  h().manager->on_message(Topic::results, fleet::to_json(lasting(task.id())));
  EXPECT_EQ(h().state(task.id()), TaskState::completed);
  EXPECT_TRUE(h().task(task.id()).details.lasting);
  ASSERT_TRUE(h().manager->stop_task(task.id()));
  EXPECT_EQ(h().outbox.stops().at(0).id, task.id());
  EXPECT_EQ(h().state(task.id()), TaskState::completed);
  EXPECT_EQ(h().manager->stop_task(task.id()).error().code, ManagerError::not_running);
  // One that has ended has nothing left to stop.
  const auto ended = h().start(plain_task);
  h().result(ended.id(), "30");
  EXPECT_EQ(h().manager->stop_task(ended.id()).error().code, ManagerError::not_running);
}

TEST_P(DeliveryTest, a_task_that_fails_after_it_had_begun_to_serve_is_failed) {
  const auto task = h().start(plain_task);
  h().manager->on_message(Topic::results, fleet::to_json(lasting(task.id())));
  h().manager->on_message(Topic::results, fleet::to_json(lasting(task.id(), "the socket broke")));
  EXPECT_EQ(h().state(task.id()), TaskState::failed);
  EXPECT_EQ(h().task(task.id()).error, "the socket broke");
  h().manager->on_message(Topic::results, fleet::to_json(lasting(task.id(), "again")));
  EXPECT_EQ(h().task(task.id()).error, "the socket broke");
}

TEST_P(DeliveryTest, a_round_is_one_task_a_participant) {
  h().manager->on_message(Topic::round_start,
                          R"({"round_id":"r1","model_uri":"m","task_wasm_image":"x","participants":[")" + worker_id(1) +
                              R"("],"hyperparams":{"lr":0.1}})");
  const auto start = h().next_start();
  EXPECT_EQ(start.name, "fl-round-r1-" + worker_id(1));
  EXPECT_EQ(start.env.at("ROUND_ID"), "r1");
  EXPECT_EQ(start.env.at("HYPERPARAMS"), R"({"lr":0.1})");
  EXPECT_EQ(start.proplet_id, worker_id(1));
}

TEST_P(DeliveryTest, a_round_that_is_told_of_twice_starts_once_and_again_when_it_has_ended) {
  const std::string round =
      R"({"round_id":"r1","model_uri":"m","task_wasm_image":"x","participants":[")" + worker_id(1) + R"("]})";
  h().manager->on_message(Topic::round_start, round);
  const auto task = h().next_start().id;
  h().manager->on_message(Topic::round_start, round);
  EXPECT_TRUE(h().outbox.starts().empty());
  h().result(task, "");
  h().manager->on_message(Topic::round_start, round);
  EXPECT_EQ(h().next_start().id, task);
  EXPECT_EQ(h().state(task), TaskState::running);
}

}  // namespace
}  // namespace coffer::fleet::manager::testing
