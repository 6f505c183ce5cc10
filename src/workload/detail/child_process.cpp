#include "workload/detail/child_process.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>

extern char** environ;

namespace coffer::workload::detail {
namespace {

constexpr std::size_t piece_size = 64U << 10;

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
  std::vector<char*> out;
  out.reserve(texts.size() + 1);
  for (auto& text : texts) out.push_back(text.data());
  out.push_back(nullptr);
  return out;
}

struct Pipe {
  FileDescriptor read, write;
};

Result<Pipe> make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    return fail(WorkloadError::runtime_missing, std::string{"no pipe can be made: "} + std::strerror(errno));
  }
  Pipe pipe{FileDescriptor{ends[0]}, FileDescriptor{ends[1]}};
  ::fcntl(pipe.read.get(), F_SETFL, O_NONBLOCK);
  return pipe;
}

// What posix_spawn needs, freed at the end.
class SpawnPlan {
 public:
  SpawnPlan() {
    ::posix_spawn_file_actions_init(&actions_);
    ::posix_spawnattr_init(&attributes_);
    reset_signals();
  }
  SpawnPlan(const SpawnPlan&) = delete;
  SpawnPlan& operator=(const SpawnPlan&) = delete;
  ~SpawnPlan() {
    ::posix_spawnattr_destroy(&attributes_);
    ::posix_spawn_file_actions_destroy(&actions_);
  }

  // Onto itself: that clears close-on-exec in this child alone, so that no other child gets it.
  void keep(int fd) { ::posix_spawn_file_actions_adddup2(&actions_, fd, fd); }
  void connect(int from, int to) { ::posix_spawn_file_actions_adddup2(&actions_, from, to); }
  void no_input() { ::posix_spawn_file_actions_addopen(&actions_, STDIN_FILENO, "/dev/null", O_RDONLY, 0); }
  // So that what it starts itself is killed with it.
  void own_group() {
    ::posix_spawnattr_setpgroup(&attributes_, 0);
    add_flag(POSIX_SPAWN_SETPGROUP);
  }
  int spawn(pid_t& child, char* const* argv, char* const* environment) const {
    return ::posix_spawnp(&child, argv[0], &actions_, &attributes_, argv, environment);
  }

 private:
  // A service blocks and ignores signals that its children must hear.
  void reset_signals() {
    sigset_t none, defaults;
    ::sigemptyset(&none);
    ::sigemptyset(&defaults);
    ::sigaddset(&defaults, SIGPIPE);
    ::posix_spawnattr_setsigmask(&attributes_, &none);
    ::posix_spawnattr_setsigdefault(&attributes_, &defaults);
    add_flag(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  }
  void add_flag(int flag) {
    short flags = 0;
    ::posix_spawnattr_getflags(&attributes_, &flags);
    ::posix_spawnattr_setflags(&attributes_, static_cast<short>(flags | flag));
  }

  posix_spawn_file_actions_t actions_;
  posix_spawnattr_t attributes_;
};

int milliseconds_until(std::chrono::steady_clock::time_point deadline) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
  constexpr std::chrono::milliseconds longest{3'600'000};
  return static_cast<int>(std::clamp(left, std::chrono::milliseconds{0}, longest).count());
}

}  // namespace

void ChildProcess::Stream::pass_on() {
  std::array<std::byte, piece_size> piece;
  const auto got = ::read(pipe.get(), piece.data(), piece.size());
  if (got < 0 && (errno == EINTR || errno == EAGAIN)) return;
  const bool open = got > 0 && sink(ByteView{piece}.first(static_cast<std::size_t>(got)));
  if (!open) pipe = FileDescriptor{};
}

// What is in the pipe when the child has ended; what a grandchild may write later is not waited for.
void ChildProcess::Stream::drain() {
  pollfd waiting{pipe.get(), POLLIN, 0};
  while (pipe && ::poll(&waiting, 1, 0) > 0) pass_on();
}

