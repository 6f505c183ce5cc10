// Sockets without any HTTP in them, to say to either side what a well-behaved peer never would.
#pragma once

#include <atomic>
#include <functional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace coffer::net::testing {

// One end of a TCP connection. Every wait is bounded by ten seconds, after which the test fails by what it reads.
class RawSocket {
 public:
  explicit RawSocket(int descriptor) : descriptor_(descriptor) {}
  // "127.0.0.1:port".
  static RawSocket connect(std::string_view address);
  RawSocket(RawSocket&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  RawSocket& operator=(RawSocket&&) = delete;
  ~RawSocket() { close(); }

  // False when the peer is gone.
  bool send(std::string_view text);
  // Until the peer closes.
  std::string receive_all();
  // Until `end` has come, or the peer closes.
  std::string receive_until(std::string_view end);
  // One message with as much body as its Content-Length says.
  std::string receive_response();
  void finish_sending();
  // Ends with a reset instead of an orderly close.
  void reset();
  void close();

 private:
  std::string receive_while(const std::function<bool(const std::string&)>& wanting);

  int descriptor_;
};

// Listens on a free loopback port; each connection runs the script in a thread of its own, then closes.
class RawServer {
 public:
  using Script = std::function<void(RawSocket&)>;
  explicit RawServer(Script script);
  ~RawServer();

  std::string address() const;  // "127.0.0.1:port"
  std::string url(std::string_view path = "/") const;
  unsigned connections() const { return connections_; }

 private:
  void accept_loop();

  Script script_;
  int listener_;
  unsigned short port_ = 0;
  std::atomic<unsigned> connections_ = 0;
  std::vector<std::jthread> peers_;
  std::jthread acceptor_;
};

// A script that reads a request's head and sends `answer`.
RawServer::Script answering(std::string answer);

}  // namespace coffer::net::testing
