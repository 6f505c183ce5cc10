#include "evidence/external/channel.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <functional>
#include <thread>

#include "base/byte_reader.h"
#include "base/file_descriptor.h"
#include "evidence/external/message.h"
#include "testing/temporary_directory.h"

namespace coffer::evidence::external {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

// A listener that serves one connection as the test says.
class ChannelTest : public testing::Test {
 protected:
  void SetUp() override {
    path_ = directory_.path() / "s";
    listener_ = FileDescriptor{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path_.c_str(), sizeof address.sun_path - 1);
    ASSERT_EQ(::bind(listener_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    ASSERT_EQ(::listen(listener_.get(), 1), 0);
  }
  void TearDown() override {
    if (server_.joinable()) server_.join();
  }
  void serve(std::function<void(int)> how) {
    server_ = std::thread([this, how = std::move(how)] {
      const FileDescriptor connection{::accept(listener_.get(), nullptr, nullptr)};
      how(connection.get());
    });
  }
  Result<std::string> exchange(std::string_view request = "ask", UnixSocket socket = {}) {
    socket.path = path_;
    return connect_by(socket)->exchange(request);
  }
  // Reads the request's frame and writes bytes one by one.
  static void answer_slowly(int connection, ByteView bytes) {
    char request[64];
    ASSERT_GT(::recv(connection, request, sizeof request, 0), 0);
    for (const auto byte : bytes) {
      if (::send(connection, &byte, 1, MSG_NOSIGNAL) != 1) return;
    }
  }
  static Bytes frame(std::uint32_t size, std::string_view content) {
    ByteWriter writer;
    writer.u32_be(size).bytes(as_bytes(content));
    return writer.take();
  }

  TemporaryDirectory directory_;
  std::filesystem::path path_;
  FileDescriptor listener_;
  std::thread server_;
};

TEST_F(ChannelTest, an_answer_in_many_pieces_is_whole) {
  serve([](int connection) { answer_slowly(connection, frame(6, "answer")); });
  const auto answer = exchange();
  ASSERT_TRUE(answer) << to_string(answer.error());
  EXPECT_EQ(*answer, "answer");
}

TEST_F(ChannelTest, a_request_larger_than_the_sockets_buffer_arrives) {
  const std::string request(1U << 20, 'x');
  serve([&](int connection) {
    std::size_t received = 0;
    std::vector<char> chunk(1U << 16);
    while (received < request.size() + 4) {
      received += static_cast<std::size_t>(::recv(connection, chunk.data(), chunk.size(), 0));
    }
    const auto bytes = frame(2, "ok");
    EXPECT_EQ(::send(connection, bytes.data(), bytes.size(), 0), 6);
  });
  EXPECT_EQ(*exchange(request), "ok");
}

TEST_F(ChannelTest, a_request_over_the_limit_is_never_sent) {
  EXPECT_EQ(exchange(std::string(max_request + 1, 'x')).error().code, ExternalError::bad_answer);
}

TEST_F(ChannelTest, an_answer_over_the_limit_is_refused_before_it_is_read) {
  serve([](int connection) { answer_slowly(connection, frame(max_answer + 1, "")); });
  const auto answer = exchange();
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ExternalError::bad_answer);
  EXPECT_THAT(answer.error().message, HasSubstr("announces"));
}

TEST_F(ChannelTest, an_answer_that_breaks_off_is_no_answer) {
  serve([](int connection) { answer_slowly(connection, frame(10, "short")); });
  EXPECT_EQ(exchange().error().code, ExternalError::bad_answer);
}

TEST_F(ChannelTest, silence_is_a_timeout) {
  serve([](int connection) {
    char byte;
    while (::recv(connection, &byte, 1, 0) > 0) {
    }
  });
  EXPECT_EQ(exchange("ask", {.path = {}, .timeout = 50ms}).error().code, ExternalError::timeout);
}

TEST_F(ChannelTest, the_peer_is_root_or_ourselves_or_who_was_named) {
  serve([](int connection) {
    char byte;
    EXPECT_EQ(::recv(connection, &byte, 1, 0), 0) << "a wrong peer is asked nothing";
  });
  const auto refused = exchange("ask", {.path = {}, .peer = ::geteuid() + 1});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ExternalError::wrong_peer);
}

TEST_F(ChannelTest, a_named_peer_that_is_right_is_taken) {
  serve([](int connection) { answer_slowly(connection, frame(2, "ok")); });
  EXPECT_TRUE(exchange("ask", {.path = {}, .peer = ::geteuid()}));
}

TEST_F(ChannelTest, a_socket_that_is_absent_or_has_too_long_a_name_is_unreachable) {
  EXPECT_EQ(connect_by({.path = "/nonexistent"})->exchange("x").error().code, ExternalError::unreachable);
  EXPECT_EQ(connect_by({.path = "/" + std::string(200, 'x')})->exchange("x").error().code, ExternalError::unreachable);
}

}  // namespace
}  // namespace coffer::evidence::external
