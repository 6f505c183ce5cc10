#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <stdexcept>
#include <thread>

#include "image/testing/fake_registry.h"

namespace coffer::image::testing {
namespace {

std::string read_head(int connection) {
  std::string head;
  char buffer[4096];
  while (head.find("\r\n\r\n") == std::string::npos) {
    const auto size = ::recv(connection, buffer, sizeof buffer, 0);
    if (size <= 0) break;
    head.append(buffer, static_cast<std::size_t>(size));
  }
  return head;
}

}  // namespace

struct RawServer::Thread {
  std::thread thread;
};

RawServer::RawServer(std::vector<std::string> answers)
    : answers_(std::move(answers)), thread_(std::make_unique<Thread>()) {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (listener_ < 0 || ::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      ::listen(listener_, 16) != 0) {
    throw std::runtime_error("no port of the loopback to listen on");
  }
  ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
  port_ = ntohs(address.sin_port);
  thread_->thread = std::thread{[this] { run(); }};
}

RawServer::~RawServer() {
  ::shutdown(listener_, SHUT_RDWR);
  thread_->thread.join();
  ::close(listener_);
}

std::vector<std::string> RawServer::heads() const {
  const std::lock_guard lock{mutex_};
  return heads_;
}

void RawServer::run() {
  for (std::size_t i = 0;; ++i) {
    const int connection = ::accept(listener_, nullptr, nullptr);
    if (connection < 0) return;
    auto head = read_head(connection);
    {
      const std::lock_guard lock{mutex_};
      heads_.push_back(std::move(head));
    }
    const auto& answer = answers_[std::min(i, answers_.size() - 1)];
    ::send(connection, answer.data(), answer.size(), MSG_NOSIGNAL);
    ::close(connection);
  }
}

}  // namespace coffer::image::testing
