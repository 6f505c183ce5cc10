#include "net/detail/io_thread.h"

#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "net/detail/connection.h"

namespace coffer::net::detail {

IoThread::IoThread(std::chrono::milliseconds sweep_interval)
    : work_(boost::asio::make_work_guard(context_)), sweep_timer_(context_), sweep_interval_(sweep_interval) {}

IoThread::~IoThread() {
  stop();
}

void IoThread::start() {
  schedule_sweep();
  thread_ = std::jthread([this] { run(); });
}

void IoThread::stop() {
  context_.stop();
  if (thread_.joinable()) thread_.join();
}

void IoThread::run() {
  while (!context_.stopped()) {
    try {
      context_.run();
    } catch (const std::exception& e) {
      // Out of memory, for one: it ends the connection it happened in, not the server.
      log::error("net.io_failed", e.what());
    }
  }
}

void IoThread::schedule_sweep() {
  sweep_timer_.expires_after(sweep_interval_);
  sweep_timer_.async_wait([this](const boost::system::error_code& ec) {
    if (ec) return;
    sweep();
    schedule_sweep();
  });
}

// One pass over all connections costs less than a timer set and cancelled for each read and write.
void IoThread::sweep() {
  const auto now = std::chrono::steady_clock::now();
  const std::vector<Connection*> all(connections_.begin(), connections_.end());
  for (auto* connection : all) connection->check_deadline(now);
}

std::string_view IoThread::http_date() {
  const auto now = system_clock().now();
  if (const auto second = to_unix_seconds(now); second != date_second_) {
    date_second_ = second;
    date_ = format_http_date(now);
  }
  return date_;
}

}  // namespace coffer::net::detail
