// One SQLite connection that runs any statement and keeps it prepared. For sqlite_database.cpp alone.
#pragma once

#include <sqlite3.h>

#include <map>

#include "storage/detail/group_commit.h"
#include "storage/detail/wal_checkpointer.h"
#include "storage/sql.h"

namespace coffer::storage::detail {

// Not for several threads at once.
class SqliteSession final : public SqlTransaction, public Transactions {
 public:
  // Opens or creates `file`; an empty path is a database in memory.
  static Result<std::unique_ptr<SqliteSession>> open(const std::filesystem::path& file);
  SqliteSession(const SqliteSession&) = delete;
  SqliteSession& operator=(const SqliteSession&) = delete;
  ~SqliteSession() override;

  Result<SqlRows> query(std::string_view statement, std::span<const SqlValue> values) override;
  Result<std::size_t> execute(std::string_view statement, std::span<const SqlValue> values) override;

  // The write lock is taken at once: a transaction that began as a reader's could not become a writer's.
  Result<> begin() override { return perform("BEGIN IMMEDIATE"); }
  Result<> commit() override { return perform("COMMIT"); }
  void roll_back() noexcept override;
  // Statements since it was opened that may have changed something; whether a transaction is under way (SQLite ends
  // some itself).
  std::int64_t changes() const { return changes_; }
  static bool is_fatal(const Error& /*error*/) { return false; }
  bool in_transaction() const { return sqlite3_get_autocommit(database_) == 0; }
  void checkpoint_by(WalCheckpointer& checkpointer) { checkpointer.watch(database_); }
  // Without values or rows, and kept prepared.
  Result<> perform(std::string_view statement);
  // One statement or more, not kept.
  Result<> run(const char* statements);

 private:
  explicit SqliteSession(std::filesystem::path file) : file_(std::move(file)) {}
  Result<> connect();
  struct Statement {
    sqlite3_stmt* handle;
    std::vector<int> places;  // of $1, $2, ...; 0 where it has none
  };
  Result<const Statement*> statement(std::string_view text);
  Result<sqlite3_stmt*> prepared(std::string_view statement, std::span<const SqlValue> values);
  std::unexpected<Error> failed(std::string_view what);

  std::filesystem::path file_;
  sqlite3* database_ = nullptr;
  std::int64_t changes_ = 0;
  std::map<std::string, Statement, std::less<>> statements_;
};

}  // namespace coffer::storage::detail
