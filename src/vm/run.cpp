#include "vm/run.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "vm/child.h"
#include "vm/files.h"
#include "vm/output_filter.h"
#include "vm/tpm.h"

namespace coffer::vm {

namespace fs = std::filesystem;

namespace {

using SteadyTime = std::chrono::steady_clock::time_point;

// Text without an end is cut, so that a guest cannot fill our memory.
class LineSplitter {
 public:
  explicit LineSplitter(const std::function<void(std::string_view)>& sink) : sink_(sink) {}
  void add(std::string_view text) {
    constexpr std::size_t longest = 8192;
    for (const char c : text) {
      if (c != '\n' && line_.size() < longest) {
        if (c != '\r') line_ += c;
        continue;
      }
      finish();
    }
  }
  void finish() {
    if (!line_.empty() && sink_) sink_(line_);
    line_.clear();
  }

 private:
  const std::function<void(std::string_view)>& sink_;
  std::string line_;
};

// A named pipe that QEMU opens as a file; our end is open first, so that its open does not wait.
Result<FileDescriptor> make_output(const fs::path& path) {
  if (::mkfifo(path.c_str(), 0600) == 0) {
    FileDescriptor out{::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC)};
    if (out) return out;
  }
  return fail(VmError::file, path.string() + " cannot be made: " + std::strerror(errno));
}

Result<MachineFiles> machine_files(const Firmware& firmware, const fs::path& directory) {
  MachineFiles out{.firmware_code = firmware.code,
                   .firmware_variables = directory / "variables.fd",
                   .tpm_socket = directory / "tpm.sock",
                   .output = directory / "output"};
  std::error_code failure;
  if (!fs::exists(firmware.code, failure) || !fs::exists(firmware.variables, failure)) {
    return fail(VmError::no_tool, "the firmware " + firmware.code.string() +
                                      " is not installed; it is in Debian's package ovmf (`./run setup` installs it)");
  }
  TRY(write_file(out.firmware_variables, TRY(read_file(firmware.variables))));
  return out;
}

class Boot {
 public:
  Boot(const RunOptions& options, FileDescriptor console, FileDescriptor output, FileDescriptor keyboard)
      : options_(options),
        console_(std::move(console)),
        output_(std::move(output)),
        keyboard_(std::move(keyboard)),
        lines_(options.on_console) {}

  // Until the machine has ended and everything it wrote is read. False: time is up.
  bool follow(const Child& machine, SteadyTime deadline) {
    for (bool ended = false; !ended;) {
      std::array<pollfd, 4> waiting{pollfd{console_.get(), POLLIN, 0}, pollfd{output_.get(), POLLIN, 0},
                                    pollfd{machine.handle(), POLLIN, 0},
                                    pollfd{stopping_ ? -1 : options_.stop, POLLIN, 0}};
      const auto left = std::chrono::ceil<Duration>(deadline - std::chrono::steady_clock::now()).count();
      if (left <= 0) return false;
      ::poll(waiting.data(), waiting.size(), static_cast<int>(std::min<std::int64_t>(left, 60'000)));
      ended = waiting[2].revents != 0;
      if (waiting[3].revents != 0) deadline = std::min(deadline, ask_to_end());
      const bool console = read_console();
      const bool output = read_output();
      // A pipe whose writer is gone stays readable without a byte: wait for the machine alone.
      if (!console && !output && !ended) (void)machine.ends_within(Duration{20});
    }
    return true;
  }
  bool stopping() const { return stopping_; }
  std::optional<int> finish() {
    lines_.finish();
    show(filter_.finish());
    return filter_.exit_status();
  }

 private:
  // The guest's process 1 reads this line (guest_init.sh).
  SteadyTime ask_to_end() {
    stopping_ = true;
    constexpr std::string_view line = "\ncoffer-vm stop\n";
    (void)!::write(keyboard_.get(), line.data(), line.size());
    return std::chrono::steady_clock::now() + options_.stop_grace;
  }
  static std::string drain(int fd) {
    std::array<char, 65536> buffer;
    std::string out;
    for (;;) {
      const auto size = ::read(fd, buffer.data(), buffer.size());
      if (size <= 0) return out;
      out.append(buffer.data(), static_cast<std::size_t>(size));
    }
  }
  bool read_console() {
    const auto text = drain(console_.get());
    lines_.add(text);
    return !text.empty();
  }
  bool read_output() {
    const auto text = drain(output_.get());
    show(filter_.add(text));
    return !text.empty();
  }
  void show(const std::string& text) const {
    if (!text.empty() && options_.on_output) options_.on_output(text);
  }

  const RunOptions& options_;
  FileDescriptor console_, output_, keyboard_;
  bool stopping_ = false;
  LineSplitter lines_;
  OutputFilter filter_;
};

std::unexpected<Error> not_ended(const Boot& boot, Duration limit) {
  if (boot.stopping()) {
    return fail(VmError::stopped, "the machine was told to end, did not within the time for it, and was switched off");
  }
  return fail(VmError::timed_out,
              "the machine did not end within " + std::to_string(limit.count() / 1000) + " s and was stopped");
}

}  // namespace

Result<int> run_machine(const Image& image, const RunOptions& options) {
  const bool limited = options.time_limit > Duration{0};
  const auto deadline = limited ? std::chrono::steady_clock::now() + options.time_limit : SteadyTime::max();
  const auto directory = TRY(TemporaryDirectory::create());
  auto files = TRY(machine_files(options.firmware, directory.path()));
  files.init_data = options.init_data;
  auto state = options.tpm_state;
  if (state.empty()) {
    state = directory.path() / "tpm";
    TRY(create_tpm(state));
  }
  const auto tpm = TRY(RunningTpm::start(state, files.tpm_socket));
  auto output = TRY(make_output(files.output));
  auto console = TRY(make_pipe());
  auto keyboard = TRY(make_pipe());
  ::fcntl(console.read_end.get(), F_SETFL, O_NONBLOCK);
  auto machine = TRY(Child::start(qemu_command(image, files), "qemu-system-x86",
                                  {.input = keyboard.read_end.get(),
                                   .output = console.write_end.get(),
                                   .error = console.write_end.get(),
                                   .own_group = true}));
  console.write_end = FileDescriptor{};
  keyboard.read_end = FileDescriptor{};
  Boot boot{options, std::move(console.read_end), std::move(output), std::move(keyboard.write_end)};
  const bool ended = boot.follow(machine, deadline);
  const auto status = boot.finish();
  if (!ended) return not_ended(boot, options.time_limit);
  if (status) return *status;
  return fail(VmError::no_exit_code, "the machine ended with QEMU's status " + std::to_string(machine.wait()) +
                                         " and without its program's; --console shows what it said");
}

}  // namespace coffer::vm
