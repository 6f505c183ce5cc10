// What both databases do alike.
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <thread>

#include "storage/postgres_server_testing.h"
#include "storage/sql.h"

namespace coffer::storage {
namespace {

enum class Engine { sqlite, sqlite_memory, postgres };

constexpr std::array<std::string_view, 2> schema{
    "CREATE TABLE items (id INTEGER PRIMARY KEY, name TEXT UNIQUE, weight REAL, data BLOB)",
    "CREATE TABLE counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL); INSERT INTO counters VALUES ('c', 0)"};

struct SqlDatabaseTest : testing::TestWithParam<Engine> {
  TemporaryDirectory directory;
  PostgresOptions options;
  std::unique_ptr<SqlDatabase> database;

  void SetUp() override {
    if (GetParam() == Engine::postgres) {
      auto* server = PostgresServer::shared();
      if (server == nullptr) GTEST_SKIP() << PostgresServer::missing();
      options = server->new_database();
    }
    database = open();
    const auto migrated = database->migrate(schema);
    ASSERT_TRUE(migrated) << to_string(migrated.error());
  }

  std::unique_ptr<SqlDatabase> open() const {
    auto opened = GetParam() == Engine::postgres
                      ? open_postgres_database(options)
                      : open_sqlite_database(GetParam() == Engine::sqlite ? directory.path() / "sql.db" : "");
    if (!opened) throw std::runtime_error(to_string(opened.error()));
    return std::move(*opened);
  }
  Result<std::size_t> execute(std::string_view statement, std::initializer_list<SqlValue> values = {}) const {
    return sql_write(*database, [&](SqlTransaction& t) { return t.execute(statement, values); });
  }
  SqlRows rows(std::string_view statement, std::initializer_list<SqlValue> values = {}) const {
    auto found = sql_read(*database, [&](SqlTransaction& t) { return t.query(statement, values); });
    EXPECT_TRUE(found) << to_string(found.error());
    return found ? *found : SqlRows{};
  }
  std::int64_t count() const { return rows("SELECT count(*) FROM items").at(0).integer(0); }
};

std::string engine_name(const testing::TestParamInfo<Engine>& info) {
  constexpr std::array names{"sqlite", "sqlite_memory", "postgres"};
  return names.at(static_cast<std::size_t>(info.param));
}
constexpr Engine all_engines[] = {Engine::sqlite, Engine::sqlite_memory, Engine::postgres};
INSTANTIATE_TEST_SUITE_P(Databases, SqlDatabaseTest, testing::ValuesIn(all_engines), engine_name);

TEST_P(SqlDatabaseTest, keeps_each_type_of_value) {
  std::string bytes;
  for (int i = 0; i < 256; ++i) bytes += static_cast<char>(i);
  ASSERT_TRUE(execute("INSERT INTO items VALUES ($1, $2, $3, $4)",
                      {std::int64_t{9'007'199'254'740'993}, "grüße 'quoted' \\ $1", 0.1, to_bytes(bytes)}));
  const auto row = rows("SELECT id, name, weight, data FROM items").at(0);
  EXPECT_EQ(row.integer(0), 9'007'199'254'740'993);
  EXPECT_EQ(row.text(1), "grüße 'quoted' \\ $1");
  EXPECT_EQ(row.real(2), 0.1);
  EXPECT_EQ(to_text(row.blob(3)), bytes);
}

TEST_P(SqlDatabaseTest, tells_nothing_from_empty) {
  ASSERT_TRUE(execute("INSERT INTO items VALUES ($1, $2, $3, $4)",
                      {std::int64_t{1}, std::monostate{}, std::monostate{}, std::monostate{}}));
  ASSERT_TRUE(execute("INSERT INTO items VALUES ($1, $2, $3, $4)", {std::int64_t{2}, "", 0.0, Bytes{}}));
  const auto found = rows("SELECT name, weight, data FROM items ORDER BY id");
  for (std::size_t column = 0; column < 3; ++column) {
    EXPECT_TRUE(found.at(0).is_null(column)) << column;
    EXPECT_FALSE(found.at(1).is_null(column)) << column;
  }
  EXPECT_EQ(found.at(0).text(0), "");
  EXPECT_EQ(found.at(0).integer(1), 0);
}

TEST_P(SqlDatabaseTest, says_how_many_rows_were_changed) {
  EXPECT_EQ(execute("INSERT INTO items (id) VALUES (1), (2), (3)").value(), 3U);
  EXPECT_EQ(execute("UPDATE items SET name = NULL WHERE id > $1", {std::int64_t{1}}).value(), 2U);
  EXPECT_EQ(execute("DELETE FROM items WHERE id = $1", {std::int64_t{7}}).value(), 0U);
}

TEST_P(SqlDatabaseTest, a_body_that_fails_leaves_nothing) {
  const auto done = database->write([](SqlTransaction& t) -> Result<> {
    TRY(t.execute("INSERT INTO items (id) VALUES (1)"));
    return fail(SqlError::corrupt, "changed my mind");
  });
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().message, "changed my mind");
  EXPECT_EQ(count(), 0);
}

TEST_P(SqlDatabaseTest, a_broken_constraint_fails_its_own_body_alone) {
  ASSERT_TRUE(execute("INSERT INTO items (id, name) VALUES (1, 'taken')"));
  std::atomic<int> refused = 0;
  {
    std::vector<std::jthread> writers;
    for (std::int64_t i = 0; i < 8; ++i) {
      writers.emplace_back([&, i] {
        const auto done = execute("INSERT INTO items (id, name) VALUES ($1, $2)",
                                  {i + 2, i == 3 ? std::string{"taken"} : "n" + std::to_string(i)});
        if (done) return;
        EXPECT_EQ(done.error().code, SqlError::constraint);
        ++refused;
      });
    }
  }
  EXPECT_EQ(refused, 1);
  EXPECT_EQ(count(), 8);
}

TEST_P(SqlDatabaseTest, bodies_that_fail_after_they_have_written_undo_what_is_theirs_alone) {
  std::atomic<int> failed = 0;
  {
    std::vector<std::jthread> writers;
    for (std::int64_t i = 0; i < 8; ++i) {
      writers.emplace_back([&, i] {
        for (std::int64_t j = 0; j < 10; ++j) {
          const auto done = database->write([&](SqlTransaction& t) -> Result<> {
            TRY(t.execute("INSERT INTO items (id) VALUES ($1)", {i * 10 + j}));
            if (i % 2 == 0) return fail(SqlError::corrupt, "changed my mind");
            return {};
          });
          if (!done) EXPECT_EQ(done.error().message, "changed my mind");
          if (!done) ++failed;
        }
      });
    }
  }
  EXPECT_EQ(failed, 40);
  EXPECT_EQ(count(), 40);
}

TEST_P(SqlDatabaseTest, transactions_are_as_if_each_ran_alone) {
  const auto second = GetParam() == Engine::sqlite_memory ? nullptr : open();
  constexpr int each = 25;
  const auto add = [](SqlDatabase& to) {
    const auto done = to.write([](SqlTransaction& t) -> Result<> {
      const auto value = TRY(t.one("SELECT value FROM counters WHERE name = 'c'"))
      ->integer(0);
      TRY(t.execute("UPDATE counters SET value = $1 WHERE name = 'c'", {value + 1}));
      return {};
    });
    EXPECT_TRUE(done) << to_string(done.error());
  };
  {
    std::vector<std::jthread> writers;
    for (int thread = 0; thread < 4; ++thread) {
      auto& to = thread % 2 == 1 && second ? *second : *database;
      writers.emplace_back([&] {
        for (int i = 0; i < each; ++i) add(to);
      });
    }
  }
  EXPECT_EQ(rows("SELECT value FROM counters").at(0).integer(0), 4 * each);
}

TEST_P(SqlDatabaseTest, text_that_one_of_them_cannot_keep_is_refused_by_both) {
  for (const auto& text : {std::string("a\0b", 3), std::string{"\xff"}, std::string{"\xed\xa0\x80"},
                           std::string{"\xc0\xaf"}, std::string{"\xf4\x90\x80\x80"}, std::string{"\xe2\x82"}}) {
    const auto done = execute("INSERT INTO items (id, name) VALUES (1, $1)", {text});
    ASSERT_FALSE(done) << text;
    EXPECT_EQ(done.error().code, SqlError::bad_value);
  }
  EXPECT_TRUE(execute("INSERT INTO items (id, name) VALUES (1, $1)", {"é€😀"}));
}

TEST_P(SqlDatabaseTest, a_statement_that_does_not_fit_is_an_error) {
  EXPECT_EQ(execute("INSERT INTO nowhere VALUES (1)").error().code, SqlError::bad_statement);
  EXPECT_EQ(execute("SELEKT").error().code, SqlError::bad_statement);
  EXPECT_TRUE(execute("INSERT INTO items (id) VALUES (1)"));
}

TEST_P(SqlDatabaseTest, migrations_run_once_and_in_order) {
  ASSERT_TRUE(execute("INSERT INTO items (id) VALUES (1)"));
  ASSERT_TRUE(database->migrate(schema));
  EXPECT_EQ(count(), 1);
  const std::array<std::string_view, 3> longer{schema[0], schema[1], "ALTER TABLE items ADD COLUMN colour TEXT"};
  ASSERT_TRUE(database->migrate(longer));
  EXPECT_TRUE(rows("SELECT colour FROM items").at(0).is_null(0));
  const auto older = database->migrate(schema);
  ASSERT_FALSE(older);
  EXPECT_EQ(older.error().code, SqlError::newer_schema);
}

TEST_P(SqlDatabaseTest, a_migration_that_fails_changes_nothing) {
  const std::array<std::string_view, 3> broken{schema[0], schema[1], "CREATE TABLE more (id INTEGER); CREATE TABEL x"};
  EXPECT_FALSE(database->migrate(broken));
  EXPECT_FALSE(execute("INSERT INTO more VALUES (1)"));
  EXPECT_TRUE(database->migrate(schema));
}

TEST_P(SqlDatabaseTest, several_processes_may_migrate_at_once) {
  if (GetParam() == Engine::sqlite_memory) return;
  const std::array<std::string_view, 3> longer{schema[0], schema[1], "CREATE TABLE more (id INTEGER)"};
  std::vector<std::jthread> openers;
  for (int i = 0; i < 4; ++i) {
    openers.emplace_back([&] {
      const auto done = open()->migrate(longer);
      EXPECT_TRUE(done) << to_string(done.error());
    });
  }
}

TEST_P(SqlDatabaseTest, what_was_written_is_there_for_the_next_process) {
  if (GetParam() == Engine::sqlite_memory) return;
  ASSERT_TRUE(execute("INSERT INTO items (id) VALUES (1)"));
  database = open();
  EXPECT_EQ(count(), 1);
}

struct PostgresDatabaseTest : testing::Test {
  PostgresServer* server = PostgresServer::shared();
  void SetUp() override {
    if (server == nullptr) GTEST_SKIP() << PostgresServer::missing();
  }
};

TEST_F(PostgresDatabaseTest, a_connection_that_was_cut_is_made_again) {
  const auto database = open_postgres_database(server->new_database()).value();
  ASSERT_TRUE(database->migrate(schema));
  for (int i = 0; i < 3; ++i) {
    server->cut_connections();
    const auto written =
        sql_write(*database, [](SqlTransaction& t) { return t.execute("UPDATE counters SET value = value + 1"); });
    ASSERT_TRUE(written) << to_string(written.error());
    server->cut_connections();
    const auto read = sql_read(*database, [](SqlTransaction& t) { return t.one("SELECT value FROM counters"); });
    ASSERT_TRUE(read) << to_string(read.error());
    EXPECT_EQ((*read)->integer(0), i + 1);
  }
}

TEST_F(PostgresDatabaseTest, a_transaction_that_was_cut_is_done_once) {
  const auto database = open_postgres_database(server->new_database()).value();
  ASSERT_TRUE(database->migrate(schema));
  int runs = 0;
  const auto done = database->write([&](SqlTransaction& t) -> Result<> {
    TRY(t.execute("UPDATE counters SET value = value + 1"));
    if (runs++ == 0) server->cut_connections();
    TRY(t.execute("UPDATE counters SET value = value + 10"));
    return {};
  });
  ASSERT_TRUE(done) << to_string(done.error());
  EXPECT_EQ(runs, 2);
  const auto read = sql_read(*database, [](SqlTransaction& t) { return t.one("SELECT value FROM counters"); });
  EXPECT_EQ((*read)->integer(0), 11);
}

TEST(PostgresDatabase, a_server_that_is_not_there_is_unavailable) {
  const auto database = open_postgres_database({.host = "/nonexistent", .user = "coffer", .database = "x"});
  ASSERT_FALSE(database);
  EXPECT_EQ(database.error().code, SqlError::unavailable);
  EXPECT_NE(database.error().message.find("/nonexistent"), std::string::npos);
}

TEST(SqliteDatabase, a_file_that_is_no_database_is_corrupt) {
  const TemporaryDirectory directory;
  directory.write("sql.db", std::string(5000, 'x'));
  const auto database = open_sqlite_database(directory.path() / "sql.db");
  ASSERT_FALSE(database);
  EXPECT_EQ(database.error().code, SqlError::corrupt);
  EXPECT_EQ(open_sqlite_database(directory.path() / "no" / "sql.db").error().code, SqlError::unavailable);
}

// The first failure dooms the transaction at the server, whatever the body makes of it.
TEST(PostgresDatabase, a_body_that_overlooks_a_conflict_is_tried_again) {
  auto* server = PostgresServer::shared();
  if (server == nullptr) GTEST_SKIP() << PostgresServer::missing();
  const auto options = server->new_database();
  const auto ours = *open_postgres_database(options);
  const auto theirs = *open_postgres_database(options);
  ASSERT_TRUE(ours->migrate(schema));
  const auto add_one = [](SqlTransaction& t) { return t.execute("UPDATE counters SET value = value + 1"); };
  int attempts = 0;
  const auto written = ours->write([&](SqlTransaction& t) -> Result<> {
    TRY(t.query("SELECT value FROM counters"));
    if (++attempts == 1) TRY(sql_write(*theirs, add_one));
    const auto added = add_one(t);
    EXPECT_EQ(added.has_value(), attempts > 1);
    const auto after = t.query("SELECT value FROM counters");
    EXPECT_EQ(after.has_value(), attempts > 1);
    return {};
  });
  ASSERT_TRUE(written) << to_string(written.error());
  EXPECT_EQ(attempts, 2);
  const auto value = sql_read(*ours, [](SqlTransaction& t) { return t.query("SELECT value FROM counters"); });
  EXPECT_EQ(value->at(0).integer(0), 2);
}

}  // namespace
}  // namespace coffer::storage
