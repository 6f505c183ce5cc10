// A listening socket and the loop that takes connections from it.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <string_view>

#include "net/detail/connection.h"

namespace coffer::net::detail {

class Listener {
 public:
  // "host:port"; a name is resolved. NetError::bad_configuration, NetError::address_in_use.
  static Result<std::unique_ptr<Listener>> open(std::string_view address, IoThread& home, ServerShared& shared,
                                                std::function<IoThread&()> next_thread);

  const std::string& address() const { return address_; }  // with the real port
  void start();
  void close();  // from outside; returns when no further connection can come

 private:
  using Acceptor = boost::asio::ip::tcp::acceptor;
  Listener(Acceptor acceptor, std::string address, IoThread& home, ServerShared& shared,
           std::function<IoThread&()> next_thread);
  boost::asio::awaitable<void> accept_loop();
  void take(boost::asio::ip::tcp::socket socket, IoThread& thread);
  void turn_away(boost::asio::ip::tcp::socket socket);

  Acceptor acceptor_;
  std::string address_;
  IoThread& home_;
  ServerShared& shared_;
  std::function<IoThread&()> next_thread_;
  boost::asio::steady_timer pause_;
  SteadyTime last_complaint_{};
  std::promise<void> ended_;
};

}  // namespace coffer::net::detail
