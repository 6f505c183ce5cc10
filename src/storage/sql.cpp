#include "storage/sql.h"

namespace coffer::storage {
namespace {

template <class T>
const T& value_or_empty(const SqlValue& value) {
  static const T empty{};
  const auto* found = std::get_if<T>(&value);
  return found != nullptr ? *found : empty;
}

// The statements of a step; no literal of a schema holds a ';'.
std::vector<std::string> statements_of(const std::string& step) {
  std::vector<std::string> statements;
  for (std::size_t begin = 0; begin < step.size();) {
    const auto end = std::min(step.find(';', begin), step.size());
    auto statement = step.substr(begin, end - begin);
    if (statement.find_first_not_of(" \n\t") != std::string::npos) statements.push_back(std::move(statement));
    begin = end + 1;
  }
  return statements;
}

Result<std::int64_t> present_version(SqlTransaction& transaction) {
  TRY(transaction.execute("CREATE TABLE IF NOT EXISTS schema_version (only_row INTEGER PRIMARY KEY, version INTEGER)"));
  const auto row = TRY(transaction.one("SELECT version FROM schema_version WHERE only_row = 1"));
  return row ? row->integer(0) : 0;
}

}  // namespace

std::string_view code_name(SqlError code) {
  switch (code) {
    case SqlError::unavailable: return "sql.unavailable";
    case SqlError::conflict: return "sql.conflict";
    case SqlError::constraint: return "sql.constraint";
    case SqlError::bad_statement: return "sql.bad_statement";
    case SqlError::bad_value: return "sql.bad_value";
    case SqlError::corrupt: return "sql.corrupt";
    case SqlError::newer_schema: return "sql.newer_schema";
  }
  std::unreachable();
}

std::int64_t SqlRow::integer(std::size_t column) const {
  return value_or_empty<std::int64_t>(values_.at(column));
}

double SqlRow::real(std::size_t column) const {
  return value_or_empty<double>(values_.at(column));
}

const std::string& SqlRow::text(std::size_t column) const {
  return value_or_empty<std::string>(values_.at(column));
}

const Bytes& SqlRow::blob(std::size_t column) const {
  return value_or_empty<Bytes>(values_.at(column));
}

Result<std::optional<SqlRow>> SqlTransaction::one(std::string_view statement, std::initializer_list<SqlValue> values) {
  auto rows = TRY(query(statement, values));
  if (rows.empty()) return std::nullopt;
  return std::move(rows.front());
}

Result<> SqlDatabase::migrate(std::span<const std::string_view> steps) {
  constexpr int most_attempts = 5;
  auto done = migrate_once(steps);
  // Another process that brings the schema up at the same time makes a table exist twice or a key be taken; its work
  // is found done by the next attempt.
  for (int i = 1; i < most_attempts && !done; ++i) {
    const auto code = done.error().code;
    if (code != SqlError::constraint && code != SqlError::bad_statement) break;
    done = migrate_once(steps);
  }
  return done;
}

Result<> SqlDatabase::migrate_once(std::span<const std::string_view> steps) {
  return write([&](SqlTransaction& transaction) -> Result<> {
    const auto newest = static_cast<std::int64_t>(steps.size());
    const auto present = TRY(present_version(transaction));
    if (present > newest) {
      return fail(SqlError::newer_schema, "the database has schema version " + std::to_string(present) +
                                              ", this program knows version " + std::to_string(newest));
    }
    for (auto version = present; version < newest; ++version) {
      for (const auto& statement : statements_of(translated(steps[static_cast<std::size_t>(version)]))) {
        TRY(transaction.execute(statement));
      }
    }
    if (present == newest) return {};
    TRY(
        transaction.execute("INSERT INTO schema_version (only_row, version) VALUES (1, $1) "
                            "ON CONFLICT (only_row) DO UPDATE SET version = excluded.version",
                            {newest}));
    return {};
  });
}

}  // namespace coffer::storage
