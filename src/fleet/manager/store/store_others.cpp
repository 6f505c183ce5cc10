// Jobs, workers and measurements.
#include "fleet/manager/store/store.h"

namespace coffer::fleet::manager::store {
namespace {

using storage::SqlRow;
using storage::SqlValue;

SqlValue value_of(const std::optional<TimePoint>& time) {
  return time ? SqlValue{std::int64_t{time->time_since_epoch().count()}} : SqlValue{};
}

std::optional<TimePoint> time_of(const SqlRow& row, std::size_t column) {
  if (row.is_null(column)) return std::nullopt;
  return TimePoint{Duration{row.integer(column)}};
}

Result<Job> job_of(const SqlRow& row) {
  const auto mode = TRY(parse_job_mode(row.text(2)));
  return Job{.id = row.text(0),
             .name = row.text(1),
             .mode = mode,
             .started = row.integer(3) != 0,
             .created_at = time_of(row, 4),
             .start_time = time_of(row, 5),
             .finish_time = time_of(row, 6)};
}

}  // namespace

Result<> save(SqlTransaction& transaction, const Job& job) {
  TRY(transaction.execute(
      "INSERT INTO jobs (id, name, mode, started, created_at, start_time, finish_time) "
      "VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (id) DO UPDATE SET started = excluded.started, "
      "start_time = excluded.start_time, finish_time = excluded.finish_time",
      {job.id, job.name, std::string{name_of(job.mode)}, std::int64_t{job.started ? 1 : 0}, value_of(job.created_at),
       value_of(job.start_time), value_of(job.finish_time)}));
  return {};
}

Result<Job> job(SqlTransaction& transaction, std::string_view id) {
  const auto row =
      TRY(transaction.one("SELECT id, name, mode, started, created_at, start_time, finish_time FROM jobs WHERE id = $1",
                          {std::string{id}}));
  if (!row) return fail(ManagerError::not_found, "there is no job \"" + std::string{id} + "\"");
  return job_of(*row);
}

Result<std::vector<Job>> jobs(SqlTransaction& transaction) {
  std::vector<Job> found;
  for (const auto& row : TRY(transaction.query(
           "SELECT id, name, mode, started, created_at, start_time, finish_time FROM jobs ORDER BY created_at, id"))) {
    found.push_back(TRY(job_of(row)));
  }
  return found;
}

Result<> save_worker(SqlTransaction& transaction, std::string_view id, const std::string& document) {
  TRY(
      transaction.execute("INSERT INTO workers (id, document) VALUES ($1, $2) "
                          "ON CONFLICT (id) DO UPDATE SET document = excluded.document",
                          {std::string{id}, document}));
  return {};
}

Result<> erase_worker(SqlTransaction& transaction, std::string_view id) {
  TRY(transaction.execute("DELETE FROM workers WHERE id = $1", {std::string{id}}));
  TRY(transaction.execute("DELETE FROM measurements WHERE kind = 'proplet' AND subject = $1", {std::string{id}}));
  return {};
}

Result<std::vector<std::string>> workers(SqlTransaction& transaction) {
  std::vector<std::string> documents;
  for (const auto& row : TRY(transaction.query("SELECT document FROM workers ORDER BY id"))) {
    documents.push_back(row.text(0));
  }
  return documents;
}

Result<> insert(SqlTransaction& transaction, const Measurement& measurement) {
  TRY(transaction.execute("INSERT INTO measurements (kind, subject, at, document) VALUES ($1, $2, $3, $4)",
                          {measurement.kind, measurement.subject,
                           std::int64_t{measurement.at.time_since_epoch().count()}, measurement.document}));
  return {};
}

Result<Paged<std::string>> measurements(SqlTransaction& transaction, std::string_view kind, std::string_view subject,
                                        Page page) {
  Paged<std::string> found;
  const auto total = TRY(transaction.one("SELECT count(*) FROM measurements WHERE kind = $1 AND subject = $2",
                                         {std::string{kind}, std::string{subject}}));
  found.total = static_cast<std::uint64_t>(total->integer(0));
  if (page.offset >= found.total) return found;
  for (const auto& row : TRY(transaction.query(
           "SELECT document FROM measurements WHERE kind = $1 AND subject = $2 ORDER BY at DESC LIMIT $3 OFFSET $4",
           {std::string{kind}, std::string{subject}, static_cast<std::int64_t>(page.limit),
            static_cast<std::int64_t>(page.offset)}))) {
    found.items.push_back(row.text(0));
  }
  return found;
}

Result<std::size_t> erase_measurements(SqlTransaction& transaction, TimePoint before) {
  return transaction.execute("DELETE FROM measurements WHERE at < $1",
                             {std::int64_t{before.time_since_epoch().count()}});
}

}  // namespace coffer::fleet::manager::store
