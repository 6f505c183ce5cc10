#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <thread>

#include "workload/hal/hal_testing.h"

namespace coffer::workload::hal {
namespace {

using testing::address;
using testing::addresses;
using testing::bytes;
using testing::Guest;

// A socket of the test's own on loopback, on a port of the system's choice.
class Peer {
 public:
  explicit Peer(int type) : fd_(::socket(AF_INET, type | SOCK_CLOEXEC, 0)) {
    sockaddr_in name{};
    name.sin_family = AF_INET;
    name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::bind(fd_.get(), reinterpret_cast<sockaddr*>(&name), sizeof name), 0);
    socklen_t size = sizeof name;
    ::getsockname(fd_.get(), reinterpret_cast<sockaddr*>(&name), &size);
    port_ = ntohs(name.sin_port);
    if (type == SOCK_STREAM) ::listen(fd_.get(), 8);
  }
  FileDescriptor accept() const { return FileDescriptor{::accept(fd_.get(), nullptr, nullptr)}; }
  int fd() const { return fd_.get(); }
  std::uint16_t port() const { return port_; }
  void close() { fd_ = FileDescriptor{}; }

 private:
  FileDescriptor fd_;
  std::uint16_t port_ = 0;
};

struct Reaching : Guest {
  explicit Reaching(std::vector<std::string> connect, std::vector<std::string> listen = {}) {
    services.connect = addresses(std::move(connect));
    services.listen = addresses(std::move(listen));
  }
};

TEST(Sockets, are_denied_unless_the_operator_lists_addresses) {
  Guest guest;
  EXPECT_EQ(guest.err("sockets", "create-socket", {"tcp"}), "hal.denied");
}

TEST(Sockets, lead_to_listed_addresses_alone) {
  const Peer peer(SOCK_STREAM);
  Reaching guest({"127.0.0.1:" + std::to_string(peer.port())});
  const auto socket = guest.handle("sockets", "create-socket", {"tcp"});
  EXPECT_EQ(guest.err("sockets", "connect", {socket, address("127.0.0.1", peer.port() ^ 1)}), "hal.denied");
  EXPECT_EQ(guest.err("sockets", "connect", {socket, address("127.0.0.2", peer.port())}), "hal.denied");
  EXPECT_EQ(guest.err("sockets", "connect", {socket, address("localhost", peer.port())}), "hal.bad_value");
  EXPECT_EQ(guest.err("sockets", "bind", {socket, address("127.0.0.1", peer.port())}), "hal.denied");
  guest.ok("sockets", "connect", {socket, address("::ffff:127.0.0.1", peer.port())});
}

TEST(Sockets, carry_bytes_both_ways_over_tcp) {
  const Peer peer(SOCK_STREAM);
  Reaching guest({"127.0.0.1:*"});
  const auto socket = guest.handle("sockets", "create-socket", {"tcp"});
  guest.ok("sockets", "connect", {socket, address("127.0.0.1", peer.port())});
  auto connection = peer.accept();
  EXPECT_EQ(guest.ok("sockets", "send", {socket, bytes("ping")}), Value{4});
  std::array<char, 16> buffer{};
  EXPECT_EQ(::recv(connection.get(), buffer.data(), buffer.size(), 0), 4);
  EXPECT_EQ(::send(connection.get(), "pong!", 5, 0), 5);
  EXPECT_EQ(guest.ok("sockets", "receive", {socket, 4}), bytes("pong"));
  EXPECT_EQ(guest.ok("sockets", "receive", {socket, 100}), bytes("!"));
  connection = FileDescriptor{};
  EXPECT_EQ(guest.ok("sockets", "receive", {socket, 100}), bytes("")) << "the end of the connection";
  guest.ok("sockets", "close", {socket});
  EXPECT_EQ(guest.err("sockets", "send", {socket, bytes("x")}), "hal.bad_handle");
}

TEST(Sockets, one_guest_serves_another) {
  std::uint16_t port = 0;
  {
    const Peer free(SOCK_STREAM);
    port = free.port();
  }
  const auto place = "127.0.0.1:" + std::to_string(port);
  Reaching server({}, {place}), client({place});
  const auto listener = server.handle("sockets", "create-socket", {"tcp"});
  server.ok("sockets", "bind", {listener, address("127.0.0.1", port)});
  server.ok("sockets", "listen", {listener, 1'000'000});
  const auto outgoing = client.handle("sockets", "create-socket", {"tcp"});
  client.ok("sockets", "connect", {outgoing, address("127.0.0.1", port)});
  const auto incoming = server.handle("sockets", "accept", {listener});
  EXPECT_NE(incoming, listener);
  client.ok("sockets", "send", {outgoing, bytes("hello")});
  EXPECT_EQ(server.ok("sockets", "receive", {incoming, 5}), bytes("hello"));
}

TEST(Sockets, carry_datagrams) {
  const Peer peer(SOCK_DGRAM);
  Reaching guest({"127.0.0.1:*"});
  const auto socket = guest.handle("sockets", "create-socket", {"udp"});
  guest.ok("sockets", "connect", {socket, address("127.0.0.1", peer.port())});
  guest.ok("sockets", "send", {socket, bytes("datagram")});
  std::array<char, 16> buffer{};
  sockaddr_in from{};
  socklen_t size = sizeof from;
  EXPECT_EQ(::recvfrom(peer.fd(), buffer.data(), buffer.size(), 0, reinterpret_cast<sockaddr*>(&from), &size), 8);
  ::sendto(peer.fd(), "back", 4, 0, reinterpret_cast<sockaddr*>(&from), size);
  EXPECT_EQ(guest.ok("sockets", "receive", {socket, 100}), bytes("back"));
}

TEST(Sockets, a_bound_datagram_socket_hears_who_sends_to_it) {
  std::uint16_t port = 0;
  {
    const Peer free(SOCK_DGRAM);
    port = free.port();
  }
  Reaching guest({}, {"127.0.0.1:*"});
  const auto socket = guest.handle("sockets", "create-socket", {"udp"});
  EXPECT_EQ(guest.err("sockets", "receive", {socket, 1}), "hal.wrong_state");
  guest.ok("sockets", "bind", {socket, address("127.0.0.1", port)});
  guest.ok("sockets", "listen", {socket, 1});
  const Peer peer(SOCK_DGRAM);
  sockaddr_storage to;
  const auto size = SocketAddress::parse("127.0.0.1", port)->to_system(to);
  ::sendto(peer.fd(), "hi", 2, 0, reinterpret_cast<sockaddr*>(&to), size);
  EXPECT_EQ(guest.ok("sockets", "receive", {socket, 10}), bytes("hi"));
}

TEST(Sockets, calls_out_of_order_are_errors) {
  const Peer peer(SOCK_STREAM);
  Reaching guest({"127.0.0.1:*"}, {"127.0.0.1:*"});
  const auto socket = guest.handle("sockets", "create-socket", {"tcp"});
  EXPECT_EQ(guest.err("sockets", "listen", {socket, 1}), "hal.wrong_state");
  EXPECT_EQ(guest.err("sockets", "accept", {socket}), "hal.wrong_state");
  EXPECT_EQ(guest.err("sockets", "send", {socket, bytes("x")}), "hal.wrong_state");
  EXPECT_EQ(guest.err("sockets", "receive", {socket, 1}), "hal.wrong_state");
  guest.ok("sockets", "connect", {socket, address("127.0.0.1", peer.port())});
  EXPECT_EQ(guest.err("sockets", "connect", {socket, address("127.0.0.1", peer.port())}), "hal.wrong_state");
  EXPECT_EQ(guest.err("sockets", "bind", {socket, address("127.0.0.1", peer.port())}), "hal.wrong_state");
}

TEST(Sockets, what_the_system_refuses_is_told) {
  Peer peer(SOCK_STREAM);
  const auto port = peer.port();
  Reaching guest({"127.0.0.1:*"}, {"127.0.0.1:*"});
  const auto listener = guest.handle("sockets", "create-socket", {"tcp"});
  EXPECT_EQ(guest.err("sockets", "bind", {listener, address("127.0.0.1", port)}), "hal.io") << "it is in use";
  peer.close();
  const auto socket = guest.handle("sockets", "create-socket", {"tcp"});
  EXPECT_EQ(guest.err("sockets", "connect", {socket, address("127.0.0.1", port)}), "hal.io") << "nobody listens";
}

TEST(Sockets, have_no_tls) {
  Reaching guest({"127.0.0.1:*"});
  EXPECT_EQ(guest.err("sockets", "create-socket", {"tls"}), "hal.unsupported");
  EXPECT_EQ(guest.err("sockets", "create-socket", {"dtls"}), "hal.unsupported");
  EXPECT_EQ(guest.trap("sockets", "create-socket", {"sctp"}), "hal.bad_arguments");
}

TEST(Sockets, are_bounded) {
  Reaching guest({"127.0.0.1:*"});
  for (int i = 0; i < 64; ++i) guest.ok("sockets", "create-socket", {"tcp"});
  EXPECT_EQ(guest.err("sockets", "create-socket", {"tcp"}), "hal.limit");
}

TEST(Sockets, waiting_ends_when_the_task_is_stopped) {
  const Peer peer(SOCK_STREAM);
  Reaching guest({"127.0.0.1:*"});
  std::stop_source stop;
  guest.task.stop = stop.get_token();
  const auto socket = guest.handle("sockets", "create-socket", {"tcp"});
  guest.ok("sockets", "connect", {socket, address("127.0.0.1", peer.port())});
  std::jthread stopper([&] { stop.request_stop(); });
  EXPECT_EQ(guest.trap("sockets", "receive", {socket, 1}), "hal.stopped");
}

TEST(Sockets, a_wait_for_data_has_its_time) {
  const Waiting waiting({}, std::nullopt);
  const Peer peer(SOCK_STREAM);
  const auto ready = waiting.ready(peer.fd(), 1, Duration{5});
  ASSERT_TRUE(ready);
  EXPECT_FALSE(*ready);
}

}  // namespace
}  // namespace coffer::workload::hal
