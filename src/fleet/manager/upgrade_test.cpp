// A database that the first version of the manager has written: its schema, and rows as they were.
#include <array>

#include "fleet/manager/manager_testing.h"

namespace coffer::fleet::manager::testing {
namespace {

using namespace std::chrono_literals;
using storage::SqlTransaction;
using storage::SqlValue;

constexpr std::array<std::string_view, 1> first_schema{R"(
  CREATE TABLE tasks (
    id TEXT PRIMARY KEY, position INTEGER NOT NULL, state INTEGER NOT NULL, priority INTEGER NOT NULL,
    queued_at INTEGER, not_before INTEGER, next_run INTEGER, claim_until INTEGER, worker TEXT, job_id TEXT,
    workflow_id TEXT, document TEXT NOT NULL);
  CREATE INDEX tasks_by_position ON tasks (position);
  CREATE INDEX tasks_queued ON tasks (priority, queued_at) WHERE state = 1;
  CREATE INDEX tasks_running ON tasks (worker) WHERE state = 2;
  CREATE INDEX tasks_claimed ON tasks (claim_until) WHERE claim_until IS NOT NULL;
  CREATE INDEX tasks_due ON tasks (next_run) WHERE next_run IS NOT NULL;
  CREATE INDEX tasks_by_job ON tasks (job_id) WHERE job_id IS NOT NULL;
  CREATE INDEX tasks_by_workflow ON tasks (workflow_id) WHERE workflow_id IS NOT NULL;
  CREATE TABLE task_files (id TEXT PRIMARY KEY, data BLOB NOT NULL);
  CREATE TABLE jobs (
    id TEXT PRIMARY KEY, name TEXT NOT NULL, mode TEXT NOT NULL, started INTEGER NOT NULL, created_at INTEGER,
    start_time INTEGER, finish_time INTEGER);
  CREATE INDEX jobs_by_age ON jobs (created_at);
  CREATE TABLE workers (id TEXT PRIMARY KEY, document TEXT NOT NULL);
  CREATE TABLE measurements (
    kind TEXT NOT NULL, subject TEXT NOT NULL, at INTEGER NOT NULL, document TEXT NOT NULL);
  CREATE INDEX measurements_by_subject ON measurements (kind, subject, at);
  CREATE INDEX measurements_by_age ON measurements (at))"};

// 2026-01-01T00:00:00Z, where the harness's clock stands.
constexpr std::int64_t start_of_time = 1'767'225'600'000;

// What differs between the rows of this test.
struct Row {
  std::string id;
  int state;
  std::string members{};  // of the document, beside those of all
  std::string hidden{};
  SqlValue queued_at{}, claim_until{}, worker{}, job_id{};
};

std::string document(const Row& row) {
  return R"({"id":")" + row.id + R"(","name":"add","state":)" + std::to_string(row.state) +
         R"(,"image_url":"docker.io/x/add:v1","cli_args":null,"inputs":["10","20"],"daemon":false,"latent":false,)" +
         R"("encrypted":false,"start_time":"0001-01-01T00:00:00Z","finish_time":"0001-01-01T00:00:00Z",)" +
         R"("created_at":"2026-01-01T00:00:00.000Z","updated_at":"2026-01-01T00:00:00.000Z",)" +
         R"("next_run":"0001-01-01T00:00:00Z","priority":50)" + row.members +
         R"(,"_":{"created":1767225600000,"updated":1767225600000,"pinned":"","has_file":false,"stop":false,)" +
         R"("expected":[])" + row.hidden + "}}";
}

Result<> insert(SqlTransaction& transaction, const Row& row, std::int64_t position) {
  TRY(
      transaction.execute("INSERT INTO tasks (id, position, state, priority, queued_at, claim_until, worker, job_id, "
                          "document) VALUES ($1, $2, $3, 50, $4, $5, $6, $7, $8)",
                          {row.id, start_of_time * 1000 + position, std::int64_t{row.state}, row.queued_at,
                           row.claim_until, row.worker, row.job_id, document(row)}));
  return {};
}

std::string task_id(int number) {
  return "10000000-0000-4000-8000-00000000000" + std::to_string(number);
}

constexpr std::string_view job_id = "20000000-0000-4000-8000-000000000001";

std::vector<Row> rows() {
  const auto running = [](std::string_view claim) {
    return R"(,"start":1767225600000,"assigned":")" + worker_id(1) + R"(","waits":false,"attempt":1,)" +
           std::string{claim};
  };
  const std::string unclaimed = R"("claimed_by":"","published":true)";
  const std::string claimed = R"("claimed_by":"dead","published":false,"claim_until":1767225601000)";
  const std::string idle = R"(,"assigned":"","claimed_by":"","published":false,"waits":true,"attempt":0)";
  return {{.id = task_id(1), .state = 0, .hidden = idle},
          {.id = task_id(2), .state = 1, .hidden = idle + R"(,"queued":1767225600000)", .queued_at = start_of_time},
          {.id = task_id(3), .state = 2, .hidden = running(unclaimed), .worker = worker_id(1)},
          {.id = task_id(4),
           .state = 2,
           .hidden = running(claimed),
           .claim_until = start_of_time + 1000,
           .worker = worker_id(1)},
          {.id = task_id(5),
           .state = 3,
           .members = R"(,"results":"30","job_id":"20000000-0000-4000-8000-000000000001")",
           .hidden = running(unclaimed) + R"(,"finish":1767225602000)",
           .worker = worker_id(1),
           .job_id = std::string{job_id}}};
}

Result<> fill(SqlTransaction& transaction) {
  std::int64_t position = 0;
  for (const auto& row : rows()) TRY(insert(transaction, row, ++position));
  TRY(transaction.execute("INSERT INTO jobs (id, name, mode, started, created_at) VALUES ($1, 'j', 'parallel', 0, $2)",
                          {std::string{job_id}, start_of_time}));
  TRY(transaction.execute("INSERT INTO task_files (id, data) VALUES ($1, $2)", {task_id(1), to_bytes("wasm")}));
  const auto discovery = fleet::to_json(Discovery{.proplet_id = worker_id(1)});
  TRY(transaction.execute(
      "INSERT INTO workers (id, document) VALUES ($1, $2)",
      {worker_id(1), codec::json::serialize(codec::json::Object{{"discovery", discovery},
                                                                {"name", "old"},
                                                                {"offline", false},
                                                                {"history", codec::json::Array{start_of_time}}})}));
  return {};
}

struct UpgradeTest : DatabasesTest {
  void SetUp() override {
    DatabasesTest::SetUp();
    if (IsSkipped()) return;
    make(ManagerOptions{}, std::nullopt, [](storage::SqlDatabase& database) {
      ASSERT_TRUE(database.migrate(first_schema));
      const auto filled = database.write(fill);
      ASSERT_TRUE(filled) << to_string(filled.error());
    });
  }
};
INSTANTIATE_TEST_SUITE_P(Databases, UpgradeTest, ::testing::ValuesIn(engines), engine_name);

TEST_P(UpgradeTest, every_row_is_what_it_was) {
  for (const auto& row : rows()) EXPECT_EQ(static_cast<int>(h().state(row.id)), row.state) << row.id;
  const auto running = h().task(task_id(3));
  EXPECT_EQ(running.assigned, worker_id(1));
  EXPECT_EQ(running.work.inputs, (std::vector<std::string>{"10", "20"}));
  EXPECT_TRUE(running.claimed_by.empty());
  EXPECT_EQ(h().task(task_id(4)).claimed_by, "dead");
  EXPECT_EQ(*h().task(task_id(5)).results.if_string(), "30");
  EXPECT_EQ(h().manager->task_file(task_id(1))->value(), to_bytes("wasm"));
  EXPECT_EQ(h().manager->job(job_id)->tasks.at(0).id(), task_id(5));
  EXPECT_EQ(h().manager->worker(worker_id(1))->worker.name, "old");
  EXPECT_EQ(h().manager->worker(worker_id(1))->task_count, 2U);
  EXPECT_EQ(h().manager->queue_length(), 1U);
}

TEST_P(UpgradeTest, what_had_begun_goes_on) {
  h().pass(20s);
  h().beat(1);
  h().manager->tick();  // the claim of a manager that is no more has ended
  EXPECT_EQ(h().next_start().id, task_id(4));
  EXPECT_EQ(h().manager->dispatch().value(), 1U);
  EXPECT_EQ(h().next_start().id, task_id(2));
  for (const int number : {2, 3, 4}) {
    h().result(task_id(number), "31");
    EXPECT_EQ(h().state(task_id(number)), TaskState::completed) << number;
  }
  ASSERT_TRUE(h().manager->start_task(task_id(1)));
  EXPECT_EQ(h().next_start().id, task_id(1));
  h().restart();
  EXPECT_EQ(h().state(task_id(1)), TaskState::running);
}

}  // namespace
}  // namespace coffer::fleet::manager::testing
