#include <array>

#include "fleet/manager/store/store.h"

namespace coffer::fleet::manager::store {
namespace {

// Columns are what is searched by; all else is in the document. Times are milliseconds since 1970.
constexpr std::array<std::string_view, 3> steps{R"(
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
  CREATE INDEX measurements_by_age ON measurements (at))",
                                                R"(
  ALTER TABLE tasks ADD COLUMN encrypted INTEGER NOT NULL DEFAULT 0;
  CREATE INDEX tasks_queued_encrypted ON tasks (priority) WHERE state = 1 AND encrypted = 1)",
                                                R"(
  ALTER TABLE tasks ADD COLUMN claimed_by TEXT;
  DROP INDEX tasks_queued;
  CREATE INDEX tasks_in_order ON tasks (priority DESC, queued_at, position, id) WHERE state = 1)"};

}  // namespace

Result<> prepare(SqlDatabase& database) {
  return database.migrate(steps);
}

}  // namespace coffer::fleet::manager::store
