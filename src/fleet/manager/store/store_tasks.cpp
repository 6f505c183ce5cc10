#include <algorithm>

#include "fleet/manager/store/store.h"

namespace coffer::fleet::manager::store {
namespace {

using storage::SqlRow;
using storage::SqlRows;
using storage::SqlValue;

SqlValue value_of(const std::optional<TimePoint>& time) {
  return time ? SqlValue{std::int64_t{time->time_since_epoch().count()}} : SqlValue{};
}

SqlValue text_or_null(const std::string& text) {
  return text.empty() ? SqlValue{} : SqlValue{text};
}

std::int64_t number(TimePoint time) {
  return time.time_since_epoch().count();
}

std::vector<SqlValue> columns_of(const Task& task) {
  const bool queued = task.state == TaskState::scheduled;
  const bool running = task.state == TaskState::running;
  const bool watched = running && (!task.claimed_by.empty() || task.stop_requested);
  return {task.id(),
          std::int64_t{static_cast<int>(task.state)},
          std::int64_t{task.priority},
          value_of(queued ? task.queued_at : std::nullopt),
          value_of(queued ? task.not_before : std::nullopt),
          value_of(task.next_run),
          value_of(watched ? task.claim_until : std::nullopt),
          text_or_null(task.assigned),
          text_or_null(task.job_id),
          text_or_null(task.workflow_id),
          to_document(task),
          std::int64_t{task.work.encrypted ? 1 : 0},
          text_or_null(running ? task.claimed_by : "")};
}

// A statement for read(): `rest` is what follows "FROM tasks".
std::string tasks(std::string_view rest) {
  return "SELECT document, claimed_by, claim_until FROM tasks " + std::string{rest};
}

Result<Task> read(const SqlRow& row) {
  auto task = TRY(parse_document(row.text(0)));
  if (!row.is_null(1)) task.claimed_by = row.text(1);
  if (!row.is_null(2)) task.claim_until = TimePoint{Duration{row.integer(2)}};
  return task;
}

Result<std::vector<Task>> read(const SqlRows& rows) {
  std::vector<Task> tasks;
  tasks.reserve(rows.size());
  for (const auto& row : rows) tasks.push_back(TRY(read(row)));
  return tasks;
}

bool holds(const codec::json::Value& metadata, const codec::json::Object& filter) {
  return std::ranges::all_of(filter, [&](const auto& member) {
    const auto* value = metadata.find(member.first);
    return value != nullptr && *value == member.second;
  });
}

Result<Paged<Task>> list_filtered(SqlTransaction& transaction, Page page, const codec::json::Object& filter) {
  Paged<Task> found;
  for (auto& task : TRY(read(TRY(transaction.query(tasks("ORDER BY position, id")))))) {
    if (!holds(task.metadata, filter)) continue;
    if (found.total >= page.offset && found.items.size() < page.limit) found.items.push_back(std::move(task));
    ++found.total;
  }
  return found;
}

}  // namespace

Result<> insert(SqlTransaction& transaction, const Task& task, const std::optional<Bytes>& file, std::size_t index) {
  if (TRY(transaction.one("SELECT 1 FROM tasks WHERE id = $1", {task.id()}))) {
    return fail(ManagerError::conflict, "there is a task \"" + task.id() + "\" already");
  }
  auto values = columns_of(task);
  values.push_back(number(task.created_at) * 1000 + static_cast<std::int64_t>(index));
  TRY(transaction.execute(
      "INSERT INTO tasks (id, state, priority, queued_at, not_before, next_run, claim_until, worker, "
      "job_id, workflow_id, document, encrypted, claimed_by, position) "
      "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
      values));
  if (file) TRY(save_file(transaction, task.id(), *file));
  return {};
}

Result<> save(SqlTransaction& transaction, const Task& task) {
  const auto changed = TRY(transaction.execute(
      "UPDATE tasks SET state = $2, priority = $3, queued_at = $4, not_before = $5, next_run = $6, claim_until = $7, "
      "worker = $8, job_id = $9, workflow_id = $10, document = $11, encrypted = $12, claimed_by = $13 WHERE id = $1",
      columns_of(task)));
  if (changed == 0) return fail(ManagerError::not_found, "there is no task \"" + task.id() + "\"");
  return {};
}

Result<> settle_claim(SqlTransaction& transaction, std::string_view id, std::string_view manager) {
  TRY(
      transaction.execute("UPDATE tasks SET claimed_by = NULL, claim_until = NULL "
                          "WHERE id = $1 AND state = 2 AND claimed_by = $2",
                          {std::string{id}, std::string{manager}}));
  return {};
}

Result<> save_file(SqlTransaction& transaction, std::string_view id, const Bytes& file) {
  TRY(
      transaction.execute("INSERT INTO task_files (id, data) VALUES ($1, $2) "
                          "ON CONFLICT (id) DO UPDATE SET data = excluded.data",
                          {std::string{id}, file}));
  return {};
}

Result<> erase_task(SqlTransaction& transaction, std::string_view id) {
  const auto erased = TRY(transaction.execute("DELETE FROM tasks WHERE id = $1", {std::string{id}}));
  if (erased == 0) return fail(ManagerError::not_found, "there is no task \"" + std::string{id} + "\"");
  TRY(transaction.execute("DELETE FROM task_files WHERE id = $1", {std::string{id}}));
  TRY(transaction.execute("DELETE FROM measurements WHERE kind = 'task' AND subject = $1", {std::string{id}}));
  return {};
}

Result<Task> task(SqlTransaction& transaction, std::string_view id) {
  const auto row = TRY(transaction.one(tasks("WHERE id = $1"), {std::string{id}}));
  if (!row) return fail(ManagerError::not_found, "there is no task \"" + std::string{id} + "\"");
  return read(*row);
}

Result<std::optional<Bytes>> file(SqlTransaction& transaction, std::string_view id) {
  const auto row = TRY(transaction.one("SELECT data FROM task_files WHERE id = $1", {std::string{id}}));
  if (!row) return std::nullopt;
  return row->blob(0);
}

Result<Paged<Task>> list_tasks(SqlTransaction& transaction, Page page, const codec::json::Object& filter) {
  if (!filter.empty()) return list_filtered(transaction, page, filter);
  Paged<Task> found;
  const auto total = TRY(transaction.one("SELECT count(*) FROM tasks"));
  found.total = static_cast<std::uint64_t>(total->integer(0));
  if (page.offset >= found.total) return found;
  found.items = TRY(
      read(TRY(transaction.query(tasks("ORDER BY position, id LIMIT $1 OFFSET $2"),
                                 {static_cast<std::int64_t>(page.limit), static_cast<std::int64_t>(page.offset)}))));
  return found;
}

Result<std::vector<Task>> tasks_of_job(SqlTransaction& transaction, std::string_view job) {
  return read(TRY(transaction.query(tasks("WHERE job_id = $1 ORDER BY position, id"), {std::string{job}})));
}

Result<std::vector<Task>> tasks_of_workflow(SqlTransaction& transaction, std::string_view workflow) {
  return read(TRY(transaction.query(tasks("WHERE workflow_id = $1 ORDER BY position, id"), {std::string{workflow}})));
}

Result<std::vector<Task>> running_on(SqlTransaction& transaction, std::string_view worker) {
  return read(TRY(transaction.query(tasks("WHERE state = 2 AND worker = $1"), {std::string{worker}})));
}

Result<std::vector<Task>> running_broadcasts(SqlTransaction& transaction) {
  return read(TRY(transaction.query(tasks("WHERE state = 2 AND worker IS NULL"))));
}

Result<std::vector<Task>> queued(SqlTransaction& transaction, TimePoint now, std::size_t limit, std::size_t after) {
  return read(
      TRY(transaction.query(tasks("WHERE state = 1 AND (not_before IS NULL OR not_before <= $1) "
                                  "ORDER BY priority DESC, queued_at, position, id LIMIT $2 OFFSET $3"),
                            {number(now), static_cast<std::int64_t>(limit), static_cast<std::int64_t>(after)})));
}

Result<std::vector<Task>> unsettled(SqlTransaction& transaction, TimePoint now, std::size_t limit) {
  return read(TRY(transaction.query(tasks("WHERE claim_until IS NOT NULL AND claim_until <= $1 "
                                          "ORDER BY claim_until LIMIT $2"),
                                    {number(now), static_cast<std::int64_t>(limit)})));
}

Result<std::vector<Task>> due(SqlTransaction& transaction, TimePoint now, std::size_t limit) {
  return read(TRY(transaction.query(tasks("WHERE next_run IS NOT NULL AND next_run <= $1 "
                                          "ORDER BY priority DESC, next_run LIMIT $2"),
                                    {number(now), static_cast<std::int64_t>(limit)})));
}

Result<Counts> counts(SqlTransaction& transaction) {
  Counts found;
  const auto queued = TRY(transaction.one("SELECT count(*) FROM tasks WHERE state = 1"));
  found.queued = static_cast<std::size_t>(queued->integer(0));
  const auto encrypted = TRY(transaction.one("SELECT count(*) FROM tasks WHERE state = 1 AND encrypted = 1"));
  found.queued_encrypted = static_cast<std::size_t>(encrypted->integer(0));
  for (const auto& row : TRY(transaction.query(
           "SELECT worker, count(*) FROM tasks WHERE state = 2 AND worker IS NOT NULL GROUP BY worker"))) {
    found.running[row.text(0)] = static_cast<std::size_t>(row.integer(1));
  }
  return found;
}

}  // namespace coffer::fleet::manager::store
