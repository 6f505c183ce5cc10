#include "workload/external_service.h"

#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "base/file_descriptor.h"
#include "net/error.h"
#include "workload/detail/child_process.h"
#include "workload/detail/memory_file.h"

namespace coffer::workload {
namespace {

using std::chrono::steady_clock;

constexpr Duration patience = std::chrono::seconds{30};  // until it listens: some compile first
constexpr Duration first_pause{5}, longest_pause{200};

struct Address {
  sockaddr_storage storage{};
  socklen_t size = 0;
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

std::optional<Address> resolve(std::string host, const std::string& port) {
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  addrinfo hints{};
  hints.ai_flags = AI_NUMERICSERV;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (::getaddrinfo(host.c_str(), port.c_str(), &hints, &found) != 0) return std::nullopt;
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner{found, ::freeaddrinfo};
  Address address{.size = found->ai_addrlen};
  std::memcpy(&address.storage, found->ai_addr, found->ai_addrlen);
  return address;
}

FileDescriptor socket_for(const Address& address) {
  return FileDescriptor{::socket(address.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0)};
}

std::uint16_t bound_port(const FileDescriptor& socket) {
  Address bound{.size = sizeof(sockaddr_storage)};
  ::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&bound.storage), &bound.size);
  if (bound.storage.ss_family == AF_INET6) return ntohs(reinterpret_cast<sockaddr_in6*>(&bound.storage)->sin6_port);
  return ntohs(reinterpret_cast<sockaddr_in*>(&bound.storage)->sin_port);
}

bool takes_connections(const Address& address) {
  const auto socket = socket_for(address);
  return socket && ::connect(socket.get(), address.get(), address.size) == 0;
}

// False where it was told to stop, or where patience ran out.
bool wait_until_listening(const Address& address, const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any ended;
  std::unique_lock lock(mutex);
  const auto deadline = steady_clock::now() + patience;
  for (auto pause = first_pause; steady_clock::now() < deadline; pause = std::min(pause * 2, longest_pause)) {
    if (takes_connections(address)) return !stop.stop_requested();
    ended.wait_for(lock, stop, pause, [] { return false; });
    if (stop.stop_requested()) return false;
  }
  return false;
}

Error ended_by_itself(const std::string& program, const std::string& why) {
  return {WorkloadError::service_ended, "the runtime " + program + " " + why};
}

}  // namespace

std::vector<std::string> service_arguments(const ExternalProgram& program, const Execution& execution,
                                           const std::string& address, const std::string& module_path) {
  auto serve = program;
  serve.leading_arguments = {"serve", "-S", "cli", "-S", "http", "--addr", address};
  if (const auto time = execution.limits.wall_time; time > Duration{0}) {
    serve.leading_arguments.insert(serve.leading_arguments.end(),
                                   {"-W", "timeout=" + std::to_string(time.count()) + "ms"});
  }
  serve.leading_arguments.insert(serve.leading_arguments.end(), program.leading_arguments.begin(),
                                 program.leading_arguments.end());
  auto served = execution;
  served.function.clear();
  served.arguments.clear();
  return runtime_arguments(serve, served, module_path);
}

Result<std::uint16_t> free_port_at(const std::string& host, std::uint16_t port) {
  const auto address = resolve(host, std::to_string(port));
  if (!address) return fail(WorkloadError::usage, host + " is no address to listen at");
  const auto socket = socket_for(*address);
  const int reuse = 1;
  ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &reuse, sizeof reuse);
  const auto failure = [&](ErrorCode code) {
    return std::unexpected(Error{code, host + ":" + std::to_string(port) + ": " + std::strerror(errno)});
  };
  if (::bind(socket.get(), address->get(), address->size) != 0) {
    return failure(errno == EADDRINUSE ? ErrorCode{net::NetError::address_in_use} : ErrorCode{WorkloadError::usage});
  }
  return bound_port(socket);
}

Error serve_external(const ExternalProgram& program, ByteView module, const Execution& execution,
                     const std::string& address, const std::function<void()>& serving) {
  const auto colon = address.rfind(':');
  const auto resolved = resolve(address.substr(0, colon), address.substr(colon + 1));
  if (!resolved) return {WorkloadError::usage, address + " is no address to listen at"};
  const auto file = detail::make_memory_file(module);
  if (!file) return file.error();
  auto running = execution;
  running.limits = {};  // a request's, which the program holds
  std::stop_source stopping;
  running.stop = stopping.get_token();
  const std::stop_callback on_request(execution.stop, [&stopping] { stopping.request_stop(); });
  auto child = detail::ChildProcess::spawn(
      program, service_arguments(program, execution, address, detail::path_of(*file)), file->get(), running);
  if (!child) return child.error();
  std::atomic<bool> silent = false;
  std::jthread look([&](const std::stop_token& ended) {
    if (wait_until_listening(*resolved, ended)) return serving();
    silent = !ended.stop_requested();
    stopping.request_stop();
  });
  const auto code = child->wait(running);
  look.request_stop();
  look.join();
  if (code)
    return ended_by_itself(program.path, "ended with exit code " + std::to_string(*code) + " instead of serving");
  if (silent) return ended_by_itself(program.path, "took no connection at " + address + " within half a minute");
  return code.error();
}

}  // namespace coffer::workload
