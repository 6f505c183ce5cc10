#include "storage/detail/sqlite_connection.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstring>

namespace coffer::storage::detail {
namespace {

constexpr int busy_timeout_ms = 10'000;
constexpr std::int64_t application_id = 0x434f4652;  // "COFR", for file(1) and for not writing into others' databases
constexpr std::int64_t schema_version = 1;

constexpr const char* schema = R"(
  CREATE TABLE entries (space TEXT NOT NULL, key TEXT NOT NULL, value BLOB NOT NULL, PRIMARY KEY (space, key))
  STRICT, WITHOUT ROWID;
  PRAGMA application_id = 1129268818;
  PRAGMA user_version = 1;)";
static_assert(application_id == 1129268818 && schema_version == 1);

// In the order of SqliteConnection::Statement. Keys are ASCII below 0x7f, so those with a prefix are a range.
constexpr std::array<const char*, 6> queries = {
    "SELECT value FROM entries WHERE space = ?1 AND key = ?2",
    "INSERT INTO entries (space, key, value) VALUES (?1, ?2, ?3) "
    "ON CONFLICT (space, key) DO UPDATE SET value = excluded.value",
    "INSERT INTO entries (space, key, value) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
    "UPDATE entries SET value = ?3 WHERE space = ?1 AND key = ?2 AND value = ?4",
    "DELETE FROM entries WHERE space = ?1 AND key = ?2",
    "SELECT key FROM entries WHERE space = ?1 AND key >= ?2 AND key < ?2 || char(127) AND key > ?3 "
    "ORDER BY key LIMIT ?4",
};

void bind_text(sqlite3_stmt* statement, int index, std::string_view text) {
  sqlite3_bind_text(statement, index, text.empty() ? "" : text.data(), static_cast<int>(text.size()), SQLITE_STATIC);
}

void bind_blob(sqlite3_stmt* statement, int index, ByteView value) {
  if (value.empty()) {
    sqlite3_bind_zeroblob(statement, index, 0);  // a null pointer would bind NULL
  } else {
    sqlite3_bind_blob64(statement, index, value.data(), value.size(), SQLITE_STATIC);
  }
}

// Bound memory belongs to the caller: no statement keeps it after the call.
struct Reset {
  sqlite3_stmt* statement;
  ~Reset() {
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
  }
};

StorageError classify(int code) {
  switch (code & 0xff) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB: return StorageError::corrupt;
    case SQLITE_TOOBIG: return StorageError::too_large;
    default: return StorageError::unavailable;
  }
}

}  // namespace

std::unexpected<Error> SqliteConnection::failed(std::string_view what) {
  const int code = database_ != nullptr ? sqlite3_extended_errcode(database_) : SQLITE_NOMEM;
  const char* reason = database_ != nullptr ? sqlite3_errmsg(database_) : "out of memory";
  return fail(classify(code), "the database " + file_.string() + " " + std::string{what} + ": " + reason);
}

Result<std::unique_ptr<SqliteConnection>> SqliteConnection::open(const std::filesystem::path& file) {
  std::unique_ptr<SqliteConnection> connection{new SqliteConnection(file)};
  TRY(connection->connect());
  TRY(connection->configure());
  TRY(connection->create_schema());
  TRY(connection->check_schema());
  TRY(connection->prepare());
  return connection;
}

SqliteConnection::~SqliteConnection() {
  for (auto* statement : statements_) sqlite3_finalize(statement);
  sqlite3_close(database_);
}

