// One SQLite connection with its statements prepared once. For sqlite_store.cpp alone.
#pragma once

#include <sqlite3.h>

#include <array>

#include "storage/key_value_store.h"

namespace coffer::storage::detail {

// Not for several threads at once.
class SqliteConnection {
 public:
  // Opens or creates `file`, brings its schema up, prepares.
  static Result<std::unique_ptr<SqliteConnection>> open(const std::filesystem::path& file);
  SqliteConnection(const SqliteConnection&) = delete;
  SqliteConnection& operator=(const SqliteConnection&) = delete;
  ~SqliteConnection();

  Result<std::optional<Bytes>> get(std::string_view space, std::string_view key);
  // Each says whether a row was written or erased. They are single statements, so atomic by themselves.
  Result<bool> put(std::string_view space, std::string_view key, ByteView value);
  Result<bool> insert(std::string_view space, std::string_view key, ByteView value);
  Result<bool> replace(std::string_view space, std::string_view key, ByteView expected, ByteView value);
  Result<bool> erase(std::string_view space, std::string_view key);
  Result<std::vector<std::string>> list(std::string_view space, std::string_view prefix, std::string_view after,
                                        std::size_t limit);

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
  Result<bool> change(sqlite3_stmt* statement);
  std::unexpected<Error> failed(std::string_view what);

  std::filesystem::path file_;
  sqlite3* database_ = nullptr;
  std::array<sqlite3_stmt*, statement_count> statements_{};
};

}  // namespace coffer::storage::detail
