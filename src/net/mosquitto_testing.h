// A real broker for a test, and a wire to it that can be cut.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include "base/file_descriptor.h"
#include "testing/temporary_directory.h"

namespace coffer::net::testing {

// Debian's mosquitto on a free port of 127.0.0.1, ended with the object. `settings` are lines of its configuration;
// "$DIR" in them is the directory of files().
class Mosquitto {
 public:
  explicit Mosquitto(std::string settings = "allow_anonymous true\n");
  ~Mosquitto() { kill(); }
  Mosquitto(const Mosquitto&) = delete;
  Mosquitto& operator=(const Mosquitto&) = delete;

  // Starts it (again) on its port. Configurations that need files are written before.
  void start();
  void kill();
  void signal(int number) const;
  const TemporaryDirectory& files() const { return files_; }
  std::uint16_t port() const { return port_; }
  std::string address(const std::string& scheme = "tcp") const {
    return scheme + "://127.0.0.1:" + std::to_string(port_);
  }
  void set_settings(std::string settings) { settings_ = std::move(settings); }

 private:
  bool answers() const;

  std::string settings_;
  TemporaryDirectory files_;
  std::uint16_t port_ = 0;
  pid_t pid_ = -1;
};

// Passes bytes on between its own port and the broker's, until it is cut.
class Wire {
 public:
  explicit Wire(std::uint16_t to);
  ~Wire();
  std::string address() const { return "tcp://127.0.0.1:" + std::to_string(port_); }
  void cut();                             // all connections there are; new ones are accepted
  void hold(bool held) { held_ = held; }  // nothing passes, nothing breaks

 private:
  void run();

  std::uint16_t to_, port_ = 0;
  FileDescriptor listener_;
  std::atomic<bool> ended_ = false, cut_ = false, held_ = false;
  std::jthread thread_;
};

}  // namespace coffer::net::testing
