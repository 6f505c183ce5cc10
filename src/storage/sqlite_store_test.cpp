#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/stat.h>

#include <array>
#include <chrono>
#include <filesystem>
#include <thread>
#include <vector>

#include "storage/key_value_store.h"
#include "storage/storage_testing.h"

namespace coffer::storage {
namespace {

struct SqliteStoreTest : testing::Test {
  TemporaryDirectory directory;
  std::filesystem::path file = directory.path() / "store.db";

  // Runs SQL on the file as another program would.
  void run(const char* sql) const {
    sqlite3* database = nullptr;
    ASSERT_EQ(sqlite3_open(file.c_str(), &database), SQLITE_OK);
    EXPECT_EQ(sqlite3_exec(database, sql, nullptr, nullptr, nullptr), SQLITE_OK) << sqlite3_errmsg(database);
    sqlite3_close(database);
  }
  void expect_open_fails(StorageError code, std::string_view says) const {
    const auto store = open_sqlite_store(file);
    ASSERT_FALSE(store);
    EXPECT_EQ(store.error().code, code) << to_string(store.error());
    EXPECT_NE(store.error().message.find(file.string()), std::string::npos) << store.error().message;
    EXPECT_NE(store.error().message.find(says), std::string::npos) << store.error().message;
  }
};

TEST_F(SqliteStoreTest, files_are_for_the_owner_alone) {
  const auto old_mask = ::umask(0);
  const auto store = open_sqlite_store(file);
  ::umask(old_mask);
  ASSERT_TRUE(store);
  ASSERT_TRUE((*store)->put("kbs", "k", as_bytes("v")));
  for (const auto* suffix : {"", "-wal", "-shm"}) {
    struct stat status{};
    ASSERT_EQ(::stat((file.string() + suffix).c_str(), &status), 0) << suffix;
    EXPECT_EQ(status.st_mode & 0777U, 0600U) << suffix;
  }
}

TEST_F(SqliteStoreTest, a_missing_folder_is_unavailable) {
  file = directory.path() / "missing" / "store.db";
  expect_open_fails(StorageError::unavailable, "No such file");
}

TEST_F(SqliteStoreTest, a_file_that_is_no_database_is_corrupt_and_left_alone) {
  const std::string text(5000, 'x');
  directory.write("store.db", text);
  expect_open_fails(StorageError::corrupt, "not a database");
  EXPECT_EQ(directory.read("store.db"), text);
}

TEST_F(SqliteStoreTest, a_database_of_another_program_is_left_alone) {
  run("CREATE TABLE theirs (x);");
  expect_open_fails(StorageError::corrupt, "another program");
  run("INSERT INTO theirs VALUES (1);");
}

TEST_F(SqliteStoreTest, a_newer_schema_is_refused) {
  ASSERT_TRUE(open_sqlite_store(file));
  run("PRAGMA user_version = 2;");
  expect_open_fails(StorageError::corrupt, "schema version 2");
}

TEST_F(SqliteStoreTest, a_lost_table_is_an_error) {
  ASSERT_TRUE(open_sqlite_store(file));
  run("DROP TABLE entries;");
  expect_open_fails(StorageError::unavailable, "entries");
}

TEST_F(SqliteStoreTest, a_damaged_page_is_corrupt) {
  {
    const auto store = open_sqlite_store(file).value();
    for (int i = 0; i < 200; ++i) ASSERT_TRUE(store->put("kbs", "k" + std::to_string(i), Bytes(500)));
  }
  auto content = directory.read("store.db");
  ASSERT_GT(content.size(), 3 * 4096U);
  for (std::size_t i = 4096; i < content.size(); ++i) content[i] = static_cast<char>(0xff);
  directory.write("store.db", content);
  const auto store = open_sqlite_store(file);
  ASSERT_TRUE(store);  // the first page is whole
  EXPECT_EQ((*store)->get("kbs", "k1").error().code, StorageError::corrupt);
  EXPECT_EQ((*store)->put("kbs", "k1", {}).error().code, StorageError::corrupt);
  EXPECT_EQ((*store)->erase("kbs", "k1").error().code, StorageError::corrupt);
  EXPECT_EQ((*store)->list("kbs").error().code, StorageError::corrupt);
}

TEST_F(SqliteStoreTest, readers_do_not_wait_for_a_writer_elsewhere) {
  const auto store = open_sqlite_store(file).value();
  ASSERT_TRUE(store->put("kbs", "k", as_bytes("before")));
  sqlite3* other = nullptr;
  ASSERT_EQ(sqlite3_open(file.c_str(), &other), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(other, "BEGIN IMMEDIATE; UPDATE entries SET value = x'00';", nullptr, nullptr, nullptr),
            SQLITE_OK);
  EXPECT_EQ(to_text(store->get("kbs", "k").value().value()), "before");
  sqlite3_exec(other, "COMMIT", nullptr, nullptr, nullptr);
  sqlite3_close(other);
  EXPECT_EQ(store->get("kbs", "k").value().value(), Bytes(1));
}

TEST_F(SqliteStoreTest, what_many_threads_wrote_at_once_is_all_there) {
  constexpr int threads = 16;
  constexpr int each = 50;
  {
    const auto store = open_sqlite_store(file).value();
    std::vector<std::jthread> writers;
    for (int thread = 0; thread < threads; ++thread) {
      writers.emplace_back([&, thread] {
        for (int i = 0; i < each; ++i) {
          const auto key = std::to_string(thread) + "-" + std::to_string(100 + i);
          EXPECT_TRUE(store->put_if("audit", key, std::nullopt, as_bytes(key)));
          // Whoever returns has committed: another connection sees it.
          EXPECT_EQ(to_text(store->get("audit", key).value().value()), key);
        }
      });
    }
  }
  const auto again = open_sqlite_store(file).value();
  const auto keys = again->list("audit").value();
  EXPECT_EQ(keys.size(), static_cast<std::size_t>(threads * each));
  for (const auto& key : keys) EXPECT_EQ(to_text(again->get("audit", key).value().value()), key);
}

TEST_F(SqliteStoreTest, a_transaction_that_breaks_keeps_none_of_its_writes) {
  const auto store = open_sqlite_store(file).value();
  run("CREATE TRIGGER broken BEFORE INSERT ON entries WHEN new.key = 'bad' BEGIN SELECT RAISE(ROLLBACK, 'no'); END;");
  // While another process holds the write lock, one writer waits for it and the others for him: they share what
  // follows.
  sqlite3* other = nullptr;
  ASSERT_EQ(sqlite3_open(file.c_str(), &other), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(other, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr), SQLITE_OK);
  std::array<Result<>, 8> results;
  {
    std::vector<std::jthread> writers;
    for (std::size_t i = 0; i < results.size(); ++i) {
      writers.emplace_back(
          [&, i] { results[i] = store->put("kbs", i == 4 ? "bad" : "k" + std::to_string(i), as_bytes("v")); });
    }
    std::this_thread::sleep_for(std::chrono::milliseconds{200});
    sqlite3_exec(other, "COMMIT", nullptr, nullptr, nullptr);
  }
  sqlite3_close(other);
  EXPECT_FALSE(results[4]);
  for (std::size_t i = 0; i < results.size(); ++i) {
    EXPECT_EQ(store->get("kbs", "k" + std::to_string(i)).value().has_value(), results[i].has_value()) << i;
  }
  EXPECT_TRUE(store->put("kbs", "after", as_bytes("v")));
}

TEST_F(SqliteStoreTest, erased_values_are_overwritten) {
  const std::string secret = "a key that nobody may find again";
  {
    const auto store = open_sqlite_store(file).value();
    ASSERT_TRUE(store->put("repository", "default/key/k1", as_bytes(secret)));
    ASSERT_TRUE(store->erase("repository", "default/key/k1").value());
  }
  EXPECT_EQ(directory.read("store.db").find(secret), std::string::npos);
  EXPECT_FALSE(std::filesystem::exists(file.string() + "-wal"));
}

}  // namespace
}  // namespace coffer::storage
