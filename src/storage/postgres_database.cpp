#include <algorithm>
#include <array>
#include <mutex>
#include <random>
#include <thread>

#include "storage/detail/optimistic_write.h"
#include "storage/detail/postgres_session.h"
#include "storage/sql.h"

namespace coffer::storage {
namespace {

using detail::PostgresSession;

constexpr unsigned most_attempts = 12;
constexpr const char* begin_writing = "BEGIN ISOLATION LEVEL SERIALIZABLE";
constexpr const char* begin_reading = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

// Random, so that two processes in each other's way do not meet again; 1 ms at first, 250 ms at most on average.
void back_off(unsigned attempt) {
  thread_local std::minstd_rand random{std::random_device{}()};
  const auto most = std::min(500U, 2U << attempt);
  std::this_thread::sleep_for(std::chrono::microseconds{random() % (most * 1000U)});
}

bool is_conflict(const Result<>& result) {
  return !result && result.error().code == SqlError::conflict;
}

Result<> with_attempts(const std::function<Result<>()>& attempt) {
  auto done = attempt();
  for (unsigned i = 0; is_conflict(done) && i < most_attempts; ++i) {
    back_off(i);
    done = attempt();
  }
  return done;
}

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

constexpr std::array<std::pair<std::string_view, std::string_view>, 4> type_names{
    {{"INTEGER", "BIGINT"}, {"REAL", "DOUBLE PRECISION"}, {"TEXT", "TEXT COLLATE \"C\""}, {"BLOB", "BYTEA"}}};

std::string_view type_name(std::string_view word) {
  for (const auto& [ours, theirs] : type_names) {
    if (word == ours) return theirs;
  }
  return word;
}

// One connection writes, for SERIALIZABLE transactions of one process would be in each other's way; several read.
class PostgresDatabase final : public SqlDatabase {
 public:
  explicit PostgresDatabase(PostgresOptions options)
      : options_(std::move(options)), writer_(options_, begin_writing), writes_(writer_) {}

  Result<> write(const Body& body) override {
    return with_attempts([&] { return detail::write_optimistically(writes_, writer_, body); });
  }

  Result<> read(const Body& body) override {
    return with_attempts([&] { return read_once(body); });
  }

 protected:
  std::string translated(std::string_view step) const override {
    std::string out;
    for (std::size_t i = 0; i < step.size();) {
      auto end = i;
      while (end < step.size() && is_word(step[end])) ++end;
      out += type_name(step.substr(i, end - i));
      if (end < step.size()) out += step[end];
      i = end + 1;
    }
    return out;
  }

 private:
  Result<> read_once(const Body& body) {
    auto reader = take_reader();
    auto done = reader->begin();
    if (done) done = body(*reader);
    if (done) {
      done = reader->commit();
    } else {
      reader->roll_back();
    }
    give_back(std::move(reader));
    return done;
  }

  std::unique_ptr<PostgresSession> take_reader() {
    std::unique_lock lock(pooling_);
    returned_.wait(lock, [&] { return !idle_.empty() || readers_ < options_.max_connections; });
    if (idle_.empty()) {
      ++readers_;
      return std::make_unique<PostgresSession>(options_, begin_reading);
    }
    auto reader = std::move(idle_.back());
    idle_.pop_back();
    return reader;
  }

  void give_back(std::unique_ptr<PostgresSession> reader) {
    {
      const std::scoped_lock lock(pooling_);
      idle_.push_back(std::move(reader));
    }
    returned_.notify_one();
  }

  const PostgresOptions options_;
  PostgresSession writer_;  // used by writes_ alone
  detail::GroupCommit writes_;
  std::mutex pooling_;
  std::condition_variable returned_;
  std::vector<std::unique_ptr<PostgresSession>> idle_;
  std::size_t readers_ = 0;
};

}  // namespace

Result<std::unique_ptr<SqlDatabase>> open_postgres_database(PostgresOptions options) {
  if (options.max_connections == 0) options.max_connections = 1;
  auto database = std::make_unique<PostgresDatabase>(std::move(options));
  TRY(database->read([](SqlTransaction& transaction) -> Result<> {
    TRY(transaction.query("SELECT 1"));
    return {};
  }));
  return database;
}

}  // namespace coffer::storage
