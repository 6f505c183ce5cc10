// A PostgreSQL server of a test program's own, from Debian's binaries: a new cluster in a temporary directory, reached
// through a socket there. PostgreSQL refuses to run as root, so a test that is root starts it as the user postgres.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <memory>
#include <string>

#include "storage/sql.h"
#include "testing/temporary_directory.h"

namespace coffer::storage {

class PostgresServer {
 public:
  // One for the whole program, started at the first call; null where PostgreSQL's programs are not installed or do not
  // start, with the reason in missing().
  static PostgresServer* shared();
  static std::string missing();

  ~PostgresServer();
  // A new, empty database.
  PostgresOptions new_database();
  // Ends every connection, as a server does that is restarted.
  void cut_connections();

 private:
  PostgresServer() = default;
  bool start(std::string& why);
  bool make_cluster(std::string& why);
  PostgresOptions maintenance() const;

  TemporaryDirectory directory_;
  pid_t pid_ = -1;
  int databases_ = 0;
};

}  // namespace coffer::storage
