// The manager's tables. Each function works within a transaction that its caller opened, so that a decision and what it
// rests on are one.
#pragma once

#include <memory>

#include "fleet/manager/job.h"
#include "fleet/manager/task.h"
#include "storage/sql.h"

namespace coffer::fleet::manager::store {

using storage::SqlDatabase;
using storage::SqlTransaction;

// Brings the schema up.
Result<> prepare(SqlDatabase& database);

struct Page {
  std::uint64_t offset = 0;
  std::uint64_t limit = 10;
};
template <class T>
struct Paged {
  std::uint64_t total = 0;
  std::vector<T> items{};
};

// --- tasks
// ManagerError::conflict where the id is taken. `index`: its place among those made in one call.
Result<> insert(SqlTransaction& transaction, const Task& task, const std::optional<Bytes>& file, std::size_t index = 0);
Result<> save(SqlTransaction& transaction, const Task& task);
// The broker has the start of a task that `manager` has claimed: nobody needs to publish it again.
Result<> settle_claim(SqlTransaction& transaction, std::string_view id, std::string_view manager);
Result<> save_file(SqlTransaction& transaction, std::string_view id, const Bytes& file);
Result<> erase_task(SqlTransaction& transaction, std::string_view id);
// ManagerError::not_found.
Result<Task> task(SqlTransaction& transaction, std::string_view id);
Result<std::optional<Bytes>> file(SqlTransaction& transaction, std::string_view id);
// In the order they were made; `filter` an object whose members a task's metadata must hold.
Result<Paged<Task>> list_tasks(SqlTransaction& transaction, Page page, const codec::json::Object& filter);
Result<std::vector<Task>> tasks_of_job(SqlTransaction& transaction, std::string_view job);
Result<std::vector<Task>> tasks_of_workflow(SqlTransaction& transaction, std::string_view workflow);
Result<std::vector<Task>> running_on(SqlTransaction& transaction, std::string_view worker);
Result<std::vector<Task>> running_broadcasts(SqlTransaction& transaction);
// In the queue and due, by priority, then by age; `after` skips that many.
Result<std::vector<Task>> queued(SqlTransaction& transaction, TimePoint now, std::size_t limit, std::size_t after);
// Running without the broker's acknowledgement of their start, or asked to stop, whose time for that has ended.
Result<std::vector<Task>> unsettled(SqlTransaction& transaction, TimePoint now, std::size_t limit);
// Whose schedule says now.
Result<std::vector<Task>> due(SqlTransaction& transaction, TimePoint now, std::size_t limit);
struct Counts {
  std::size_t queued = 0, queued_encrypted = 0;
  std::map<std::string, std::size_t> running{};  // by worker
};
Result<Counts> counts(SqlTransaction& transaction);

// --- jobs
Result<> save(SqlTransaction& transaction, const Job& job);
Result<Job> job(SqlTransaction& transaction, std::string_view id);
Result<std::vector<Job>> jobs(SqlTransaction& transaction);

// --- workers: a document that the registry reads and writes
Result<> save_worker(SqlTransaction& transaction, std::string_view id, const std::string& document);
Result<> erase_worker(SqlTransaction& transaction, std::string_view id);
Result<std::vector<std::string>> workers(SqlTransaction& transaction);

// --- measurements, of workers and of tasks: `kind` is "proplet" or "task"
struct Measurement {
  std::string kind, subject, document;
  TimePoint at;
};
Result<> insert(SqlTransaction& transaction, const Measurement& measurement);
Result<Paged<std::string>> measurements(SqlTransaction& transaction, std::string_view kind, std::string_view subject,
                                        Page page);
Result<std::size_t> erase_measurements(SqlTransaction& transaction, TimePoint before);

}  // namespace coffer::fleet::manager::store
