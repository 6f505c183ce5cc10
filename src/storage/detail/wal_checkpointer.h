// Copies SQLite's write-ahead log into the database beside the writer, which otherwise does it itself: the commit that
// fills the log would wait for all the copying, and every other writer with it.
#pragma once

#include <sqlite3.h>

#include <condition_variable>
#include <filesystem>
#include <memory>
#include <mutex>
#include <thread>

#include "base/result.h"

namespace coffer::storage::detail {

// Pages in the log since the last copy until the next one (SQLite's own default), and until the writer copies, too:
// a log that is written and read without a pause never starts again from its beginning by itself.
struct WalLimits {
  int background = 1000;
  int writer = 16'000;
};

// A thread and a connection of its own.
class WalCheckpointer {
 public:
  // `file` is a database in WAL mode. Error: StorageError::unavailable.
  static Result<std::unique_ptr<WalCheckpointer>> start(const std::filesystem::path& file, WalLimits limits = {});
  WalCheckpointer(const WalCheckpointer&) = delete;
  WalCheckpointer& operator=(const WalCheckpointer&) = delete;
  ~WalCheckpointer();

  // Takes the place of the automatic checkpoints of `writer`, the one connection that writes. To be closed before this.
  void watch(sqlite3* writer);

  // Copies made by the thread.
  unsigned copies() const;

 private:
  WalCheckpointer(sqlite3* connection, WalLimits limits);
  static int committed(void* self, sqlite3* writer, const char* database, int pages);
  void work();

  sqlite3* connection_;
  const WalLimits limits_;
  int copied_ = 0;  // pages in the log at the last request; the writer's thread alone
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  bool due_ = false;
  bool stopping_ = false;
  unsigned copies_ = 0;
  std::thread thread_;
};

}  // namespace coffer::storage::detail
