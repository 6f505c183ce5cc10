// Programs that building and running a machine need.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/file_descriptor.h"
#include "base/result.h"
#include "vm/error.h"

namespace coffer::vm {

struct Streams {
  int input = -1;   // -1: /dev/null
  int output = -1;  // -1: /dev/null
  int error = -1;   // -1: ours
  // A process group of its own, so that ^C at the terminal reaches its owner alone.
  bool own_group = false;
};

// A running program; killed and reaped where its owner goes first.
class Child {
 public:
  // argv[0] is looked for in PATH. no_tool names `package`, which has it.
  static Result<Child> start(std::vector<std::string> argv, const std::string& package, const Streams& streams = {},
                             const std::filesystem::path& directory = {});
  Child(Child&& other) noexcept;
  Child& operator=(Child&& other) noexcept;
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child();

  // Readable when it has ended.
  int handle() const { return handle_.get(); }
  // Waits for the end. The exit status, or 128 and the signal's number.
  int wait();
  // Whether it ended within that time.
  bool ends_within(Duration time) const;
  void kill();

 private:
  Child(pid_t pid, FileDescriptor handle) : pid_(pid), handle_(std::move(handle)) {}
  pid_t pid_ = -1;
  FileDescriptor handle_;
};

// Runs to the end and returns standard output; tool_failed with the end of standard error where it fails.
Result<std::string> run_tool(std::vector<std::string> argv, const std::string& package,
                             const std::filesystem::path& directory = {});

// Both ends of a pipe, closed on exec.
struct Pipe {
  FileDescriptor read_end, write_end;
};
Result<Pipe> make_pipe();

}  // namespace coffer::vm
