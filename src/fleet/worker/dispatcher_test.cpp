#include "fleet/worker/dispatcher.h"

#include "fleet/worker/dispatcher_testing.h"

namespace coffer::fleet::worker {
namespace {

using ::testing::HasSubstr;
using DispatcherTest = testing::DispatcherTest;

TEST_F(DispatcherTest, a_plain_task_runs_in_process_and_its_result_is_signed) {
  start(task("t"));
  const auto answered = answer();
  EXPECT_EQ(answered.topic, Topic::results);
  EXPECT_EQ(*answered.result.results.if_string(), "wasm:add:1:2:PROPLET_ID=me");
  EXPECT_FALSE(answered.result.error);
  EXPECT_EQ(answered.result.proplet_id, "me");
  EXPECT_EQ(answered.result.details.module_digest, "sha256:00");
  EXPECT_EQ(answered.result.details.signature, "signed t");
}

TEST_F(DispatcherTest, encrypted_work_outside_a_tee_is_refused_at_once_and_never_run_otherwise) {
  auto encrypted = task("t");
  encrypted.file.reset();
  encrypted.image_url = "registry/image:1";
  encrypted.encrypted = true;
  start(encrypted);
  ASSERT_EQ(answers(), 1U);
  EXPECT_THAT(*answer().result.error, HasSubstr("TEE runtime not available"));
  EXPECT_EQ(answer().result.details.code, "worker.tee_not_available");
  EXPECT_EQ(wasm_.prepared + tee_.prepared, 0);
}

TEST_F(DispatcherTest, encrypted_work_in_a_tee_runs_there_alone) {
  refusal_.reset();
  host_ = &other_;
  auto encrypted = task("t");
  encrypted.file.reset();
  encrypted.image_url = "registry/image:1";
  encrypted.encrypted = true;
  start(encrypted);
  EXPECT_EQ(*answer().result.results.if_string(), "tee:add:1:2:PROPLET_ID=me");
}

TEST_F(DispatcherTest, the_external_runtime_takes_plain_tasks_that_it_can_hold) {
  host_ = &other_;
  start(task("plain"));
  EXPECT_EQ(*answer(0).result.results.if_string(), "host:add:1:2:PROPLET_ID=me");
  auto limited = task("limited");
  limited.fuel = 5;
  start(limited);
  EXPECT_EQ(*answer(1).result.results.if_string(), "wasm:add:1:2:PROPLET_ID=me");
  auto bounded = task("bounded");
  bounded.memory_bytes = 65536;
  start(bounded);
  EXPECT_EQ(*answer(2).result.results.if_string(), "wasm:add:1:2:PROPLET_ID=me");
}

TEST_F(DispatcherTest, a_start_that_cannot_be_read_is_answered_by_whoever_is_meant) {
  dispatcher().start(R"({"id":"t","name":5})");
  EXPECT_EQ(answer().result.task_id, "t");
  EXPECT_EQ(answer().result.details.code, "fleet.bad_member");
  dispatcher().start(R"({"id":"t","name":5,"proplet_id":"other"})");
  dispatcher().start("nothing that can be read");
  EXPECT_EQ(answers(), 1U);
}

TEST_F(DispatcherTest, a_start_that_makes_no_sense_is_answered) {
  start({.id = "t", .name = "add"});
  EXPECT_EQ(answer().result.details.code, "fleet.nothing_to_run");
}

TEST_F(DispatcherTest, others_tasks_are_left_alone_but_broadcasts_are_not) {
  auto others = task("t");
  others.proplet_id = "other";
  start(others);
  EXPECT_EQ(started_, 0);
  others.broadcast = true;
  start(others);
  answer();
}

TEST_F(DispatcherTest, a_module_that_cannot_be_had_is_answered_with_its_code) {
  start(task("t", "fail"));
  EXPECT_EQ(answer().result.details.code, "worker.http_status");
  EXPECT_TRUE(answer().result.details.signature.empty());
}

TEST_F(DispatcherTest, a_second_delivery_is_dropped_while_it_runs_and_answered_again_just_after) {
  start(task("t", "wait"));
  start(task("t", "wait"));
  EXPECT_EQ(started_, 1);
  dispatcher().stop(to_json(StopCommand{.id = "t"}));
  EXPECT_EQ(answer().result.details.code, "worker.stopped");
  start(task("t", "wait"));
  EXPECT_EQ(answer(1).result.details.code, "worker.stopped");
  EXPECT_EQ(started_, 1);
}

TEST_F(DispatcherTest, stop_honours_whom_it_names) {
  start(task("t", "wait"));
  dispatcher().stop(to_json(StopCommand{.id = "t", .proplet_id = "other"}));
  dispatcher().stop("not JSON");
  EXPECT_EQ(dispatcher().running(), 1U);
  dispatcher().stop(to_json(StopCommand{.id = "t", .proplet_id = "me"}));
  EXPECT_EQ(answer().result.details.code, "worker.stopped");
}

TEST_F(DispatcherTest, tasks_beyond_threads_and_queue_are_refused_as_busy) {
  for (const auto* id : {"1", "2"}) start(task(id, "wait"));
  wait_until([&] { return wasm_.prepared == 2; });
  for (const auto* id : {"3", "4", "5"}) start(task(id, "wait"));
  EXPECT_EQ(answer().result.task_id, "5");
  EXPECT_EQ(answer().result.details.code, "worker.busy");
  dispatcher().finish();
  EXPECT_EQ(answers(), 5U);
  EXPECT_EQ(started_, ended_);
}

TEST_F(DispatcherTest, a_task_that_was_stopped_in_the_queue_does_not_run) {
  for (const auto* id : {"1", "2"}) start(task(id, "wait"));
  wait_until([&] { return wasm_.prepared == 2; });
  start(task("3"));
  dispatcher().stop(to_json(StopCommand{.id = "3"}));
  dispatcher().finish();
  EXPECT_EQ(wasm_.prepared, 2);
}

TEST_F(DispatcherTest, a_daemon_is_told_at_once_and_not_again_when_it_is_stopped) {
  auto daemon = task("d", "wait");
  daemon.daemon = true;
  start(daemon);
  EXPECT_EQ(*answer().result.results.if_string(), "");
  EXPECT_FALSE(answer().result.error);
  dispatcher().stop(to_json(StopCommand{.id = "d"}));
  wait_until([&] { return ended_ == 1; });
  dispatcher().finish();  // what is told of an end is told after it
  EXPECT_EQ(answers(), 1U);
}

TEST_F(DispatcherTest, daemons_have_a_bound_of_their_own) {
  for (const auto* id : {"1", "2", "3"}) {
    auto daemon = task(id, "wait");
    daemon.daemon = true;
    start(daemon);
  }
  wait_until([&] { return answers() == 3; });
  start(task("t"));
  EXPECT_EQ(*answer(3).result.results.if_string(), "wasm:add:1:2:PROPLET_ID=me");
  dispatcher().finish();
}

TEST_F(DispatcherTest, a_module_that_serves_is_told_when_it_does_and_not_again_when_it_is_stopped) {
  start(task("s", "serve"));
  EXPECT_EQ(*answer().result.results.if_string(), "started at port 1");
  EXPECT_EQ(answer().result.details.module_digest, "sha256:00");
  EXPECT_EQ(answer().result.details.signature, "signed s");
  EXPECT_TRUE(answer().result.details.lasting);
  EXPECT_EQ(dispatcher().running(), 1U);
  dispatcher().stop(to_json(StopCommand{.id = "s"}));
  wait_until([&] { return ended_ == 1; });
  dispatcher().finish();  // what is told of an end is told after it
  EXPECT_EQ(answers(), 1U);
  EXPECT_EQ(dispatcher().running(), 0U);
}

TEST_F(DispatcherTest, a_daemon_that_serves_is_told_once_too) {
  auto daemon = task("s", "serve");
  daemon.daemon = true;
  start(daemon);
  EXPECT_EQ(*answer().result.results.if_string(), "started at port 1");
  dispatcher().stop(to_json(StopCommand{.id = "s"}));
  wait_until([&] { return ended_ == 1; });
  dispatcher().finish();  // what is told of an end is told after it
  EXPECT_EQ(answers(), 1U);
}

TEST_F(DispatcherTest, a_module_that_cannot_serve_is_answered_with_its_code) {
  start(task("s", "serve badly"));
  EXPECT_EQ(answer().result.details.code, "worker.argument_refused");
  wait_until([&] { return ended_ == 1; });
  dispatcher().finish();  // what is told of an end is told after it
  EXPECT_EQ(answers(), 1U);
}

TEST_F(DispatcherTest, modules_that_serve_leave_their_threads_to_other_tasks_and_have_the_daemons_bound) {
  for (const auto* id : {"1", "2"}) start(task(id, "serve"));
  wait_until([&] { return answers() == 2; });
  start(task("3", "serve"));
  EXPECT_EQ(answer(2).result.task_id, "3");
  EXPECT_EQ(answer(2).result.details.code, "worker.busy");
  start(task("t"));
  EXPECT_EQ(*answer(3).result.results.if_string(), "wasm:add:1:2:PROPLET_ID=me");
  dispatcher().stop(to_json(StopCommand{.id = "1"}));
  wait_until([&] { return ended_ == 3; });
  start(task("4", "serve"));
  EXPECT_EQ(*answer(4).result.results.if_string(), "started at port 1");
  dispatcher().finish();
  EXPECT_EQ(started_, ended_);
  EXPECT_EQ(answers(), 5U);
}

TEST_F(DispatcherTest, a_latent_task_says_nothing_until_it_is_invoked) {
  auto latent = task("l");
  latent.latent = true;
  latent.env = {{"A", "1"}};
  start(latent);
  wait_until([&] { return ended_ == 1; });
  EXPECT_EQ(answers(), 0U);
  dispatcher().invoke(to_json(
      InvokeCommand{.id = "l", .proplet_id = "me", .invocation_id = "i", .inputs = {"9"}, .env = {{"B", "2"}}}));
  EXPECT_EQ(*answer().invocation.results.if_string(), "wasm:add:9:B=2");
  EXPECT_EQ(answer().invocation.invocation_id, "i");
  EXPECT_EQ(answer().topic, Topic::invoke_results);
  dispatcher().invoke(to_json(InvokeCommand{.id = "l", .proplet_id = "me", .invocation_id = "j"}));
  EXPECT_EQ(*answer(1).invocation.results.if_string(), "wasm:add:1:2");
}

TEST_F(DispatcherTest, an_invocation_of_what_is_not_ready_has_the_words_that_managers_look_for) {
  dispatcher().invoke(to_json(InvokeCommand{.id = "l", .proplet_id = "me", .invocation_id = "i"}));
  EXPECT_THAT(*answer().invocation.error, HasSubstr("has not been precompiled"));
  EXPECT_EQ(answer().invocation.details.code, "worker.not_precompiled");
  dispatcher().invoke(to_json(InvokeCommand{.id = "l", .broadcast = true, .invocation_id = "i"}));
  dispatcher().invoke(to_json(InvokeCommand{.id = "l", .proplet_id = "other", .invocation_id = "i"}));
  EXPECT_EQ(answers(), 1U);
}

TEST_F(DispatcherTest, an_invocation_that_cannot_be_read_is_answered_where_it_names_this_worker) {
  dispatcher().invoke(R"({"id":"l","proplet_id":"me","invocation_id":"i","inputs":5})");
  EXPECT_EQ(answer().invocation.details.code, "fleet.bad_member");
  dispatcher().invoke(R"({"id":"l","invocation_id":"i","inputs":5})");
  EXPECT_EQ(answers(), 1U);
}

TEST_F(DispatcherTest, results_may_be_held_back_for_upstreams_manager) {
  config_.compat_result_delay = Duration{5000};
  const auto begun = std::chrono::steady_clock::now();
  start(task("t"));
  EXPECT_GE(answer().not_before, begun + Duration{5000});
}

TEST_F(DispatcherTest, a_federated_rounds_result_has_upstreams_shape) {
  auto round = task("t");
  round.env = {{"ROUND_ID", "r1"}};
  start(round);
  const auto results = answer().result.results;
  ASSERT_TRUE(results.is_object());
  EXPECT_EQ(*results.find("round_id")->if_string(), "r1");
  EXPECT_EQ(*results.find("format")->if_string(), "f32-delta");
  EXPECT_EQ(results.find("num_samples")->if_uint64(), 1U);
  EXPECT_TRUE(results.find("update_b64")->is_string());
  EXPECT_THAT(update_, HasSubstr("MODEL_DATA=m"));
}

TEST_F(DispatcherTest, a_rounds_task_may_say_its_samples_and_its_format) {
  auto round = task("t");
  round.env = {{"ROUND_ID", "r1"}, {"FL_NUM_SAMPLES", "512"}, {"FL_FORMAT", "json"}};
  start(round);
  EXPECT_EQ(answer().result.results.find("num_samples")->if_uint64(), 512U);
  EXPECT_EQ(*answer().result.results.find("format")->if_string(), "json");
  round.id = "u";
  round.env["FL_NUM_SAMPLES"] = "many";
  start(round);
  EXPECT_EQ(answer(1).result.results.find("num_samples")->if_uint64(), 1U);
}

TEST_F(DispatcherTest, an_update_that_cannot_be_sealed_does_not_go_out_plain) {
  sealer_ = *UpdateSealer::create(std::nullopt, {.aggregator = [](const auto&) { return "http://127.0.0.1:9"; }});
  auto round = task("t");
  round.env = {{"ROUND_ID", "r1"}, {"FL_UPDATE_SEALED", "true"}};
  start(round);
  const auto result = answer().result;
  EXPECT_EQ(result.details.code, "worker.aggregator_not_proven");
  EXPECT_EQ(result.results, codec::json::Value{""});
  EXPECT_EQ(update_, "");
  round.id = "latent";
  round.latent = true;
  start(round);
  EXPECT_EQ(answer(1).result.details.code, "worker.unsupported");
  auto plain = task("u");
  plain.env = {{"ROUND_ID", "r1"}};
  start(plain);
  EXPECT_TRUE(answer(2).result.results.is_object());
}

}  // namespace
}  // namespace coffer::fleet::worker