Result<> SqliteConnection::connect() {
  // SQLite would create the file by the umask; its -wal and -shm files take the mode of this one.
  const int created = ::open(file_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (created < 0) {
    return fail(StorageError::unavailable,
                "the database " + file_.string() + " cannot be opened: " + std::strerror(errno));
  }
  ::close(created);
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  if (sqlite3_open_v2(file_.c_str(), &database_, flags, nullptr) != SQLITE_OK) return failed("cannot be opened");
  return {};
}

Result<> SqliteConnection::configure() {
  sqlite3_busy_timeout(database_, busy_timeout_ms);
  sqlite3_db_config(database_, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(database_, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  // FULL: a write is on the disk when it returns. secure_delete: erased keys are overwritten.
  return execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON;");
}

Result<> SqliteConnection::create_schema() {
  if (TRY(number("PRAGMA user_version")) != 0) return {};
  // Under the write lock, for another process may be creating the same file.
  TRY(begin());
  const auto created = [&]() -> Result<> {
    const bool is_new = TRY(number("PRAGMA user_version"))
    == 0 && TRY(number("SELECT count(*) FROM sqlite_schema"))
    == 0;
    return is_new ? execute(schema) : Result<>{};
  }();
  if (created) return commit();
  roll_back();
  return created;
}

// SQLite ends some transactions itself when a statement fails; then there is none, and that is as well.
void SqliteConnection::roll_back() noexcept {
  sqlite3_exec(database_, "ROLLBACK", nullptr, nullptr, nullptr);
}

Result<> SqliteConnection::check_schema() {
  if (TRY(number("PRAGMA application_id")) != application_id) {
    return fail(StorageError::corrupt, "the database " + file_.string() + " belongs to another program");
  }
  const auto version = TRY(number("PRAGMA user_version"));
  if (version != schema_version) {
    return fail(StorageError::corrupt, "the database " + file_.string() + " has schema version " +
                                           std::to_string(version) + ", this program knows version " +
                                           std::to_string(schema_version));
  }
  return {};
}

Result<> SqliteConnection::prepare() {
  static_assert(queries.size() == statement_count);
  for (std::size_t i = 0; i < queries.size(); ++i) {
    if (sqlite3_prepare_v3(database_, queries[i], -1, SQLITE_PREPARE_PERSISTENT, &statements_[i], nullptr) !=
        SQLITE_OK) {
      return failed("lacks its table");
    }
  }
  return {};
}

Result<> SqliteConnection::execute(const char* sql) {
  if (sqlite3_exec(database_, sql, nullptr, nullptr, nullptr) != SQLITE_OK) return failed("cannot be used");
  return {};
}

Result<std::int64_t> SqliteConnection::number(const char* sql) {
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v2(database_, sql, -1, &statement, nullptr) != SQLITE_OK) return failed("cannot be read");
  const int code = sqlite3_step(statement);
  const auto value = sqlite3_column_int64(statement, 0);
  sqlite3_finalize(statement);
  if (code != SQLITE_ROW) return failed("cannot be read");
  return value;
}

sqlite3_stmt* SqliteConnection::bound(Statement which, std::string_view space, std::string_view key) {
  auto* statement = statements_[which];
  bind_text(statement, 1, space);
  bind_text(statement, 2, key);
  return statement;
}

Result<std::size_t> SqliteConnection::change(sqlite3_stmt* statement) {
  const Reset reset{statement};
  if (sqlite3_step(statement) != SQLITE_DONE) return failed("cannot be written");
  return static_cast<std::size_t>(sqlite3_changes(database_));
}

Result<std::optional<Bytes>> SqliteConnection::get(std::string_view space, std::string_view key) {
  auto* statement = bound(select_value, space, key);
  const Reset reset{statement};
  const int code = sqlite3_step(statement);
  if (code == SQLITE_DONE) return std::nullopt;
  if (code != SQLITE_ROW) return failed("cannot be read");
  const auto* data = static_cast<const std::byte*>(sqlite3_column_blob(statement, 0));
  return Bytes(data, data + sqlite3_column_bytes(statement, 0));
}

Result<std::size_t> SqliteConnection::put(std::string_view space, std::string_view key, ByteView value) {
  auto* statement = bound(upsert, space, key);
  bind_blob(statement, 3, value);
  return change(statement);
}

Result<std::size_t> SqliteConnection::insert(std::string_view space, std::string_view key, ByteView value) {
  auto* statement = bound(insert_new, space, key);
  bind_blob(statement, 3, value);
  return change(statement);
}

Result<std::size_t> SqliteConnection::replace(std::string_view space, std::string_view key, ByteView expected,
                                              ByteView value) {
  auto* statement = bound(update_same, space, key);
  bind_blob(statement, 3, value);
  bind_blob(statement, 4, expected);
  return change(statement);
}

Result<std::size_t> SqliteConnection::erase(std::string_view space, std::string_view key) {
  return change(bound(delete_row, space, key));
}

Result<std::vector<std::string>> SqliteConnection::list(std::string_view space, std::string_view prefix,
                                                        std::string_view after, std::size_t limit) {
  auto* statement = bound(select_keys, space, prefix);
  bind_text(statement, 3, after);
  sqlite3_bind_int64(statement, 4, static_cast<sqlite3_int64>(std::min<std::size_t>(limit, INT64_MAX)));
  const Reset reset{statement};
  std::vector<std::string> keys;
  int code = SQLITE_ROW;
  while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
    const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement, 0));
    keys.emplace_back(text, static_cast<std::size_t>(sqlite3_column_bytes(statement, 0)));
  }
  if (code != SQLITE_DONE) return failed("cannot be read");
  return keys;
}

}  // namespace coffer::storage::detail
