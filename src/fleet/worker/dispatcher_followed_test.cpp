// Who follows a task: traces, and the hooks of plugins.
#include "fleet/worker/dispatcher_testing.h"

namespace coffer::fleet::worker {
namespace {

using ::testing::HasSubstr;
using DispatcherFollowedTest = testing::DispatcherTest;

constexpr std::string_view parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

TEST_F(DispatcherFollowedTest, a_task_is_followed_from_its_start_to_its_result) {
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

TEST_F(DispatcherFollowedTest, spans_say_by_code_what_failed) {
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

TEST_F(DispatcherFollowedTest, stops_and_invocations_belong_to_what_asked_for_them) {
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

TEST_F(DispatcherFollowedTest, a_context_that_does_not_parse_costs_the_trace_alone) {
  dispatcher().start(R"({"id":"t1","name":"add","file":"bW9kdWxl","traceparent":7})");
  EXPECT_FALSE(answer().result.error);
  auto command = task("t2");
  command.traceparent = "00-no";
  start(std::move(command));
  EXPECT_FALSE(answer(1).result.error);
  dispatcher().finish();
  EXPECT_FALSE(spans_->named("task.start").parent);
}

TEST_F(DispatcherFollowedTest, hooks_are_asked_before_anything_is_fetched_and_a_denial_is_the_result) {
  hooks_ = &hooking_;
  start(task("t", "forbidden"));
  EXPECT_EQ(answer().result.error, "not here");
  EXPECT_EQ(answer().result.details.code, "worker.plugin_denied");
  dispatcher().finish();
  EXPECT_EQ(wasm_.prepared, 0);
  EXPECT_TRUE(hooking_.told().empty());
  EXPECT_EQ(ended_, 1);
}

TEST_F(DispatcherFollowedTest, what_hooks_add_reaches_the_guest_and_is_not_signed_for_the_requests_own) {
  hooks_ = &hooking_;
  auto command = task("t");
  command.env = {{"HOOK", "the task's"}};
  start(command);
  EXPECT_EQ(*answer().result.results.if_string(), "wasm:add:1:2:HOOK=yes:PROPLET_ID=me");
  dispatcher().finish();
  EXPECT_EQ(hooking_.told(), (std::vector<std::string>{"starts add yes", "ended add well"}));
}

TEST_F(DispatcherFollowedTest, hooks_are_told_of_the_ends_of_what_began_alone) {
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

TEST_F(DispatcherFollowedTest, what_hooks_add_to_a_latent_task_its_invocations_have) {
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
