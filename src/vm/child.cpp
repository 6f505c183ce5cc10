#include "vm/child.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>

extern char** environ;

namespace coffer::vm {

namespace {

// What posix_spawn needs, freed at the end.
class SpawnPlan {
 public:
  SpawnPlan(const Streams& streams, const std::filesystem::path& directory) {
    ::posix_spawn_file_actions_init(&actions_);
    ::posix_spawnattr_init(&attributes_);
    place(streams.input, STDIN_FILENO, O_RDONLY);
    place(streams.output, STDOUT_FILENO, O_WRONLY);
    if (streams.error >= 0) place(streams.error, STDERR_FILENO, O_WRONLY);
    if (!directory.empty()) ::posix_spawn_file_actions_addchdir_np(&actions_, directory.c_str());
    // The command line blocks termination signals for its own loop; tools take them as usual.
    sigset_t none;
    ::sigemptyset(&none);
    ::posix_spawnattr_setsigmask(&attributes_, &none);
    const int group = streams.own_group ? POSIX_SPAWN_SETPGROUP : 0;
    ::posix_spawnattr_setflags(&attributes_, static_cast<short>(POSIX_SPAWN_SETSIGMASK | group));
  }
  SpawnPlan(const SpawnPlan&) = delete;
  SpawnPlan& operator=(const SpawnPlan&) = delete;
  ~SpawnPlan() {
    ::posix_spawn_file_actions_destroy(&actions_);
    ::posix_spawnattr_destroy(&attributes_);
  }
  const posix_spawn_file_actions_t* actions() const { return &actions_; }
  const posix_spawnattr_t* attributes() const { return &attributes_; }

 private:
  void place(int from, int to, int flags) {
    if (from < 0) {
      ::posix_spawn_file_actions_addopen(&actions_, to, "/dev/null", flags, 0);
    } else {
      ::posix_spawn_file_actions_adddup2(&actions_, from, to);
    }
  }
  posix_spawn_file_actions_t actions_{};
  posix_spawnattr_t attributes_{};
};

// Both streams until both are closed, so that neither can block the tool.
std::array<std::string, 2> read_both(const FileDescriptor& first, const FileDescriptor& second) {
  std::array<std::string, 2> out;
  std::array<pollfd, 2> waiting{pollfd{first.get(), POLLIN, 0}, pollfd{second.get(), POLLIN, 0}};
  std::array<char, 65536> buffer{};
  while (waiting[0].fd >= 0 || waiting[1].fd >= 0) {
    if (::poll(waiting.data(), waiting.size(), -1) < 0 && errno != EINTR) break;
    for (std::size_t i = 0; i < 2; ++i) {
      if (waiting[i].fd < 0 || waiting[i].revents == 0) continue;
      const auto size = ::read(waiting[i].fd, buffer.data(), buffer.size());
      if (size > 0) out[i].append(buffer.data(), static_cast<std::size_t>(size));
      if (size == 0 || (size < 0 && errno != EINTR)) waiting[i].fd = -1;
    }
  }
  return out;
}

std::string tail_of(const std::string& text) {
  constexpr std::size_t most = 600;
  return text.size() <= most ? text : "... " + text.substr(text.size() - most);
}

}  // namespace

Result<Child> Child::start(std::vector<std::string> argv, const std::string& package, const Streams& streams,
                           const std::filesystem::path& directory) {
  std::vector<char*> arguments;
  arguments.reserve(argv.size() + 1);
  for (auto& argument : argv) arguments.push_back(argument.data());
  arguments.push_back(nullptr);
  const SpawnPlan plan{streams, directory};
  pid_t pid = -1;
  const int error = ::posix_spawnp(&pid, arguments[0], plan.actions(), plan.attributes(), arguments.data(), environ);
  if (error == ENOENT) {
    return fail(VmError::no_tool,
                argv[0] + " is not installed; it is in Debian's package " + package + " (`./run setup` installs it)");
  }
  if (error != 0) return fail(VmError::tool_failed, argv[0] + " cannot be started: " + std::strerror(error));
  FileDescriptor handle{static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))};
  return Child{pid, std::move(handle)};
}

Child::Child(Child&& other) noexcept : pid_(std::exchange(other.pid_, -1)), handle_(std::move(other.handle_)) {}

Child& Child::operator=(Child&& other) noexcept {
  std::swap(pid_, other.pid_);
  std::swap(handle_, other.handle_);
  return *this;
}

Child::~Child() {
  if (pid_ < 0) return;
  kill();
  wait();
}

int Child::wait() {
  if (pid_ < 0) return 0;
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

bool Child::ends_within(Duration time) const {
  pollfd waiting{handle_.get(), POLLIN, 0};
  return ::poll(&waiting, 1, static_cast<int>(time.count())) > 0;
}

void Child::kill() {
  if (pid_ > 0) ::kill(pid_, SIGKILL);
}

Result<Pipe> make_pipe() {
  int ends[2] = {-1, -1};
  if (::pipe2(ends, O_CLOEXEC) != 0) return fail(VmError::file, std::string{"no pipe: "} + std::strerror(errno));
  return Pipe{FileDescriptor{ends[0]}, FileDescriptor{ends[1]}};
}

Result<std::string> run_tool(std::vector<std::string> argv, const std::string& package,
                             const std::filesystem::path& directory) {
  auto output = TRY(make_pipe());
  auto errors = TRY(make_pipe());
  const auto name = argv.front();
  auto child =
      TRY(Child::start(std::move(argv), package,
                       {.input = -1, .output = output.write_end.get(), .error = errors.write_end.get()}, directory));
  output.write_end = FileDescriptor{};
  errors.write_end = FileDescriptor{};
  auto [text, complaint] = read_both(output.read_end, errors.read_end);
  const int status = child.wait();
  if (status == 0) return text;
  return fail(VmError::tool_failed, name + " ended with status " + std::to_string(status) + ": " +
                                        tail_of(complaint.empty() ? text : complaint));
}

}  // namespace coffer::vm
