#include <mutex>

#include "storage/detail/optimistic_write.h"
#include "storage/detail/sqlite_session.h"
#include "storage/sql.h"

namespace coffer::storage {
namespace {

using detail::SqliteSession;

constexpr std::size_t most_idle_readers = 8;

// Writers share one connection and its transactions, as in sqlite_store.cpp; readers have connections of their own.
// A database in memory is seen by one connection alone, so there reading is as writing.
class SqliteDatabase final : public SqlDatabase {
 public:
  SqliteDatabase(std::filesystem::path file, std::unique_ptr<detail::WalCheckpointer> checkpointer,
                 std::unique_ptr<SqliteSession> writer)
      : file_(std::move(file)), checkpointer_(std::move(checkpointer)), writer_(std::move(writer)), writes_(*writer_) {}

  Result<> write(const Body& body) override { return detail::write_optimistically(writes_, *writer_, body); }

  Result<> read(const Body& body) override {
    if (file_.empty()) return write(body);
    auto reader = TRY(take_reader());
    TRY(reader->perform("BEGIN"));
    auto done = body(*reader);
    auto ended = reader->perform("COMMIT");
    if (ended) give_back(std::move(reader));
    return done ? ended : done;
  }

 private:
  Result<std::unique_ptr<SqliteSession>> take_reader() {
    {
      const std::scoped_lock lock(pooling_);
      if (!idle_.empty()) {
        auto reader = std::move(idle_.back());
        idle_.pop_back();
        return reader;
      }
    }
    return SqliteSession::open(file_);
  }

  void give_back(std::unique_ptr<SqliteSession> reader) {
    const std::scoped_lock lock(pooling_);
    if (idle_.size() < most_idle_readers) idle_.push_back(std::move(reader));
  }

  const std::filesystem::path file_;
  std::unique_ptr<detail::WalCheckpointer> checkpointer_;  // none in memory; longer than the writer
  std::unique_ptr<SqliteSession> writer_;                  // used by writes_ alone
  detail::GroupCommit writes_;
  std::mutex pooling_;
  std::vector<std::unique_ptr<SqliteSession>> idle_;
};

}  // namespace

Result<std::unique_ptr<SqlDatabase>> open_sqlite_database(const std::filesystem::path& file) {
  auto writer = TRY(SqliteSession::open(file));
  // Keys are spread over all of a table: a writer that knows only two megabytes of it (the default) reads without end.
  TRY(writer->run("PRAGMA cache_size = -65536"));
  std::unique_ptr<detail::WalCheckpointer> checkpointer;
  if (!file.empty()) {
    checkpointer = TRY(detail::WalCheckpointer::start(file));
    writer->checkpoint_by(*checkpointer);
  }
  return std::make_unique<SqliteDatabase>(file, std::move(checkpointer), std::move(writer));
}

}  // namespace coffer::storage
