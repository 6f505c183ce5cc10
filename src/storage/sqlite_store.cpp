#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <mutex>

#include "storage/key_value_store.h"

namespace coffer::storage {
namespace {

constexpr int schema_version = 1;
constexpr int busy_timeout_ms = 5000;

constexpr const char* schema =
    "CREATE TABLE entries ("
    " space TEXT NOT NULL, key TEXT NOT NULL, value BLOB NOT NULL,"
    " PRIMARY KEY (space, key)) STRICT, WITHOUT ROWID;"
    "PRAGMA user_version = 1;";

enum Query { select_value, insert_value, insert_new, update_same, delete_key, list_keys, query_count };
constexpr std::array<const char*, query_count> query_texts = {
    "SELECT value FROM entries WHERE space = ?1 AND key = ?2",
    "INSERT INTO entries (space, key, value) VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET value = excluded.value",
    "INSERT INTO entries (space, key, value) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
    "UPDATE entries SET value = ?3 WHERE space = ?1 AND key = ?2 AND value = ?4",
    "DELETE FROM entries WHERE space = ?1 AND key = ?2",
    // Keys sort by bytes, and a prefix is a range up to the prefix with the highest code point behind it.
    "SELECT key FROM entries WHERE space = ?1 AND key > ?2 AND key >= ?3 AND key < ?3 || char(1114111)"
    " ORDER BY key LIMIT ?4",
};

// One use of a kept statement: bound, stepped, and reset at the end of the scope.
class Use {
 public:
  explicit Use(sqlite3_stmt* statement) : statement_(statement) {}
  ~Use() {
    sqlite3_reset(statement_);
    sqlite3_clear_bindings(statement_);
  }
  Use(const Use&) = delete;
  Use& operator=(const Use&) = delete;

  Use& text(int index, std::string_view value) {
    sqlite3_bind_text64(statement_, index, value.data() == nullptr ? "" : value.data(), value.size(), SQLITE_STATIC, SQLITE_UTF8);
    return *this;
  }
  Use& blob(int index, ByteView value) {
    // A null pointer would bind NULL, which the column refuses.
    sqlite3_bind_blob64(statement_, index, value.empty() ? static_cast<const void*>("") : value.data(), value.size(), SQLITE_STATIC);
    return *this;
  }
  Use& number(int index, std::int64_t value) {
    sqlite3_bind_int64(statement_, index, value);
    return *this;
  }
  int step() { return sqlite3_step(statement_); }
  Bytes column_blob() const {
    const auto* data = static_cast<const std::byte*>(sqlite3_column_blob(statement_, 0));
    return data == nullptr ? Bytes{} : Bytes(data, data + sqlite3_column_bytes(statement_, 0));
  }
  std::string column_text() const {
    return {reinterpret_cast<const char*>(sqlite3_column_text(statement_, 0)),
            static_cast<std::size_t>(sqlite3_column_bytes(statement_, 0))};
  }

 private:
  sqlite3_stmt* statement_;
};

class SqliteStore final : public KeyValueStore {
 public:
  explicit SqliteStore(std::filesystem::path file) : file_(std::move(file)) {}
  ~SqliteStore() override {
    for (auto* statement : statements_) sqlite3_finalize(statement);
    sqlite3_close_v2(database_);
  }
  SqliteStore(const SqliteStore&) = delete;
  SqliteStore& operator=(const SqliteStore&) = delete;

