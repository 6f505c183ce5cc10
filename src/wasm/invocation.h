// What a guest gets and what it gives back.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"

namespace coffer::wasm {

// Output as the guest writes it, on the thread that called run or call. False: the stream is closed (EPIPE for the
// guest). A sink that blocks holds up the guest and its deadline.
using Sink = std::function<bool(ByteView)>;

// Standard input: fills some of the buffer and returns how much, 0 at the end. Called from a thread of its own, so it
// may block; it may still be blocked when the run has ended, and is destroyed after it returns.
using Source = std::function<std::size_t(MutableByteView)>;
Source source_of(Bytes bytes);
// Reads `file_descriptor`, which stays open and the caller's.
Source source_of_file_descriptor(int file_descriptor);

struct Preopen {
  std::filesystem::path host_path;
  std::string guest_path;
  bool read_only = true;
};

struct Limits {
  // Bytes of linear memory, all memories of the guest together.
  std::uint64_t memory = std::uint64_t{1} << 30;
  // Instructions, roughly. The module must have been compiled with `metered`.
  std::optional<std::uint64_t> fuel{};
  std::optional<Duration> wall_time{};
};

// Stops runs from another thread. Copies share their state; stopping twice is fine.
class Cancellation {
 public:
  Cancellation();
  void cancel() const;

 private:
  friend class Runtime;
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

// No environment, directory, input or output unless it is named here; never a network.
struct Invocation {
  // For a command: argv, whose first is the program's name. For a function: its arguments as text.
  std::vector<std::string> arguments{};
  std::vector<std::pair<std::string, std::string>> environment{};
  std::vector<Preopen> preopens{};
  Source standard_input{};  // empty: at its end
  Sink standard_output{};   // empty: discarded
  Sink standard_error{};
  Limits limits{};
  std::optional<Cancellation> cancellation{};
};

// One request for a component that handles them (wasi:http/incoming-handler), and its answer. Header names are in lower
// case in what comes back.
struct HttpRequest {
  std::string method = "GET";
  std::string target = "/";  // path and query
  std::string authority{};   // host and port
  std::vector<std::pair<std::string, std::string>> headers{};
  Bytes body{};
  std::size_t response_limit = std::size_t{16} << 20;  // bytes of body
};
struct HttpResponse {
  unsigned status = 0;
  std::vector<std::pair<std::string, std::string>> headers{};
  Bytes body{};
};

struct Usage {
  std::uint64_t peak_memory = 0;        // bytes of linear memory
  std::optional<std::uint64_t> fuel{};  // where it was limited
  Duration wall_time{};
};

struct CommandResult {
  int exit_code = 0;  // the guest's own; a code that is not 0 is no error
  Usage usage{};
};

struct CallResult {
  // Each result as text: "15", "-0.5"; components' in WAVE: "{name: \"a\"}".
  std::vector<std::string> values{};
  int exit_code = 0;  // where the function ended the program (proc_exit) instead of returning
  Usage usage{};
};

struct HandledRequest {
  HttpResponse response{};
  Usage usage{};
};

}  // namespace coffer::wasm
