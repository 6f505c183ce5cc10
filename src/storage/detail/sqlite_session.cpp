#include "storage/detail/sqlite_session.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstring>

#include "storage/detail/sql_checks.h"

namespace coffer::storage::detail {
namespace {

constexpr int busy_timeout_ms = 10'000;

SqlError classify(int code) {
  switch (code & 0xff) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB: return SqlError::corrupt;
    case SQLITE_CONSTRAINT: return SqlError::constraint;
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return SqlError::conflict;
    case SQLITE_ERROR:
    case SQLITE_RANGE:
    case SQLITE_MISMATCH: return SqlError::bad_statement;
    default: return SqlError::unavailable;
  }
}

struct Bind {
  sqlite3_stmt* statement;
  int index;

  int operator()(std::monostate) const { return sqlite3_bind_null(statement, index); }
  int operator()(std::int64_t value) const { return sqlite3_bind_int64(statement, index, value); }
  int operator()(double value) const { return sqlite3_bind_double(statement, index, value); }
  int operator()(const std::string& value) const {
    return sqlite3_bind_text64(statement, index, value.data(), value.size(), SQLITE_STATIC, SQLITE_UTF8);
  }
  int operator()(const Bytes& value) const {
    if (value.empty()) return sqlite3_bind_zeroblob(statement, index, 0);  // a null pointer would bind NULL
    return sqlite3_bind_blob64(statement, index, value.data(), value.size(), SQLITE_STATIC);
  }
};

SqlValue column(sqlite3_stmt* statement, int index) {
  const auto size = [&] { return static_cast<std::size_t>(sqlite3_column_bytes(statement, index)); };
  switch (sqlite3_column_type(statement, index)) {
    case SQLITE_INTEGER: return std::int64_t{sqlite3_column_int64(statement, index)};
    case SQLITE_FLOAT: return sqlite3_column_double(statement, index);
    case SQLITE_TEXT: {
      const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement, index));
      return std::string(text, size());
    }
    case SQLITE_BLOB: {
      const auto* data = static_cast<const std::byte*>(sqlite3_column_blob(statement, index));
      return Bytes(data, data + size());
    }
    default: return {};
  }
}

SqlRow row_of(sqlite3_stmt* statement) {
  std::vector<SqlValue> values;
  const int columns = sqlite3_column_count(statement);
  values.reserve(static_cast<std::size_t>(columns));
  for (int i = 0; i < columns; ++i) values.push_back(column(statement, i));
  return SqlRow{std::move(values)};
}

// Bound memory belongs to the caller: no statement keeps it after the call.
struct Reset {
  sqlite3_stmt* statement;
  ~Reset() {
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
  }
};

}  // namespace

std::unexpected<Error> SqliteSession::failed(std::string_view what) {
  const int code = database_ != nullptr ? sqlite3_extended_errcode(database_) : SQLITE_NOMEM;
  const char* reason = database_ != nullptr ? sqlite3_errmsg(database_) : "out of memory";
  return fail(classify(code), "the database " + file_.string() + " " + std::string{what} + ": " + reason);
}

Result<std::unique_ptr<SqliteSession>> SqliteSession::open(const std::filesystem::path& file) {
  std::unique_ptr<SqliteSession> session{new SqliteSession(file.empty() ? ":memory:" : file)};
  TRY(session->connect());
  sqlite3_busy_timeout(session->database_, busy_timeout_ms);
  sqlite3_db_config(session->database_, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(session->database_, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  // FULL: a write is on the disk when it returns.
  TRY(session->run("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;"));
  return session;
}

SqliteSession::~SqliteSession() {
  for (const auto& [text, statement] : statements_) sqlite3_finalize(statement.handle);
  sqlite3_close(database_);
}

Result<> SqliteSession::connect() {
  if (file_ != ":memory:") {
    // SQLite would create the file by the umask; its -wal and -shm files take the mode of this one.
    const int created = ::open(file_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (created < 0) {
      return fail(SqlError::unavailable,
                  "the database " + file_.string() + " cannot be opened: " + std::strerror(errno));
    }
    ::close(created);
  }
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  if (sqlite3_open_v2(file_.c_str(), &database_, flags, nullptr) != SQLITE_OK) return failed("cannot be opened");
  return {};
}

Result<> SqliteSession::run(const char* statements) {
  if (sqlite3_exec(database_, statements, nullptr, nullptr, nullptr) != SQLITE_OK) return failed("cannot be used");
  return {};
}

Result<> SqliteSession::perform(std::string_view statement) {
  TRY(execute(statement, {}));
  return {};
}

// SQLite ends some transactions itself when a statement fails; then there is none, and that is as well.
void SqliteSession::roll_back() noexcept {
  sqlite3_exec(database_, "ROLLBACK", nullptr, nullptr, nullptr);
}

// "$1" is a name to SQLite, not a number.
Result<const SqliteSession::Statement*> SqliteSession::statement(std::string_view text) {
  if (const auto known = statements_.find(text); known != statements_.end()) return &known->second;
  sqlite3_stmt* handle = nullptr;
  const int size = static_cast<int>(text.size());
  if (sqlite3_prepare_v3(database_, text.data(), size, SQLITE_PREPARE_PERSISTENT, &handle, nullptr) != SQLITE_OK) {
    return failed("does not take a statement");
  }
  Statement made{.handle = handle, .places = {}};
  for (int i = 1; i <= sqlite3_bind_parameter_count(handle); ++i) {
    made.places.push_back(sqlite3_bind_parameter_index(handle, ("$" + std::to_string(i)).c_str()));
  }
  return &statements_.emplace(std::string{text}, std::move(made)).first->second;
}

Result<sqlite3_stmt*> SqliteSession::prepared(std::string_view text, std::span<const SqlValue> values) {
  TRY(check_values(values));
  const auto* known = TRY(statement(text));
  for (std::size_t i = 0; i < values.size(); ++i) {
    const int place = i < known->places.size() ? known->places[i] : 0;
    if (place == 0) {
      return fail(SqlError::bad_statement, "the statement has no place for value $" + std::to_string(i + 1));
    }
    if (std::visit(Bind{known->handle, place}, values[i]) != SQLITE_OK) return failed("does not take a value");
  }
  return known->handle;
}

Result<SqlRows> SqliteSession::query(std::string_view text, std::span<const SqlValue> values) {
  auto* statement = TRY(prepared(text, values));
  const Reset reset{statement};
  SqlRows rows;
  int code = SQLITE_ROW;
  while ((code = sqlite3_step(statement)) == SQLITE_ROW) rows.push_back(row_of(statement));
  if (code != SQLITE_DONE) return failed("cannot be read");
  if (sqlite3_stmt_readonly(statement) == 0) ++changes_;
  return rows;
}

Result<std::size_t> SqliteSession::execute(std::string_view text, std::span<const SqlValue> values) {
  auto* statement = TRY(prepared(text, values));
  const Reset reset{statement};
  int code = SQLITE_ROW;
  while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
  }
  if (code != SQLITE_DONE) return failed("cannot be written");
  if (sqlite3_stmt_readonly(statement) == 0) ++changes_;
  return static_cast<std::size_t>(sqlite3_changes(database_));
}

}  // namespace coffer::storage::detail