ChildProcess::ChildProcess(ChildProcess&& other) noexcept
    : name_(std::move(other.name_)),
      child_(std::exchange(other.child_, -1)),
      own_group_(other.own_group_),
      output_(std::move(other.output_)),
      error_(std::move(other.error_)) {}

ChildProcess::~ChildProcess() {
  if (child_ < 0) return;
  kill();
  reap();
}

Result<ChildProcess> ChildProcess::spawn(const ExternalProgram& program, std::vector<std::string> arguments, int module,
                                         const Execution& execution) {
  ChildProcess child;
  child.name_ = program.path;
  SpawnPlan plan;
  plan.keep(module);
  if (!program.inherit_stdin) plan.no_input();
  FileDescriptor output, error;  // the child's ends, closed here once it has them
  const auto capture = [&](const wasm::Sink& sink, Stream& stream, FileDescriptor& end, int as) -> Result<> {
    if (!sink) return {};
    auto pipe = TRY(make_pipe());
    plan.connect(pipe.write.get(), as);
    stream = {std::move(pipe.read), sink};
    end = std::move(pipe.write);
    child.own_group_ = true;
    return {};
  };
  TRY(capture(execution.standard_output, child.output_, output, STDOUT_FILENO));
  TRY(capture(execution.standard_error, child.error_, error, STDERR_FILENO));
  if (child.own_group_) plan.own_group();
  auto environment = program.environment.value_or(std::vector<std::string>{});
  const auto argv = pointers_to(arguments);
  const auto envp = pointers_to(environment);
  const int failure = plan.spawn(child.child_, argv.data(), program.environment ? envp.data() : environ);
  if (failure == 0) return child;
  child.child_ = -1;
  return fail(WorkloadError::runtime_missing, "the runtime " + program.path +
                                                  " cannot be started: " + std::strerror(failure) +
                                                  "; name a WASM runtime by its path, or use the embedded one");
}

Result<int> ChildProcess::wait(const Execution& execution) {
  const FileDescriptor handle{static_cast<int>(::syscall(SYS_pidfd_open, child_, 0))};
  const FileDescriptor stop_event{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
  const std::stop_callback stopping(execution.stop, [fd = stop_event.get()] { ::eventfd_write(fd, 1); });
  const auto ended = pass_output_until_end(execution, stop_event.get(), handle.get());
  if (!ended) kill();
  const int code = reap();
  if (!ended) return std::unexpected(ended.error());
  output_.drain();
  error_.drain();
  return code;
}

Result<> ChildProcess::pass_output_until_end(const Execution& execution, int stop_event, int handle) {
  const bool bounded = execution.limits.wall_time > Duration{0};
  const auto deadline = std::chrono::steady_clock::now() + execution.limits.wall_time;
  for (;;) {
    std::array<pollfd, 4> waiting{pollfd{handle, POLLIN, 0}, pollfd{stop_event, POLLIN, 0},
                                  pollfd{output_.pipe.get(), POLLIN, 0}, pollfd{error_.pipe.get(), POLLIN, 0}};
    const int left = bounded ? milliseconds_until(deadline) : -1;
    if (::poll(waiting.data(), waiting.size(), left) < 0) continue;
    if (waiting[0].revents != 0) return {};
    if (waiting[1].revents != 0) {
      return fail(WorkloadError::cancelled, "the runtime " + name_ + " was stopped on request");
    }
    if (waiting[2].revents != 0) output_.pass_on();
    if (waiting[3].revents != 0) error_.pass_on();
    if (bounded && milliseconds_until(deadline) == 0) {
      return fail(WorkloadError::timeout, "the runtime " + name_ + " was stopped after " +
                                              std::to_string(execution.limits.wall_time.count()) + " ms");
    }
  }
}

void ChildProcess::kill() const {
  ::kill(own_group_ ? -child_ : child_, SIGKILL);
}

int ChildProcess::reap() {
  int status = 0;
  while (::waitpid(child_, &status, 0) < 0 && errno == EINTR) {
  }
  child_ = -1;
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

}  // namespace coffer::workload::detail
