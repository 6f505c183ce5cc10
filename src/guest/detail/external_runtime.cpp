#include "guest/detail/external_runtime.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>

extern char** environ;

namespace coffer::guest::detail {
namespace {

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

std::unexpected<Error> system_failure(std::string_view what) {
  return fail(GuestError::runtime_missing, std::string{what} + ": " + std::strerror(errno));
}

// Fills a memory file and seals it, so that the runtime cannot change what was authenticated.
Result<> fill_memory_file(int fd, ByteView module) {
  if (fd < 0) return system_failure("no memory file can be made");
  while (!module.empty()) {
    const auto written = ::write(fd, module.data(), module.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return system_failure("the module does not fit into a memory file");
    module = module.subspan(static_cast<std::size_t>(written));
  }
  if (::fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) != 0) {
    return system_failure("the memory file cannot be sealed");
  }
  return {};
}

Result<> check_limits(const RunnerOptions& options) {
  if (options.fuel == 0 && options.max_memory == 0) return {};
  return fail(GuestError::usage,
              "fuel and memory limits hold only in the embedded runtime; leave out --runtime, or give " +
                  options.runtime + " its own limits");
}

// What posix_spawn needs, freed at the end.
struct SpawnPlan {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  SpawnPlan(bool inherit_stdin, int module) {
    ::posix_spawn_file_actions_init(&actions);
    // Onto itself: that clears close-on-exec in this child alone, so that no other child gets the module.
    ::posix_spawn_file_actions_adddup2(&actions, module, module);
    ::posix_spawnattr_init(&attributes);
    if (!inherit_stdin) ::posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  }
  SpawnPlan(const SpawnPlan&) = delete;
  SpawnPlan& operator=(const SpawnPlan&) = delete;
  ~SpawnPlan() {
    ::posix_spawnattr_destroy(&attributes);
    ::posix_spawn_file_actions_destroy(&actions);
  }
};

Result<pid_t> spawn(const RunnerOptions& options, int module) {
  auto arguments = runtime_arguments(options, "/proc/self/fd/" + std::to_string(module));
  std::vector<char*> argv;
  argv.reserve(arguments.size() + 1);
  for (auto& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  const SpawnPlan plan{options.inherit_stdin, module};
  pid_t child = 0;
  const int error = ::posix_spawnp(&child, argv[0], &plan.actions, &plan.attributes, argv.data(), environ);
  if (error == 0) return child;
  return fail(GuestError::runtime_missing,
              "the runtime " + options.runtime + " cannot be started: " + std::strerror(error) +
                  "; give the path of a WASM runtime, or leave out --runtime for the embedded one");
}

// True when the child ended in time.
bool wait_for_end(pid_t child, Duration timeout) {
  if (timeout <= Duration{0}) return true;
  const Descriptor handle{static_cast<int>(::syscall(SYS_pidfd_open, child, 0))};
  pollfd waiting{handle.get(), POLLIN, 0};
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    if (left.count() <= 0) return false;
    constexpr std::chrono::milliseconds longest{3'600'000};
    if (::poll(&waiting, 1, static_cast<int>(std::min(left, longest).count())) > 0) return true;
  }
}

int reap(pid_t child) {
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

}  // namespace

std::vector<std::string> runtime_arguments(const RunnerOptions& options, const std::string& module_path) {
  std::vector<std::string> arguments{options.runtime};
  const auto add = [&](std::string_view flag, std::string value) {
    arguments.emplace_back(flag);
    arguments.push_back(std::move(value));
  };
  if (!options.invoke.empty()) add("--invoke", options.invoke);
  for (const auto& [name, value] : options.environment) {
    auto setting = name;
    add("--env", std::move(setting.append("=").append(value)));
  }
  if (!options.work_dir.empty()) add("--dir", options.work_dir.string());
  for (const auto& [host, guest] : options.directories) {
    auto directory = host.string();
    if (host != guest) directory.append("::").append(guest);
    add("--dir", std::move(directory));
  }
  arguments.push_back(module_path);
  arguments.insert(arguments.end(), options.wasm_args.begin(), options.wasm_args.end());
  return arguments;
}

Result<int> run_external(const RunnerOptions& options, ByteView module) {
  TRY(check_limits(options));
  const Descriptor file{::memfd_create("module.wasm", MFD_ALLOW_SEALING | MFD_CLOEXEC)};
  TRY(fill_memory_file(file.get(), module));
  const auto child = TRY(spawn(options, file.get()));
  const bool in_time = wait_for_end(child, options.timeout);
  if (!in_time) ::kill(child, SIGKILL);
  const int code = reap(child);
  if (in_time) return code;
  return fail(GuestError::timeout, "the runtime " + options.runtime + " was stopped after " +
                                       std::to_string(options.timeout.count()) + " ms");
}

}  // namespace coffer::guest::detail
