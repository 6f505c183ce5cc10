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
#include "wasm/host.h"

namespace coffer::net {
class HttpClient;
}

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

// Where a guest may send HTTP requests of its own (wasi:http/outgoing-handler). The name in the request decides, not
// what it resolves to. Redirects are handed to the guest, as any answer.
struct OutgoingHttp {
  // "host:port", exactly as in the request but for upper and lower case; a request without a port has that of its
  // scheme, 80 or 443. What is not in the list is answered to the guest with HTTP-request-denied, and logged.
  std::vector<std::string> allow{};
  // Sends them: its roots, its connections and its limit on connecting. Shared by any number of guests.
  std::shared_ptr<net::HttpClient> client{};
  Duration stall_timeout = std::chrono::seconds{30};  // without a byte; a guest may ask for less before the first
  Duration total_timeout = std::chrono::seconds{60};
  std::size_t max_body = std::size_t{16} << 20;  // bytes, of a request and of an answer
};

// No environment, directory, input, output, network or host interface unless it is named here.
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
  // Answers the interfaces of RuntimeOptions::host_interfaces; empty: a call of one traps.
  HostCall host_call{};
  std::optional<OutgoingHttp> outgoing_http{};  // empty: every request is denied
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
