#include "storage/detail/wal_checkpointer.h"

#include <utility>

#include "storage/key_value_store.h"

namespace coffer::storage::detail {

Result<std::unique_ptr<WalCheckpointer>> WalCheckpointer::start(const std::filesystem::path& file, WalLimits limits) {
  sqlite3* connection = nullptr;
  // A connection that has read nothing does not know of the log, and would copy nothing.
  if (sqlite3_open_v2(file.c_str(), &connection, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nullptr) != SQLITE_OK ||
      sqlite3_exec(connection, "SELECT count(*) FROM sqlite_schema", nullptr, nullptr, nullptr) != SQLITE_OK) {
    const std::string reason = connection != nullptr ? sqlite3_errmsg(connection) : "out of memory";
    sqlite3_close(connection);
    return fail(StorageError::unavailable, "the database " + file.string() + " cannot be opened: " + reason);
  }
  return std::unique_ptr<WalCheckpointer>{new WalCheckpointer(connection, limits)};
}

WalCheckpointer::WalCheckpointer(sqlite3* connection, WalLimits limits)
    : connection_(connection), limits_(limits), thread_([this] { work(); }) {}

WalCheckpointer::~WalCheckpointer() {
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
  sqlite3_close(connection_);
}

void WalCheckpointer::watch(sqlite3* writer) {
  sqlite3_wal_hook(writer, &WalCheckpointer::committed, this);
}

unsigned WalCheckpointer::copies() const {
  const std::scoped_lock lock(mutex_);
  return copies_;
}

// What fails here is tried again after a later commit; the commit itself is durable in the log.
int WalCheckpointer::committed(void* self, sqlite3* writer, const char* database, int pages) {
  auto& checkpointer = *static_cast<WalCheckpointer*>(self);
  if (pages < checkpointer.copied_) checkpointer.copied_ = 0;  // the log has started again
  if (pages - checkpointer.copied_ < checkpointer.limits_.background) return SQLITE_OK;
  checkpointer.copied_ = pages;
  if (pages >= checkpointer.limits_.writer) {
    sqlite3_wal_checkpoint_v2(writer, database, SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
    return SQLITE_OK;
  }
  {
    const std::scoped_lock lock(checkpointer.mutex_);
    checkpointer.due_ = true;
  }
  checkpointer.wake_.notify_one();
  return SQLITE_OK;
}

void WalCheckpointer::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_.wait(lock, [&] { return due_ || stopping_; });
    if (stopping_) return;
    due_ = false;
    lock.unlock();
    sqlite3_wal_checkpoint_v2(connection_, nullptr, SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
    lock.lock();
    ++copies_;
  }
}

}  // namespace coffer::storage::detail
