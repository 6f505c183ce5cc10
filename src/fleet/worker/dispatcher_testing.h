// A dispatcher whose runtimes run nothing, and what it answers.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <condition_variable>

#include "fleet/worker/dispatcher.h"
#include "net/trace_testing.h"

namespace coffer::fleet::worker::testing {

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

}  // namespace coffer::fleet::worker::testing
