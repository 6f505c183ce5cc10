// One connection to PostgreSQL that runs any statement and keeps it prepared. For postgres_database.cpp alone.
#pragma once

#include <libpq-fe.h>

#include <map>

#include "storage/detail/group_commit.h"
#include "storage/sql.h"

namespace coffer::storage::detail {

// Not for several threads at once. A transaction that a lost connection broke off before its commit is
// SqlError::conflict, as one that another transaction was in the way of: nothing of it counted, and it can be tried
// again.
class PostgresSession final : public SqlTransaction, public Transactions {
 public:
  // Connects at the first begin().
  explicit PostgresSession(const PostgresOptions& options, const char* begin_statement)
      : options_(options), begin_statement_(begin_statement) {}
  PostgresSession(const PostgresSession&) = delete;
  PostgresSession& operator=(const PostgresSession&) = delete;
  ~PostgresSession() override;

  Result<SqlRows> query(std::string_view statement, std::span<const SqlValue> values) override;
  Result<std::size_t> execute(std::string_view statement, std::span<const SqlValue> values) override;

  // Connects where there is no connection, and once again where there was one that no longer answers.
  Result<> begin() override;
  Result<> commit() override;
  void roll_back() noexcept override;
  // Statements that have changed something; whether a transaction is under way that no failed statement has doomed.
  std::int64_t changes() const { return changes_; }
  bool in_transaction() const { return PQtransactionStatus(connection_) == PQTRANS_INTRANS; }
  // A conflict dooms the whole transaction, a lost connection has ended it.
  static bool is_fatal(const Error& error) {
    return error.code == SqlError::conflict || error.code == SqlError::unavailable;
  }
  // Without values or rows; not kept.
  Result<> run(const char* statement);

 private:
  struct Clear {
    void operator()(PGresult* result) const { PQclear(result); }
  };
  using Answer = std::unique_ptr<PGresult, Clear>;

  Result<> connect();
  void disconnect() noexcept;
  Result<const std::string*> prepared(std::string_view statement);
  Result<Answer> perform(std::string_view statement, std::span<const SqlValue> values);
  Result<> check(const Answer& answer);
  std::unexpected<Error> failed(const PGresult* answer);

  const PostgresOptions& options_;
  const char* begin_statement_;
  PGconn* connection_ = nullptr;
  std::int64_t changes_ = 0;
  bool committing_ = false;
  bool doomed_ = false;  // a conflict has ended the transaction, whatever else is asked of it
  std::map<std::string, std::string, std::less<>> names_;  // of prepared statements by their text
};

}  // namespace coffer::storage::detail
