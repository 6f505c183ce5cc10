// Jobs in their three modes, workflows, schedules.
#include "fleet/manager/graph.h"
#include "fleet/manager/manager_testing.h"

namespace coffer::fleet::manager::testing {
namespace {

using namespace std::chrono_literals;

std::string id_of(char letter) {
  return std::string("10000000-0000-4000-8000-00000000000") + letter;
}

std::string task_json(char letter, std::string_view depends_on = "", std::string_view more = "") {
  std::string list;
  for (const char parent : depends_on) list += (list.empty() ? "\"" : ",\"") + id_of(parent) + "\"";
  return R"({"id":")" + id_of(letter) + R"(","name":")" + letter + R"(","image_url":"x","depends_on":[)" + list + "]" +
         std::string{more} + "}";
}

struct JobsTest : ::testing::Test {
  Harness h;
  std::string job;

  void SetUp() override { h.discover(1); }

  void make_job(std::string_view mode, std::initializer_list<std::string> tasks) {
    std::string list;
    for (const auto& task : tasks) list += (list.empty() ? "" : ",") + task;
    auto body = parse_job(R"({"name":"j","execution_mode":")" + std::string{mode} + R"(","tasks":[)" + list + "]}");
    job = h.manager->create_job(std::move(body.value())).value().job.id;
  }
  void make_workflow(std::initializer_list<std::string> tasks) {
    std::string list;
    for (const auto& task : tasks) list += (list.empty() ? "" : ",") + task;
    auto bodies = parse_workflow(R"({"tasks":[)" + list + "]}");
    const auto made = h.manager->create_workflow(std::move(bodies.value()));
    ASSERT_TRUE(made) << to_string(made.error());
  }
  void start_job() {
    const auto started = h.manager->start_job(job);
    ASSERT_TRUE(started) << to_string(started.error());
  }
  // The letters of the tasks that were started since the last call.
  std::string started() {
    std::string letters;
    for (const auto& start : h.outbox.starts()) letters += start.name;
    return letters;
  }
  std::string states(std::string_view letters) {
    constexpr std::string_view names = "psRCFSi";
    std::string out;
    for (const char letter : letters) out += names.at(static_cast<std::size_t>(h.state(id_of(letter))));
    return out;
  }
  TaskState job_state() {
    const auto view = h.manager->job(job).value();
    return state_of(view.job, view.tasks);
  }
  void done(char letter) { h.result(id_of(letter), "ok"); }
  void failed(char letter) { h.failure(id_of(letter), "trap"); }
};

TEST_F(JobsTest, parallel_starts_all_that_depend_on_nothing) {
  make_job("parallel", {task_json('a'), task_json('b'), task_json('c', "ab")});
  EXPECT_EQ(job_state(), TaskState::pending);
  start_job();
  EXPECT_EQ(started(), "ab");
  done('a');
  EXPECT_EQ(started(), "");
  done('b');
  EXPECT_EQ(started(), "c");
  EXPECT_EQ(job_state(), TaskState::running);
  done('c');
  EXPECT_EQ(job_state(), TaskState::completed);
  EXPECT_TRUE(h.manager->job(job)->job.finish_time);
}

TEST_F(JobsTest, sequential_really_waits) {
  make_job("sequential", {task_json('c'), task_json('a'), task_json('b')});
  start_job();
  EXPECT_EQ(started(), "c");
  done('c');
  EXPECT_EQ(started(), "a");
  done('a');
  EXPECT_EQ(started(), "b");
  done('b');
  EXPECT_EQ(job_state(), TaskState::completed);
}

TEST_F(JobsTest, configurable_goes_by_the_dependencies) {
  make_job("configurable", {task_json('d', "bc"), task_json('b', "a"), task_json('c', "a"), task_json('a')});
  start_job();
  EXPECT_EQ(started(), "a");
  done('a');
  EXPECT_EQ(started(), "bc");
  done('c');
  EXPECT_EQ(started(), "");
  done('b');
  EXPECT_EQ(started(), "d");
}

TEST_F(JobsTest, the_first_failure_stops_what_runs_and_skips_what_has_not_begun) {
  make_job("parallel", {task_json('a'), task_json('b'), task_json('c', "a")});
  start_job();
  failed('a');
  const auto stops = h.outbox.stops();
  ASSERT_EQ(stops.size(), 1U);
  EXPECT_EQ(stops[0].id, id_of('b'));
  EXPECT_EQ(states("abc"), "FRS");
  EXPECT_EQ(job_state(), TaskState::failed);
  failed('b');
  EXPECT_EQ(states("abc"), "FFS");
  EXPECT_EQ(h.task(id_of('b')).code, "manager.stopped");
  EXPECT_TRUE(h.manager->job(job)->job.finish_time);
}

TEST_F(JobsTest, a_retry_is_no_failure_yet) {
  make_job("sequential", {task_json('a', "", R"(,"retries":1)"), task_json('b')});
  start_job();
  failed('a');
  EXPECT_EQ(states("ab"), "sp");
  ASSERT_EQ(h.manager->dispatch().value(), 1U);
  done('a');
  EXPECT_EQ(states("ab"), "CR");
}

TEST_F(JobsTest, a_job_is_stopped_and_started_again) {
  make_job("parallel", {task_json('a'), task_json('b', "a")});
  EXPECT_EQ(h.manager->stop_job(job).error().code, ManagerError::not_running);
  start_job();
  EXPECT_EQ(h.manager->start_job(job).error().code, ManagerError::already_started);
  ASSERT_TRUE(h.manager->stop_job(job));
  EXPECT_EQ(h.outbox.stops().size(), 1U);
  failed('a');
  EXPECT_EQ(states("ab"), "FS");
  started();
  start_job();
  EXPECT_EQ(started(), "a");
  EXPECT_EQ(states("ab"), "Rp");
}

TEST_F(JobsTest, its_tasks_wait_for_workers_and_fail_only_where_asked) {
  h.pass(1h);
  make_job("parallel", {task_json('a'), task_json('b')});
  start_job();
  EXPECT_EQ(states("ab"), "ss");
  ASSERT_TRUE(h.manager->stop_job(job));
  make_job("parallel", {R"({"name":"x","image_url":"x","on_unavailable":"fail"})"});
  start_job();
  EXPECT_EQ(job_state(), TaskState::failed);
}

TEST_F(JobsTest, the_mode_may_come_from_the_managers_settings) {
  auto body = parse_job(R"({"name":"j","tasks":[{"name":"a"}]})").value();
  EXPECT_EQ(h.manager->create_job(body).error().code, ManagerError::bad_request);
  Harness set{Engine::sqlite, {.job_mode = JobMode::configurable}};
  EXPECT_EQ(set.manager->create_job(body)->job.mode, JobMode::configurable);
}

TEST_F(JobsTest, jobs_are_listed_by_state) {
  make_job("parallel", {R"({"name":"x","image_url":"x"})"});
  h.pass(1s);
  make_job("parallel", {task_json('a')});
  start_job();
  EXPECT_EQ(h.manager->jobs({}, std::nullopt)->total, 2U);
  EXPECT_EQ(h.manager->jobs({}, TaskState::running)->total, 1U);
  EXPECT_EQ(h.manager->jobs({.offset = 1, .limit = 10}, std::nullopt)->items.at(0).job.id, job);
  EXPECT_EQ(h.manager->jobs({}, TaskState::failed)->total, 0U);
}

TEST_F(JobsTest, a_workflow_goes_on_by_itself_after_its_root) {
  make_workflow({task_json('a'), task_json('b', "a"), task_json('c', "a"), task_json('d', "bc")});
  EXPECT_EQ(started(), "");
  ASSERT_TRUE(h.manager->start_task(id_of('a')));
  EXPECT_EQ(started(), "a");
  done('a');
  EXPECT_EQ(started(), "bc");
  done('b');
  done('c');
  auto starts = h.outbox.starts();
  ASSERT_EQ(starts.size(), 1U);
  EXPECT_EQ(starts[0].parent_results.size(), 2U);
  done('d');
  EXPECT_EQ(states("abcd"), "CCCC");
}

TEST_F(JobsTest, run_if_chooses_the_branch) {
  make_workflow({task_json('a'), task_json('b', "a"), task_json('c', "a", R"(,"run_if":"failure")"),
                 task_json('d', "b"), task_json('e', "d", R"(,"run_if":"failure")")});
  ASSERT_TRUE(h.manager->start_task(id_of('a')));
  failed('a');
  EXPECT_EQ(states("abcde"), "FSRSS");
  done('c');
  EXPECT_EQ(states("abcde"), "FSCSS");
}

TEST_F(JobsTest, the_branch_for_failures_is_skipped_after_success) {
  make_workflow({task_json('a'), task_json('b', "a"), task_json('c', "a", R"(,"run_if":"failure")")});
  ASSERT_TRUE(h.manager->start_task(id_of('a')));
  done('a');
  EXPECT_EQ(states("abc"), "CRS");
}

TEST_F(JobsTest, circles_and_missing_dependencies_are_refused) {
  const auto code_of = [&](const std::string& tasks) {
    auto bodies = parse_workflow(R"({"tasks":[)" + tasks + "]}").value();
    const auto made = h.manager->create_workflow(std::move(bodies));
    return made ? std::string{"(made)"} : std::string{made.error().code.name()};
  };
  EXPECT_EQ(code_of(task_json('a', "b") + "," + task_json('b', "a")), "manager.bad_graph");
  EXPECT_EQ(code_of(task_json('a', "a")), "manager.bad_graph");
  EXPECT_EQ(code_of(task_json('a', "z")), "manager.bad_graph");
  EXPECT_EQ(code_of(task_json('a') + "," + task_json('a')), "manager.conflict");
  EXPECT_EQ(h.manager->tasks({}, {})->total, 0U);
  EXPECT_EQ(code_of(task_json('a')), "(made)");
  EXPECT_EQ(code_of(task_json('b') + "," + task_json('a')), "manager.conflict");
  EXPECT_EQ(h.manager->tasks({}, {})->total, 1U);
}

TEST_F(JobsTest, a_task_of_a_workflow_that_was_deleted_completed_nothing) {
  make_workflow({task_json('a'), task_json('b'), task_json('c', "ab")});
  ASSERT_TRUE(h.manager->start_task(id_of('a')));
  ASSERT_TRUE(h.manager->delete_task(id_of('b')));
  done('a');
  EXPECT_EQ(states("ac"), "CS");
}

struct ScheduleTest : JobsTest {
  std::string make(std::string_view more) {
    return h.create(R"({"name":"t","image_url":"x",)" + std::string{more} + "}").id();
  }
  // Five-second steps in which the worker is alive and tasks end as soon as they begin.
  int runs_within(Duration time) {
    int runs = 0;
    for (Duration passed{0}; passed < time; passed += 5s) {
      h.pass_alive(5s, 1);
      for (const auto& start : h.outbox.starts()) {
        ++runs;
        h.result(start.id, "ok");
      }
    }
    return runs;
  }
};

TEST_F(ScheduleTest, a_recurring_task_runs_at_each_time) {
  const auto id = make(R"("schedule":"*/5 * * * *","is_recurring":true)");
  EXPECT_EQ(format_rfc3339(*h.task(id).next_run), "2026-01-01T00:05:00Z");
  EXPECT_EQ(runs_within(16min), 3);
  EXPECT_EQ(format_rfc3339(*h.task(id).next_run), "2026-01-01T00:20:00Z");
}

TEST_F(ScheduleTest, a_schedule_that_does_not_recur_runs_once) {
  const auto id = make(R"("schedule":"*/5 * * * *")");
  EXPECT_EQ(runs_within(16min), 1);
  EXPECT_FALSE(h.task(id).next_run);
  EXPECT_TRUE(h.task(id).schedule.empty());
}

TEST_F(ScheduleTest, the_zone_counts) {
  const auto id = make(R"("schedule":"0 9 * * *","timezone":"Asia/Tokyo","is_recurring":true)");
  EXPECT_EQ(format_rfc3339(*h.task(id).next_run), "2026-01-02T00:00:00Z");
}

TEST_F(ScheduleTest, runs_that_were_missed_are_skipped_or_made_up_for_once) {
  const auto skipping = make(R"("schedule":"0 * * * *","is_recurring":true)");
  const auto catching = make(R"("schedule":"0 * * * *","is_recurring":true,"catch_up":"once")");
  h.pass(5h + 30min);
  h.beat(1);
  h.restart();
  h.beat(1);
  h.manager->tick();
  EXPECT_EQ(h.next_start().id, catching);
  EXPECT_EQ(h.state(skipping), TaskState::pending);
  EXPECT_NE(h.task(skipping).reason.find("missed"), std::string::npos);
  EXPECT_EQ(format_rfc3339(*h.task(skipping).next_run), "2026-01-01T06:00:00Z");
  EXPECT_EQ(format_rfc3339(*h.task(catching).next_run), "2026-01-01T06:00:00Z");
}

TEST_F(ScheduleTest, a_run_that_has_not_ended_is_not_started_twice) {
  const auto id = make(R"("schedule":"* * * * *","is_recurring":true)");
  h.pass_alive(61s, 1);
  h.outbox.starts();
  h.pass_alive(125s, 1);
  EXPECT_TRUE(h.outbox.starts().empty());
  EXPECT_EQ(h.state(id), TaskState::running);
}

TEST_F(ScheduleTest, of_two_managers_one_starts_it) {
  make(R"("schedule":"* * * * *","is_recurring":true)");
  const auto second = h.another();
  h.pass(61s);
  h.beat(1);
  second->on_message(Topic::alive, fleet::to_json(Alive{.proplet_id = worker_id(1)}));
  h.manager->tick();
  second->tick();
  EXPECT_EQ(h.outbox.starts().size(), 1U);
}

TEST_F(ScheduleTest, an_update_keeps_a_schedule_that_it_does_not_name) {
  const auto id = make(R"("schedule":"*/5 * * * *","is_recurring":true)");
  ASSERT_TRUE(h.manager->update_task(id, parse_task_update(R"({"priority":1})").value()));
  EXPECT_EQ(h.task(id).schedule, "*/5 * * * *");
  ASSERT_TRUE(h.manager->update_task(id, parse_task_update(R"({"schedule":"0 0 * * *"})").value()));
  EXPECT_EQ(format_rfc3339(*h.task(id).next_run), "2026-01-02T00:00:00Z");
  ASSERT_TRUE(h.manager->update_task(id, parse_task_update(R"({"schedule":""})").value()));
  EXPECT_FALSE(h.task(id).next_run);
}

}  // namespace
}  // namespace coffer::fleet::manager::testing
