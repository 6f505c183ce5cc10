// One connection of the server: reads requests, has them handled, writes answers, until either side has enough.
#pragma once

#include <array>
#include <atomic>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <memory>
#include <string>

#include "net/detail/io_thread.h"
#include "net/detail/request_parser.h"
#include "net/detail/transport.h"
#include "net/detail/worker_pool.h"
#include "net/http_server.h"

namespace coffer::net::detail {

// What all connections of a server share. Outlives them.
struct ServerShared {
  ServerOptions options;
  Handler handler;
  WorkerPool pool;
  std::unique_ptr<boost::asio::ssl::context> tls{};  // none: plain HTTP
  std::atomic<bool> stopping = false;
  std::atomic<std::size_t> connections = 0;
};

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  // Counts itself in shared.connections for as long as it lives.
  Connection(ServerShared& shared, IoThread& home, boost::asio::ip::tcp::socket socket);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // The whole life; on the home thread.
  static boost::asio::awaitable<void> run(std::shared_ptr<Connection> self);

  // On the home thread: ends the pending operation when its time is over.
  void check_deadline(SteadyTime now);
  // Graceful stop: ends what has no request under way.
  void stop_if_idle();
  // The end of grace.
  void abort();

 private:
  enum class Phase { handshake, idle, head, body, handling, writing, lingering };
  // What reading a request came to.
  enum class Outcome { request, refused, timed_out, closed };

  boost::asio::awaitable<void> serve();
  boost::asio::awaitable<bool> serve_one();
  boost::asio::awaitable<Outcome> read_request(RequestParser& parser);
  boost::asio::awaitable<bool> read_more();
  boost::asio::awaitable<ServerResponse> handle(ServerRequest request);
  boost::asio::awaitable<bool> answer(const ServerResponse& response, bool keep_alive, bool to_head_request);
  boost::asio::awaitable<bool> refuse(const Refusal& refusal);
  boost::asio::awaitable<void> linger();

  void feed(RequestParser& parser);
  void advance(const RequestParser& parser);
  void enter(Phase phase, Duration limit);
  void enter_without_limit(Phase phase);

  ServerShared& shared_;
  IoThread& home_;
  Transport transport_;
  std::string peer_;
  std::shared_ptr<const PeerCertificate> certificate_{};
  std::string input_;  // received and not yet parsed
  Phase phase_ = Phase::handshake;
  SteadyTime deadline_ = SteadyTime::max();
  bool expired_ = false;
  bool first_ = true;   // no request has been read yet
  bool drain_ = false;  // the peer may still be sending: read it off before closing
};

}  // namespace coffer::net::detail
