// Bodies of several threads in one transaction of a group, each failing for itself. A savepoint of its own would do,
// and costs a copy of every page or two more questions to a server; but few bodies fail, and of those few have written
// anything. For the sake of one that has, all are done again with savepoints.
#pragma once

#include "storage/detail/group_commit.h"
#include "storage/sql.h"

namespace coffer::storage::detail {

enum class Again { with_savepoints };
constexpr std::string_view code_name(Again /*again*/) {
  return "sql.again_with_savepoints";
}

// Of either database: SqlTransaction, and run(statement), changes(), in_transaction(), and is_fatal(error) for what has
// ended the transaction, whoever caused it.
template <class Session>
Result<> perform_plainly(Session& session, const SqlDatabase::Body& body, Result<>& own) {
  const auto before = session.changes();
  own = body(session);
  if (!own && session.is_fatal(own.error())) return fail(own.error());
  if (session.in_transaction() && (own || session.changes() == before)) return {};
  return fail(Again::with_savepoints, "a body failed that had written something");
}

template <class Session>
Result<> perform_in_savepoint(Session& session, const SqlDatabase::Body& body, Result<>& own) {
  TRY(session.run("SAVEPOINT body"));
  own = body(session);
  if (!own && session.is_fatal(own.error())) return fail(own.error());
  if (!own) TRY(session.run("ROLLBACK TO body"));
  return session.run("RELEASE body");
}

template <class Session>
Result<> write_optimistically(GroupCommit& writes, Session& session, const SqlDatabase::Body& body) {
  for (bool careful = false;; careful = true) {
    Result<> own;
    const auto done = writes.run([&]() -> Result<std::size_t> {
      TRY(careful ? perform_in_savepoint(session, body, own) : perform_plainly(session, body, own));
      return 0U;
    });
    if (done) return own;
    if (done.error().code != Again::with_savepoints) return fail(done.error());
  }
}

}  // namespace coffer::storage::detail
