#include "storage/postgres_server_testing.h"

#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <thread>
#include <vector>

namespace coffer::storage {
namespace {

std::string& missing_reason() {
  static std::string reason;
  return reason;
}

std::filesystem::path program(const std::string& name) {
  for (const auto* version : {"17", "16", "15"}) {
    auto path = std::filesystem::path{"/usr/lib/postgresql"} / version / "bin" / name;
    if (::access(path.c_str(), X_OK) == 0) return path;
  }
  return {};
}

const passwd* other_user() {
  return ::geteuid() == 0 ? ::getpwnam("postgres") : nullptr;
}

// In the child of a fork: becomes the program, as an unprivileged user.
[[noreturn]] void become(const std::vector<std::string>& command, const std::filesystem::path& log) {
  const int output = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0666);
  ::dup2(output, 1);
  ::dup2(output, 2);
  if (const auto* user = other_user(); user != nullptr) {
    if (::setgid(user->pw_gid) != 0 || ::setuid(user->pw_uid) != 0) ::_exit(126);
  }
  if (::chdir("/") != 0) ::_exit(126);
  std::vector<char*> arguments;
  for (const auto& part : command) arguments.push_back(const_cast<char*>(part.c_str()));
  arguments.push_back(nullptr);
  ::execv(arguments[0], arguments.data());
  ::_exit(127);
}

pid_t spawn(const std::vector<std::string>& command, const std::filesystem::path& log) {
  const pid_t pid = ::fork();
  if (pid == 0) become(command, log);
  return pid;
}

}  // namespace

std::string PostgresServer::missing() {
  return missing_reason();
}

PostgresServer* PostgresServer::shared() {
  static const auto server = [] {
    std::unique_ptr<PostgresServer> made{new PostgresServer};
    if (!made->start(missing_reason())) made.reset();
    return made;
  }();
  return server.get();
}

bool PostgresServer::make_cluster(std::string& why) {
  const auto initdb = program("initdb");
  if (initdb.empty() || (::geteuid() == 0 && other_user() == nullptr)) {
    why = "PostgreSQL is not installed";
    return false;
  }
  if (const auto* user = other_user(); user != nullptr) {
    if (::chown(directory_.path().c_str(), user->pw_uid, user->pw_gid) != 0) return false;
  }
  const auto pid = spawn({initdb, "-D", directory_.path() / "data", "--no-sync", "-A", "trust", "-U", "coffer", "-E",
                          "UTF8", "--locale=C"},
                         directory_.path() / "log");
  int status = -1;
  ::waitpid(pid, &status, 0);
  if (status != 0) why = "PostgreSQL's initdb failed: " + directory_.read("log");
  return status == 0;
}

bool PostgresServer::start(std::string& why) {
  if (!make_cluster(why)) return false;
  pid_ = spawn({program("postgres"), "-D", directory_.path() / "data", "-k", directory_.path(), "-c",
                "listen_addresses=", "-c", "fsync=off", "-c", "max_connections=60"},
               directory_.path() / "log");
  auto options = maintenance();
  for (int i = 0; i < 200; ++i) {
    if (open_postgres_database(options)) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds{50});
  }
  why = "PostgreSQL did not start: " + directory_.read("log");
  return false;
}

PostgresServer::~PostgresServer() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGQUIT);  // at once, without closing down: nothing is kept
  ::waitpid(pid_, nullptr, 0);
}

PostgresOptions PostgresServer::maintenance() const {
  return {.host = directory_.path(), .user = "coffer", .database = "postgres"};
}

PostgresOptions PostgresServer::new_database() {
  auto options = maintenance();
  options.database = "test_" + std::to_string(++databases_);
  const auto command = "CREATE DATABASE " + options.database;
  const auto pid =
      spawn({program("psql"), "-X", "-q", "-h", directory_.path(), "-U", "coffer", "-d", "postgres", "-c", command},
            directory_.path() / "log");
  ::waitpid(pid, nullptr, 0);
  return options;
}

void PostgresServer::cut_connections() {
  const auto server = open_postgres_database(maintenance()).value();
  const auto done = server->read([](SqlTransaction& transaction) -> Result<> {
    TRY(
        transaction.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() "
                          "AND backend_type = 'client backend'"));
    return {};
  });
  if (!done) throw std::runtime_error(to_string(done.error()));
}

}  // namespace coffer::storage
