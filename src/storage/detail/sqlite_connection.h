// One SQLite connection with its statements prepared once. For sqlite_store.cpp alone.
#pragma once

#include <sqlite3.h>

#include <array>

#include "storage/detail/group_commit.h"
#include "storage/detail/wal_checkpointer.h"
#include "storage/key_value_store.h"

namespace coffer::storage::detail {

// Not for several threads at once.
class SqliteConnection final : public Transactions {
 public:
  // Opens or creates `file`, brings its schema up, prepares.
  static Result<std::unique_ptr<SqliteConnection>> open(const std::filesystem::path& file);
  SqliteConnection(const SqliteConnection&) = delete;
  SqliteConnection& operator=(const SqliteConnection&) = delete;
  ~SqliteConnection() override;

  Result<std::optional<Bytes>> get(std::string_view space, std::string_view key);
  // Each says how many rows were written or erased, none or one. They are single statements, so atomic by themselves.
  Result<std::size_t> put(std::string_view space, std::string_view key, ByteView value);
  Result<std::size_t> insert(std::string_view space, std::string_view key, ByteView value);
  Result<std::size_t> replace(std::string_view space, std::string_view key, ByteView expected, ByteView value);
  Result<std::size_t> erase(std::string_view space, std::string_view key);
  Result<std::vector<std::string>> list(std::string_view space, std::string_view prefix, std::string_view after,
                                        std::size_t limit);

  void checkpoint_by(WalCheckpointer& checkpointer) { checkpointer.watch(database_); }

  // The write lock is taken at once: a transaction that began as a reader's could not become a writer's.
  Result<> begin() override { return execute("BEGIN IMMEDIATE"); }
  Result<> commit() override { return execute("COMMIT"); }
  void roll_back() noexcept override;

 private:
  enum Statement : std::size_t {
    select_value,
    upsert,
    insert_new,
    update_same,
    delete_row,
    select_keys,
    statement_count
  };

  explicit SqliteConnection(std::filesystem::path file) : file_(std::move(file)) {}
  Result<> connect();
  Result<> configure();
  Result<> create_schema();
  Result<> check_schema();
  Result<> prepare();
  Result<> execute(const char* sql);
  Result<std::int64_t> number(const char* sql);
  sqlite3_stmt* bound(Statement which, std::string_view space, std::string_view key);
  Result<std::size_t> change(sqlite3_stmt* statement);
  std::unexpected<Error> failed(std::string_view what);

  std::filesystem::path file_;
  sqlite3* database_ = nullptr;
  std::array<sqlite3_stmt*, statement_count> statements_{};
};

}  // namespace coffer::storage::detail
