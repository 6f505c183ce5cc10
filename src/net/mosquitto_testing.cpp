#include "net/mosquitto_testing.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <array>
#include <chrono>
#include <csignal>

namespace coffer::net::testing {
namespace {

using namespace std::chrono_literals;

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return address;
}

FileDescriptor listen_somewhere(std::uint16_t& port) {
  FileDescriptor listener{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  auto address = loopback(0);
  socklen_t size = sizeof address;
  EXPECT_EQ(::bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), size), 0);
  EXPECT_EQ(::listen(listener.get(), 16), 0);
  ::getsockname(listener.get(), reinterpret_cast<sockaddr*>(&address), &size);
  port = ntohs(address.sin_port);
  return listener;
}

FileDescriptor connect_to(std::uint16_t port) {
  FileDescriptor socket{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  const auto address = loopback(port);
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return {};
  return socket;
}

// False when the connection has ended.
bool pass_on(int from, int to) {
  std::array<char, 64 << 10> buffer{};
  const auto size = ::recv(from, buffer.data(), buffer.size(), MSG_DONTWAIT);
  if (size <= 0) return size < 0 && errno == EAGAIN;
  return ::send(to, buffer.data(), static_cast<std::size_t>(size), MSG_NOSIGNAL) == size;
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
    text.replace(at, from.size(), to);
  return text;
}

}  // namespace

Mosquitto::Mosquitto(std::string settings) : settings_(std::move(settings)) {
  listen_somewhere(port_);
}

void Mosquitto::start() {
  const std::string directory = files_.path().string();
  files_.write("mosquitto.conf", "listener " + std::to_string(port_) +
                                     " 127.0.0.1\nuser root\npersistence false\nlog_dest none\n" +
                                     replaced(settings_, "$DIR", directory));
  std::string program = "/usr/sbin/mosquitto", flag = "-c", file = directory + "/mosquitto.conf";
  std::array<char*, 4> arguments{program.data(), flag.data(), file.data(), nullptr};
  ASSERT_EQ(::posix_spawn(&pid_, program.c_str(), nullptr, nullptr, arguments.data(), environ), 0)
      << "needs Debian's mosquitto";
  const auto deadline = std::chrono::steady_clock::now() + 10s;
  while (!answers()) {
    ASSERT_LT(std::chrono::steady_clock::now(), deadline) << "mosquitto did not start";
    ASSERT_EQ(::waitpid(pid_, nullptr, WNOHANG), 0) << "mosquitto ended at once";
    std::this_thread::sleep_for(5ms);
  }
}

bool Mosquitto::answers() const {
  return static_cast<bool>(connect_to(port_));
}

void Mosquitto::kill() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGCONT);
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

void Mosquitto::signal(int number) const {
  ::kill(pid_, number);
}

Wire::Wire(std::uint16_t to) : to_(to), listener_(listen_somewhere(port_)) {
  thread_ = std::jthread{[this] { run(); }};
}

Wire::~Wire() {
  ended_ = true;
}

void Wire::cut() {
  cut_ = true;
  while (cut_) std::this_thread::sleep_for(1ms);
}

void Wire::run() {
  struct Pair {
    FileDescriptor client, broker;
  };
  std::vector<Pair> pairs;
  while (!ended_) {
    if (cut_.exchange(false)) pairs.clear();
    pollfd waiting{.fd = listener_.get(), .events = POLLIN, .revents = 0};
    if (::poll(&waiting, 1, 1) > 0) {
      Pair pair{FileDescriptor{::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC)}, connect_to(to_)};
      if (pair.broker) pairs.push_back(std::move(pair));
    }
    if (held_) continue;
    std::erase_if(pairs, [](const Pair& pair) {
      return !pass_on(pair.client.get(), pair.broker.get()) || !pass_on(pair.broker.get(), pair.client.get());
    });
  }
}

}  // namespace coffer::net::testing
