// A TPM emulator (swtpm) of the test's own, on loopback, with a fresh state.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "base/file_descriptor.h"

extern char** environ;

namespace coffer::evidence::tpm {

class Swtpm {
 public:
  static bool available() {
    const std::string path = std::getenv("PATH") == nullptr ? "" : std::getenv("PATH");
    for (std::size_t begin = 0; begin <= path.size();) {
      const auto end = std::min(path.find(':', begin), path.size());
      if (std::filesystem::exists(path.substr(begin, end - begin) + "/swtpm")) return true;
      begin = end + 1;
    }
    return false;
  }

  Swtpm() {
    std::string name = (std::filesystem::temp_directory_path() / "coffer-swtpm-XXXXXX").string();
    state_ = ::mkdtemp(name.data());
    for (int attempt = 0; attempt < 5 && !running_; ++attempt) {
      choose_ports();
      start();
    }
  }
  ~Swtpm() {
    stop();
    std::filesystem::remove_all(state_);
  }
  Swtpm(const Swtpm&) = delete;
  Swtpm& operator=(const Swtpm&) = delete;

  bool running() const { return running_; }
  std::string tcti() const { return "swtpm:host=127.0.0.1,port=" + std::to_string(port_); }
  // As a machine's reboot: PCRs begin anew, keys stay.
  void reboot() {
    stop();
    start();
  }

 private:
  using Socket = FileDescriptor;

  // Two neighbouring ports: libtss2 takes the control channel to be behind the data channel.
  static Socket bound(unsigned port) {
    Socket out{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int on = 1;
    ::setsockopt(out.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (::bind(out.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) return Socket{};
    return out;
  }
  static unsigned port_of(const Socket& socket) {
    sockaddr_in address{};
    socklen_t size = sizeof address;
    ::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &size);
    return ntohs(address.sin_port);
  }
  static bool listens(unsigned port) {
    const Socket socket{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return ::connect(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  }

  void choose_ports() {
    for (int attempt = 0; attempt < 50; ++attempt) {
      const auto first = bound(0);
      const auto port = port_of(first);
      if (port < 65535 && bound(port + 1)) {
        port_ = port;
        return;
      }
    }
  }

  void start() {
    std::vector<std::string> words{"swtpm",
                                   "socket",
                                   "--tpm2",
                                   "--tpmstate",
                                   "dir=" + state_.string(),
                                   "--server",
                                   "type=tcp,bindaddr=127.0.0.1,port=" + std::to_string(port_),
                                   "--ctrl",
                                   "type=tcp,bindaddr=127.0.0.1,port=" + std::to_string(port_ + 1),
                                   "--flags",
                                   "not-need-init,startup-clear"};
    std::vector<char*> arguments;
    for (auto& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    if (::posix_spawnp(&pid_, "swtpm", nullptr, nullptr, arguments.data(), environ) != 0) return;
    for (int i = 0; i < 500 && !running_; ++i) {
      if (::waitpid(pid_, nullptr, WNOHANG) == pid_) {
        pid_ = 0;
        return;
      }
      running_ = listens(port_ + 1);
      if (!running_) std::this_thread::sleep_for(std::chrono::milliseconds{20});
    }
  }

  void stop() {
    running_ = false;
    if (pid_ == 0) return;
    ::kill(pid_, SIGTERM);
    ::waitpid(pid_, nullptr, 0);
    pid_ = 0;
  }

  std::filesystem::path state_;
  pid_t pid_ = 0;
  unsigned port_ = 0;
  bool running_ = false;
};

}  // namespace coffer::evidence::tpm
