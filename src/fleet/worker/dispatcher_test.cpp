#include "fleet/worker/dispatcher.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <condition_variable>

#include "net/trace_testing.h"

namespace coffer::fleet::worker {
namespace {

using ::testing::HasSubstr;

// Runs nothing: gives the task's name back, waits for a stop where the name is "wait", fails where it is "fail".
class FakeRuntime final : public Runtime {
 public:
  explicit FakeRuntime(std::string name) : name_(std::move(name)) {}
  std::string_view name() const override { return name_; }
  Result<PreparedModule> prepare(const StartCommand& task, const std::stop_token&) override {
    ++prepared;
    if (task.name == "fail") return fail(WorkerError::http_status, "no module");
    return PreparedModule{.digest = "sha256:00", .serves = task.name.starts_with("serve")};
  }
  RunReport run(const PreparedModule&, const Run& run, const std::stop_token& stop) override {
    if (run.task.name == "serve badly") return {.error = Error{WorkerError::argument_refused, "no such port"}};
    if (run.task.name == "serve") run.serving("started at port 1");
    if (run.task.name == "wait" || run.task.name == "serve") {
      std::mutex mutex;
      std::condition_variable_any stopped;
      std::unique_lock lock(mutex);
      stopped.wait(lock, stop, [] { return false; });
      return {.error = Error{WorkerError::stopped, "stopped"}};
    }
    std::string text = name_ + ":" + run.task.name;
    for (const auto& input : run.inputs) text += ":" + input;
    for (const auto& [name, value] : run.task.name == "own environment" ? run.task.env : run.env) {
      text += ":" + name + "=" + value;
    }
    return {.results = text};
  }
  std::atomic<int> prepared = 0;

 private:
  std::string name_;
};

// Denies tasks whose name is "forbidden", adds HOOK=yes, and notes what it is told.
class FakeHooks final : public TaskHooks {
 public:
  Result<> authorize(const StartCommand& task) override {
    if (task.name == "forbidden") return fail(WorkerError::plugin_denied, "not here");
    return {};
  }
  Environment enrich(const StartCommand&) override { return {{"HOOK", "yes"}}; }
  void task_starts(const StartCommand& task, const Environment& environment) override {
    note("starts " + task.name + " " + environment.at("HOOK"));
  }
  void task_ended(const StartCommand& task, const RunReport& report) override {
    note("ended " + task.name + (report.error ? " badly" : " well"));
  }
  std::vector<std::string> told() {
    const std::lock_guard lock(mutex_);
    return told_;
  }

