#include "storage/detail/postgres_session.h"

#include <array>
#include <charconv>

#include "storage/detail/sql_checks.h"

namespace coffer::storage::detail {
namespace {

// Object identifiers of types, from the server's catalogue (pg_type.dat); they never change.
constexpr Oid type_bool = 16;
constexpr Oid type_bytea = 17;
constexpr Oid type_int8 = 20;
constexpr Oid type_int2 = 21;
constexpr Oid type_int4 = 23;
constexpr Oid type_float4 = 700;
constexpr Oid type_float8 = 701;

// https://www.postgresql.org/docs/15/errcodes-appendix.html
SqlError classify(std::string_view state) {
  if (state == "40001" || state == "40P01") return SqlError::conflict;
  if (state.starts_with("23")) return SqlError::constraint;
  if (state.starts_with("42") || state.starts_with("22")) return SqlError::bad_statement;
  return SqlError::unavailable;
}

// The values of a statement in the form that libpq takes: numbers as text, bytes as they are.
class Parameters {
 public:
  explicit Parameters(std::span<const SqlValue> values) {
    texts_.reserve(values.size());
    for (const auto& value : values) std::visit([this](const auto& v) { add(v); }, value);
  }
  int count() const { return static_cast<int>(data_.size()); }
  const char* const* data() const { return data_.data(); }
  const int* sizes() const { return sizes_.data(); }
  const int* formats() const { return formats_.data(); }

 private:
  void add(const char* data, std::size_t size, int format) {
    data_.push_back(data);
    sizes_.push_back(static_cast<int>(size));
    formats_.push_back(format);
  }
  void add(std::monostate) { add(nullptr, 0, 0); }
  void add(const std::string& text) { add(text.c_str(), text.size(), 0); }
  void add(const Bytes& bytes) {
    add(bytes.empty() ? "" : reinterpret_cast<const char*>(bytes.data()), bytes.size(), 1);
  }
  void add(std::int64_t number) { add_own(std::to_string(number)); }
  void add(double number) {
    std::array<char, 32> text{};
    const auto end = std::to_chars(text.data(), text.data() + text.size(), number).ptr;
    add_own(std::string(text.data(), end));
  }
  void add_own(std::string text) {
    texts_.push_back(std::move(text));  // has room: no pointer moves
    add(texts_.back());
  }

