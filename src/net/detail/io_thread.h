// One thread with its io_context and the connections that live on it. Everything but `post`-ed work and the constructor
// runs on that thread, so that nothing here needs a lock.
#pragma once

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_set>

namespace coffer::net::detail {

class Connection;
using SteadyTime = std::chrono::steady_clock::time_point;

class IoThread {
 public:
  // `sweep_interval`: how often the deadlines of connections are looked at; how late a timeout may come.
  explicit IoThread(std::chrono::milliseconds sweep_interval);
  ~IoThread();
  IoThread(const IoThread&) = delete;
  IoThread& operator=(const IoThread&) = delete;

  void start();
  void stop();  // from outside; returns when the thread has ended

  boost::asio::io_context& context() { return context_; }
  void add(Connection& connection) { connections_.insert(&connection); }
  void remove(Connection& connection) { connections_.erase(&connection); }
  const std::unordered_set<Connection*>& connections() const { return connections_; }

  // For the Date header; made once a second.
  std::string_view http_date();

 private:
  void run();
  void schedule_sweep();
  void sweep();

  boost::asio::io_context context_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  boost::asio::steady_timer sweep_timer_;
  std::chrono::milliseconds sweep_interval_;
  std::unordered_set<Connection*> connections_;
  std::int64_t date_second_ = -1;
  std::string date_;
  std::jthread thread_;
};

}  // namespace coffer::net::detail
