// A small interface to SQL databases: SQLite in one file, PostgreSQL where several processes share. Statements are text
// that both know (values as $1, $2, ...; ON CONFLICT, RETURNING; CAST($1 AS TEXT) where a type cannot be told from its
// place), and every transaction is as if it ran alone.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/result.h"

namespace coffer::storage {

enum class SqlError {
  unavailable,    // the file or server cannot be reached, read or written; whether a commit counted may be unknown
  conflict,       // another process's transaction was in the way each time it was tried
  constraint,     // a unique key or another rule of the schema says no
  bad_statement,  // the text or its values do not fit the database: a defect of ours, or a schema that was changed
  bad_value,      // text with a NUL or that is no UTF-8: PostgreSQL keeps neither, so SQLite is not given it either
  corrupt,        // it can be read and is no database of ours
  newer_schema,   // a later version of the program has been here
};
std::string_view code_name(SqlError code);

// NULL, INTEGER (64 bits), REAL, TEXT, BLOB.
using SqlValue = std::variant<std::monostate, std::int64_t, double, std::string, Bytes>;

class SqlRow {
 public:
  explicit SqlRow(std::vector<SqlValue> values) : values_(std::move(values)) {}

  bool is_null(std::size_t column) const { return std::holds_alternative<std::monostate>(values_.at(column)); }
  // Zero or empty where the column is NULL or of another type; the statement's text says which it is.
  std::int64_t integer(std::size_t column) const;
  double real(std::size_t column) const;
  const std::string& text(std::size_t column) const;
  const Bytes& blob(std::size_t column) const;
  std::size_t size() const { return values_.size(); }

 private:
  std::vector<SqlValue> values_;
};
using SqlRows = std::vector<SqlRow>;

// Valid within the body it was given to. After an error that is not bad_value the body can only return.
class SqlTransaction {
 public:
  virtual ~SqlTransaction() = default;
  // Statements are prepared once and kept, so their text must not hold values, and there should be few of them.
  virtual Result<SqlRows> query(std::string_view statement, std::span<const SqlValue> values) = 0;
  // How many rows were changed.
  virtual Result<std::size_t> execute(std::string_view statement, std::span<const SqlValue> values) = 0;

  Result<SqlRows> query(std::string_view statement, std::initializer_list<SqlValue> values = {}) {
    return query(statement, std::span{values.begin(), values.size()});
  }
  Result<std::size_t> execute(std::string_view statement, std::initializer_list<SqlValue> values = {}) {
    return execute(statement, std::span{values.begin(), values.size()});
  }
  // The first row, or nothing.
  Result<std::optional<SqlRow>> one(std::string_view statement, std::initializer_list<SqlValue> values = {});
};

// Safe to use from any thread.
class SqlDatabase {
 public:
  using Body = std::function<Result<>(SqlTransaction&)>;
  virtual ~SqlDatabase() = default;

  // What `body` did is durable when this returns, and all undone where it returned an error. It may be run more than
  // once, and by another thread, before this returns: it must do nothing that counts but through its transaction.
  // Bodies of several threads may share one wait for the disk; each fails for itself.
  virtual Result<> write(const Body& body) = 0;
  // One unchanging view; runs beside writes.
  virtual Result<> read(const Body& body) = 0;

  // Brings the schema up to steps.size(), each step once and in order, in one transaction, whoever else tries. A step
  // is statements parted by ';', with the types INTEGER, REAL, TEXT and BLOB. newer_schema, corrupt.
  Result<> migrate(std::span<const std::string_view> steps);

 protected:
  // The database's own name of a column type, to replace those of a migration.
  virtual std::string translated(std::string_view step) const { return std::string{step}; }

 private:
  Result<> migrate_once(std::span<const std::string_view> steps);
};

// One SQLite file in WAL mode, created with mode 0600 where absent; its folder must exist. An empty path: in memory,
// gone with the object.
Result<std::unique_ptr<SqlDatabase>> open_sqlite_database(const std::filesystem::path& file);

struct PostgresOptions {
  std::string host = "localhost";  // a path: the folder of the server's socket
  std::uint16_t port = 5432;
  std::string user{}, password{}, database{};
  std::string ssl_mode = "disable";
  Duration connect_timeout = std::chrono::seconds{10};
  std::size_t max_connections = 8;  // of readers, beside one that writes
};
// Connections are made again when they were lost; a write whose commit broke off is unavailable, for it may have
// counted.
Result<std::unique_ptr<SqlDatabase>> open_postgres_database(PostgresOptions options);

// write() and read() with a result.
template <class Body>
auto sql_write(SqlDatabase& database, Body body) -> std::invoke_result_t<Body&, SqlTransaction&> {
  std::optional<std::invoke_result_t<Body&, SqlTransaction&>> out;
  const auto done = database.write([&](SqlTransaction& transaction) -> Result<> {
    out.emplace(body(transaction));
    if (!*out) return fail(out->error());
    return {};
  });
  if (!done) return fail(done.error());
  return *std::move(out);
}
template <class Body>
auto sql_read(SqlDatabase& database, Body body) -> std::invoke_result_t<Body&, SqlTransaction&> {
  std::optional<std::invoke_result_t<Body&, SqlTransaction&>> out;
  const auto done = database.read([&](SqlTransaction& transaction) -> Result<> {
    out.emplace(body(transaction));
    if (!*out) return fail(out->error());
    return {};
  });
  if (!done) return fail(done.error());
  return *std::move(out);
}

}  // namespace coffer::storage