  std::vector<std::string> texts_;
  std::vector<const char*> data_;
  std::vector<int> sizes_, formats_;
};

template <class Number>
SqlValue number_of(std::string_view text) {
  Number number{};
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

SqlValue value_of(const PGresult* answer, int row, int column) {
  if (PQgetisnull(answer, row, column) != 0) return {};
  const char* data = PQgetvalue(answer, row, column);
  const std::string_view text{data, static_cast<std::size_t>(PQgetlength(answer, row, column))};
  switch (PQftype(answer, column)) {
    case type_int2:
    case type_int4:
    case type_int8: return number_of<std::int64_t>(text);
    case type_float4:
    case type_float8: return number_of<double>(text);
    case type_bool: return std::int64_t{text == "t" ? 1 : 0};
    case type_bytea: {
      std::size_t size = 0;
      auto* bytes = PQunescapeBytea(reinterpret_cast<const unsigned char*>(data), &size);
      Bytes out(reinterpret_cast<const std::byte*>(bytes), reinterpret_cast<const std::byte*>(bytes) + size);
      PQfreemem(bytes);
      return out;
    }
    default: return std::string{text};
  }
}

std::string trimmed(const char* message) {
  std::string text = message;
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

}  // namespace

PostgresSession::~PostgresSession() {
  disconnect();
}

void PostgresSession::disconnect() noexcept {
  PQfinish(connection_);
  connection_ = nullptr;
  names_.clear();
}

Result<> PostgresSession::connect() {
  disconnect();
  const auto port = std::to_string(options_.port);
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(options_.connect_timeout).count();
  const auto wait = std::to_string(std::max<std::int64_t>(seconds, 2));  // libpq's least
  const std::array keywords{"host",
                            "port",
                            "user",
                            "password",
                            "dbname",
                            "sslmode",
                            "connect_timeout",
                            "options",
                            "client_encoding",
                            "application_name",
                            static_cast<const char*>(nullptr)};
  const std::array values{options_.host.c_str(),
                          port.c_str(),
                          options_.user.c_str(),
                          options_.password.c_str(),
                          options_.database.c_str(),
                          options_.ssl_mode.c_str(),
                          wait.c_str(),
                          "-c client_min_messages=warning -c statement_timeout=60s -c timezone=UTC",
                          "UTF8",
                          "coffer",
                          static_cast<const char*>(nullptr)};
  connection_ = PQconnectdbParams(keywords.data(), values.data(), 0);
  if (connection_ == nullptr || PQstatus(connection_) != CONNECTION_OK) {
    auto error = fail(SqlError::unavailable, "PostgreSQL at " + options_.host + ":" + port + " cannot be used: " +
                                                 (connection_ != nullptr ? trimmed(PQerrorMessage(connection_)) : ""));
    disconnect();
    return error;
  }
  PQsetNoticeReceiver(connection_, [](void*, const PGresult*) {}, nullptr);
  return {};
}

std::unexpected<Error> PostgresSession::failed(const PGresult* answer) {
  const char* state = answer != nullptr ? PQresultErrorField(answer, PG_DIAG_SQLSTATE) : nullptr;
  const bool lost = connection_ == nullptr || PQstatus(connection_) != CONNECTION_OK;
  auto code = state != nullptr ? classify(state) : SqlError::unavailable;
  // Once a conflict has doomed the transaction every statement fails as in_failed_sql_transaction: also those of
  // callers who took the first failure for something else and went on.
  if (code == SqlError::conflict) doomed_ = true;
  if (doomed_ && state != nullptr && std::string_view{state} == "25P02") code = SqlError::conflict;
  // What was lost before its commit was sent never counted (the server rolls it back).
  if (lost) code = committing_ ? SqlError::unavailable : SqlError::conflict;
  auto text = connection_ != nullptr ? trimmed(PQerrorMessage(connection_)) : "there is no connection";
  if (lost) disconnect();
  return fail(code, "PostgreSQL at " + options_.host + ": " + text);
}

Result<> PostgresSession::check(const Answer& answer) {
  const auto status = PQresultStatus(answer.get());
  if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK) return {};
  return failed(answer.get());
}

Result<> PostgresSession::run(const char* statement) {
  if (connection_ == nullptr) return failed(nullptr);
  return check(Answer{PQexec(connection_, statement)});
}

Result<> PostgresSession::begin() {
  committing_ = false;
  doomed_ = false;
  if (connection_ != nullptr && run(begin_statement_)) return {};
  TRY(connect());
  return run(begin_statement_);
}

Result<> PostgresSession::commit() {
  if (connection_ == nullptr) return failed(nullptr);
  committing_ = true;
  const Answer answer{PQexec(connection_, "COMMIT")};
  auto done = check(answer);
  committing_ = false;
  // A transaction in which a statement had failed answers COMMIT with ROLLBACK and success.
  if (done && std::string_view{PQcmdStatus(answer.get())} == "ROLLBACK") {
    return fail(SqlError::conflict, "PostgreSQL at " + options_.host + ": the transaction had failed");
  }
  return done;
}

void PostgresSession::roll_back() noexcept {
  if (connection_ == nullptr) return;
  const Answer answer{PQexec(connection_, "ROLLBACK")};
  if (PQstatus(connection_) != CONNECTION_OK) disconnect();
}

Result<const std::string*> PostgresSession::prepared(std::string_view text) {
  if (connection_ == nullptr) return failed(nullptr);
  if (const auto known = names_.find(text); known != names_.end()) return &known->second;
  const std::string statement{text};
  const auto name = "s" + std::to_string(names_.size());
  TRY(check(Answer{PQprepare(connection_, name.c_str(), statement.c_str(), 0, nullptr)}));
  return &names_.emplace(statement, name).first->second;
}

Result<PostgresSession::Answer> PostgresSession::perform(std::string_view statement, std::span<const SqlValue> values) {
  TRY(check_values(values));
  const auto* name = TRY(prepared(statement));
  const Parameters parameters{values};
  Answer answer{PQexecPrepared(connection_, name->c_str(), parameters.count(), parameters.data(), parameters.sizes(),
                               parameters.formats(), 0)};
  TRY(check(answer));
  const std::string_view tag = PQcmdStatus(answer.get()), rows = PQcmdTuples(answer.get());
  if (!tag.starts_with("SELECT") && rows != "0") ++changes_;
  return answer;
}

Result<SqlRows> PostgresSession::query(std::string_view statement, std::span<const SqlValue> values) {
  const auto answer = TRY(perform(statement, values));
  SqlRows rows;
  const int columns = PQnfields(answer.get());
  rows.reserve(static_cast<std::size_t>(PQntuples(answer.get())));
  for (int row = 0; row < PQntuples(answer.get()); ++row) {
    std::vector<SqlValue> cells;
    cells.reserve(static_cast<std::size_t>(columns));
    for (int column = 0; column < columns; ++column) cells.push_back(value_of(answer.get(), row, column));
    rows.emplace_back(std::move(cells));
  }
  return rows;
}

Result<std::size_t> PostgresSession::execute(std::string_view statement, std::span<const SqlValue> values) {
  const auto answer = TRY(perform(statement, values));
  const std::string_view changed = PQcmdTuples(answer.get());
  std::size_t count = 0;
  std::from_chars(changed.data(), changed.data() + changed.size(), count);
  return count;
}

}  // namespace coffer::storage::detail