  Result<> open() {
    TRY(create_private_file());
    if (sqlite3_open_v2(file_.c_str(), &database_, SQLITE_OPEN_READWRITE | SQLITE_OPEN_FULLMUTEX, nullptr) != SQLITE_OK) {
      return failure("open");
    }
    sqlite3_busy_timeout(database_, busy_timeout_ms);
    // synchronous=FULL: an audit record or resource that was acknowledged survives a power cut.
    TRY(execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON; PRAGMA trusted_schema = OFF;"));
    TRY(prepare_schema());
    for (std::size_t i = 0; i < query_count; ++i) {
      if (sqlite3_prepare_v3(database_, query_texts[i], -1, SQLITE_PREPARE_PERSISTENT, &statements_[i], nullptr) != SQLITE_OK) {
        return failure("read the schema of");
      }
    }
    return {};
  }

  Result<std::optional<Bytes>> get(std::string_view space, std::string_view key) override {
    TRY(check_key(space, key));
    const std::scoped_lock lock(mutex_);
    Use use(statements_[select_value]);
    const int status = use.text(1, space).text(2, key).step();
    if (status == SQLITE_ROW) return use.column_blob();
    if (status != SQLITE_DONE) return failure("read");
    return std::nullopt;
  }

  Result<> put(std::string_view space, std::string_view key, ByteView value) override {
    TRY(check_key(space, key));
    const std::scoped_lock lock(mutex_);
    Use use(statements_[insert_value]);
    if (use.text(1, space).text(2, key).blob(3, value).step() != SQLITE_DONE) return failure("write");
    return {};
  }

  Result<> put_if(std::string_view space, std::string_view key, std::optional<ByteView> expected,
                  ByteView value) override {
    TRY(check_key(space, key));
    const std::scoped_lock lock(mutex_);
    // One statement is one transaction, so that compare and write cannot be parted.
    Use use(statements_[expected ? update_same : insert_new]);
    use.text(1, space).text(2, key).blob(3, value);
    if (expected) use.blob(4, *expected);
    if (use.step() != SQLITE_DONE) return failure("write");
    if (sqlite3_changes(database_) == 1) return {};
    return fail(StorageError::conflict, std::string{key} + " in " + std::string{space} + " has another value than expected");
  }

  Result<bool> erase(std::string_view space, std::string_view key) override {
    TRY(check_key(space, key));
    const std::scoped_lock lock(mutex_);
    Use use(statements_[delete_key]);
    if (use.text(1, space).text(2, key).step() != SQLITE_DONE) return failure("write");
    return sqlite3_changes(database_) == 1;
  }

  Result<std::vector<std::string>> list(std::string_view space, std::string_view prefix, std::string_view after,
                                        std::size_t limit) override {
    const std::scoped_lock lock(mutex_);
    Use use(statements_[list_keys]);
    use.text(1, space).text(2, after).text(3, prefix).number(4, static_cast<std::int64_t>(limit));
    std::vector<std::string> keys;
    int status = use.step();
    for (; status == SQLITE_ROW; status = use.step()) keys.push_back(use.column_text());
    if (status != SQLITE_DONE) return failure("read");
    return keys;
  }

 private:
  // SQLite would make the file with the process's umask; keys belong to the owner alone.
  Result<> create_private_file() const {
    const int fd = ::open(file_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) return fail(StorageError::unavailable, "cannot open the database " + file_.string() + ": " + std::strerror(errno));
    ::close(fd);
    return {};
  }

  Result<> execute(const char* text) {
    if (sqlite3_exec(database_, text, nullptr, nullptr, nullptr) != SQLITE_OK) return failure("open");
    return {};
  }

  Result<int> user_version() {
    sqlite3_stmt* statement = nullptr;
    if (sqlite3_prepare_v2(database_, "PRAGMA user_version", -1, &statement, nullptr) != SQLITE_OK) return failure("open");
    const int version = sqlite3_step(statement) == SQLITE_ROW ? sqlite3_column_int(statement, 0) : -1;
    sqlite3_finalize(statement);
    return version;
  }

  // Two programs may open a new file at the same time: the schema is made under the write lock.
  Result<> prepare_schema() {
    TRY(execute("BEGIN IMMEDIATE"));
    const int version = TRY(user_version());
    if (version == 0) TRY(execute(schema));
    TRY(execute("COMMIT"));
    if (version == 0 || version == schema_version) return {};
    return fail(StorageError::corrupt, "the database " + file_.string() + " has schema version " + std::to_string(version) +
                                           ", this program knows version " + std::to_string(schema_version));
  }

  std::unexpected<Error> failure(std::string_view action) {
    const int code = database_ == nullptr ? SQLITE_NOMEM : sqlite3_errcode(database_);
    const bool corrupt = code == SQLITE_CORRUPT || code == SQLITE_NOTADB;
    return fail(corrupt ? StorageError::corrupt : code == SQLITE_TOOBIG ? StorageError::too_large : StorageError::unavailable,
                "cannot " + std::string{action} + " the database " + file_.string() + ": " + sqlite3_errmsg(database_));
  }

  std::filesystem::path file_;
  std::mutex mutex_;
  sqlite3* database_ = nullptr;
  std::array<sqlite3_stmt*, query_count> statements_{};
};

}  // namespace

Result<std::unique_ptr<KeyValueStore>> open_sqlite_store(const std::filesystem::path& file) {
  auto store = std::make_unique<SqliteStore>(file);
  TRY(store->open());
  return store;
}

}  // namespace coffer::storage