 private:
  void note(std::string what) {
    const std::lock_guard lock(mutex_);
    told_.push_back(std::move(what));
  }
  std::mutex mutex_;
  std::vector<std::string> told_;
};

struct Answer {
  Topic topic;
  TaskResult result{};
  InvokeResult invocation{};
  Dispatcher::Instant not_before{};
};

class DispatcherTest : public ::testing::Test {
 protected:
  DispatcherTest() {
    config_.identity.entity = "me";
    config_.tasks.max_tasks = 2;
    config_.tasks.max_queue = 2;
    config_.tasks.duplicate_window = Duration{60'000};
  }
  ~DispatcherTest() override { dispatcher_.reset(); }

  Dispatcher& dispatcher() {
    if (!dispatcher_) {
      dispatcher_ = std::make_unique<Dispatcher>(
          config_, Dispatcher::Parts{.wasm = wasm_,
                                     .host = host_,
                                     .tee = tee_,
                                     .tee_refusal = [this] { return refusal_; },
                                     .answer = [this](Topic topic, const std::string& payload,
                                                      Dispatcher::Instant when) { keep(topic, payload, when); },
                                     .sign = [](const ResultStatement& s) { return "signed " + s.task_id; },
                                     .round_inputs =
                                         [](std::map<std::string, std::string>& environment) {
                                           if (environment.contains("ROUND_ID")) environment["MODEL_DATA"] = "m";
                                         },
                                     .round_update = [this](const auto&, const std::string& u) { update_ = u; },
                                     .sealer = sealer_.get(),
                                     .hooks = hooks_,
                                     .started = [this](const StartCommand&) { ++started_; },
                                     .ended = [this](const StartCommand&, std::string_view) { ++ended_; },
                                     .tracer = &tracer_});
    }
    return *dispatcher_;
  }
  void keep(Topic topic, const std::string& payload, Dispatcher::Instant when) {
    Answer answer{.topic = topic, .not_before = when};
    if (topic == Topic::results) {
      answer.result = *parse_task_result(payload);
    } else {
      answer.invocation = *parse_invoke_result(payload);
    }
    const std::lock_guard lock(mutex_);
    answers_.push_back(std::move(answer));
    changed_.notify_all();
  }
  // The answer with this number, from 0.
  Answer answer(std::size_t number = 0) {
    std::unique_lock lock(mutex_);
    const bool came = changed_.wait_for(lock, std::chrono::seconds{20}, [&] { return answers_.size() > number; });
    EXPECT_TRUE(came) << "only " << answers_.size() << " answers";
    return came ? answers_[number] : Answer{};
  }
  std::size_t answers() {
    const std::lock_guard lock(mutex_);
    return answers_.size();
  }
  void start(StartCommand command) { dispatcher().start(to_json(command)); }
  static StartCommand task(const std::string& id, const std::string& name = "add") {
    return {.id = id, .name = name, .file = to_bytes("module"), .inputs = {"1", "2"}};
  }
  template <class Condition>
  static void wait_until(const Condition& condition) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds{20};
    while (!condition() && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
    EXPECT_TRUE(condition());
  }

  const std::shared_ptr<net::testing::SpanList> spans_ = std::make_shared<net::testing::SpanList>();
  const net::Tracer tracer_{spans_, 1};
  Config config_;
  FakeRuntime wasm_{"wasm"}, other_{"host"}, tee_{"tee"};
  Runtime* host_ = nullptr;
  FakeHooks hooking_;
  TaskHooks* hooks_ = nullptr;
  std::optional<Error> refusal_ = Error{WorkerError::tee_not_available, "TEE runtime not available: test"};
  std::atomic<int> started_ = 0, ended_ = 0;
  std::unique_ptr<UpdateSealer> sealer_;
  std::string update_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Answer> answers_;
  std::unique_ptr<Dispatcher> dispatcher_;
};

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

constexpr std::string_view parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

TEST_F(DispatcherTest, a_task_is_followed_from_its_start_to_its_result) {
  auto command = task("t1");
  command.traceparent = parent;
  command.env = {{"TOKEN", "secret"}};
  start(std::move(command));
  answer();
  dispatcher().finish();
  const auto begun = spans_->named("task.start");
  const auto execute = spans_->named("task.execute");
  EXPECT_EQ(begun.parent, net::TraceContext::parse(parent)->span_id);
  EXPECT_EQ(execute.parent, begun.context.span_id);
  for (const auto* name : {"task.prepare", "wasm.execute", "task.result"}) {
    EXPECT_EQ(spans_->named(name).parent, execute.context.span_id) << name;
  }
  for (const auto& span : spans_->all()) {
    EXPECT_EQ(span.context.trace_id, begun.context.trace_id) << span.name;
    EXPECT_EQ(span.failure, "") << span.name;
    for (const auto& [key, value] : span.attributes) {
      const auto* text = std::get_if<std::string>(&value);
      const bool told = text != nullptr && (text->find("secret") != std::string::npos || *text == "1" || *text == "2");
      EXPECT_FALSE(told) << span.name << "." << key;
    }
  }
  EXPECT_EQ(spans_->all().size(), 5U);
}

TEST_F(DispatcherTest, spans_say_by_code_what_failed) {
  start(task("t1", "fail"));
  auto encrypted = task("t2");
  encrypted.file.reset();
  encrypted.image_url = "registry/x:v1";
  encrypted.encrypted = true;
  start(std::move(encrypted));
  start({.id = "t3", .name = "nothing"});
  answer(2);
  dispatcher().finish();
  std::vector<std::string> codes;
  for (const auto& span : spans_->all()) {
    if (!span.failure.empty()) codes.push_back(span.name + " " + span.failure);
  }
  EXPECT_THAT(codes, ::testing::UnorderedElementsAre(
                         "task.prepare worker.http_status", "task.execute worker.http_status",
                         "task.execute worker.tee_not_available", "task.start fleet.nothing_to_run"));
}

TEST_F(DispatcherTest, stops_and_invocations_belong_to_what_asked_for_them) {
  auto latent = task("t1");
  latent.latent = true;
  start(std::move(latent));
  wait_until([&] { return ended_ == 1; });
  dispatcher().invoke(to_json(
      InvokeCommand{.id = "t1", .proplet_id = "me", .invocation_id = "i1", .traceparent = std::string{parent}}));
  answer();
  dispatcher().stop(to_json(StopCommand{.id = "t1", .proplet_id = "me", .traceparent = std::string{parent}}));
  dispatcher().finish();
  const auto context = *net::TraceContext::parse(parent);
  EXPECT_EQ(spans_->named("task.stop").parent, context.span_id);
  EXPECT_EQ(spans_->named("task.invoke").parent, context.span_id);
  EXPECT_EQ(spans_->named("task.invoke.execute").parent, spans_->named("task.invoke").context.span_id);
}

TEST_F(DispatcherTest, a_context_that_does_not_parse_costs_the_trace_alone) {
  dispatcher().start(R"({"id":"t1","name":"add","file":"bW9kdWxl","traceparent":7})");
  EXPECT_FALSE(answer().result.error);
  auto command = task("t2");
  command.traceparent = "00-no";
  start(std::move(command));
  EXPECT_FALSE(answer(1).result.error);
  dispatcher().finish();
  EXPECT_FALSE(spans_->named("task.start").parent);
}

TEST_F(DispatcherTest, hooks_are_asked_before_anything_is_fetched_and_a_denial_is_the_result) {
  hooks_ = &hooking_;
  start(task("t", "forbidden"));
  EXPECT_EQ(answer().result.error, "not here");
  EXPECT_EQ(answer().result.details.code, "worker.plugin_denied");
  dispatcher().finish();
  EXPECT_EQ(wasm_.prepared, 0);
  EXPECT_TRUE(hooking_.told().empty());
  EXPECT_EQ(ended_, 1);
}

TEST_F(DispatcherTest, what_hooks_add_reaches_the_guest_and_is_not_signed_for_the_requests_own) {
  hooks_ = &hooking_;
  auto command = task("t");
  command.env = {{"HOOK", "the task's"}};
  start(command);
  EXPECT_EQ(*answer().result.results.if_string(), "wasm:add:1:2:HOOK=yes:PROPLET_ID=me");
  dispatcher().finish();
  EXPECT_EQ(hooking_.told(), (std::vector<std::string>{"starts add yes", "ended add well"}));
}

TEST_F(DispatcherTest, hooks_are_told_of_the_ends_of_what_began_alone) {
  hooks_ = &hooking_;
  start(task("a", "fail"));
  answer();
  auto daemon = task("b", "wait");
  daemon.daemon = true;
  start(daemon);
  answer(1);
  dispatcher().finish();
  EXPECT_EQ(hooking_.told(), (std::vector<std::string>{"starts wait yes", "ended wait badly"}));
}

TEST_F(DispatcherTest, what_hooks_add_to_a_latent_task_its_invocations_have) {
  hooks_ = &hooking_;
  auto latent = task("t", "own environment");
  latent.latent = true;
  start(latent);
  wait_until([&] { return ended_ == 1; });
  const InvokeCommand invocation{.id = "t", .proplet_id = "me", .invocation_id = "i"};
  dispatcher().invoke(to_json(invocation));
  EXPECT_EQ(answer().invocation.results, "wasm:own environment:1:2:HOOK=yes");
}

}  // namespace
}  // namespace coffer::fleet::worker
