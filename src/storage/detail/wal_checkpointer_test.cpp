#include "storage/detail/wal_checkpointer.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "storage/key_value_store.h"
#include "testing/temporary_directory.h"

namespace coffer::storage::detail {
namespace {

struct WalCheckpointerTest : testing::Test {
  TemporaryDirectory directory;
  std::filesystem::path file = directory.path() / "store.db";
  sqlite3* writer = nullptr;

  void SetUp() override {
    ASSERT_EQ(sqlite3_open(file.c_str(), &writer), SQLITE_OK);
    run("PRAGMA journal_mode = WAL; CREATE TABLE rows (value BLOB);");
  }
  void TearDown() override { sqlite3_close(writer); }

  void run(const char* sql) const {
    ASSERT_EQ(sqlite3_exec(writer, sql, nullptr, nullptr, nullptr), SQLITE_OK) << sqlite3_errmsg(writer);
  }
  // Each takes a page of the database at least, and so one of the log.
  void insert_pages(int count) const {
    for (int i = 0; i < count; ++i) run("INSERT INTO rows VALUES (zeroblob(5000));");
  }
  std::uintmax_t database_size() const { return std::filesystem::file_size(file); }
};

TEST_F(WalCheckpointerTest, copies_the_log_beside_the_writer) {
  const auto checkpointer = WalCheckpointer::start(file, {.background = 10, .writer = 100'000});
  ASSERT_TRUE(checkpointer);
  (*checkpointer)->watch(writer);
  insert_pages(50);
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds{20};
  while (database_size() < 5000 && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
  EXPECT_GE(database_size(), 5000U);
  while ((*checkpointer)->copies() == 0 && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
  EXPECT_GE((*checkpointer)->copies(), 1U);
}

TEST_F(WalCheckpointerTest, leaves_a_short_log_alone) {
  const auto checkpointer = WalCheckpointer::start(file, {.background = 1000, .writer = 2000});
  ASSERT_TRUE(checkpointer);
  (*checkpointer)->watch(writer);
  const auto before = database_size();
  insert_pages(20);
  EXPECT_EQ((*checkpointer)->copies(), 0U);
  EXPECT_EQ(database_size(), before);
}

TEST_F(WalCheckpointerTest, the_writer_copies_a_log_that_grew_too_long) {
  const auto checkpointer = WalCheckpointer::start(file, {.background = 10, .writer = 10});
  ASSERT_TRUE(checkpointer);
  (*checkpointer)->watch(writer);
  insert_pages(50);
  EXPECT_GE(database_size(), 5000U * 20);
  EXPECT_EQ((*checkpointer)->copies(), 0U);
}

TEST_F(WalCheckpointerTest, a_file_that_cannot_be_opened_is_an_error) {
  const auto checkpointer = WalCheckpointer::start(directory.path() / "missing" / "store.db");
  ASSERT_FALSE(checkpointer);
  EXPECT_EQ(checkpointer.error().code, ErrorCode{StorageError::unavailable});
}

}  // namespace
}  // namespace coffer::storage::detail
