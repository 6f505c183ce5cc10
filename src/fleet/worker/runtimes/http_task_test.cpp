#include "fleet/worker/runtimes/http_task.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "net/error.h"

namespace coffer::fleet::worker {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

HttpConfig served() {
  return {.enabled = true};
}

std::optional<std::uint16_t> port_in(const std::vector<std::string>& cli_args) {
  const auto read = read_http_arguments(cli_args, {});
  EXPECT_TRUE(read) << to_string(read.error());
  return read ? read->port : std::nullopt;
}

void expect_refused(const std::vector<std::string>& cli_args, std::string_view words) {
  const auto read = read_http_arguments(cli_args, {});
  ASSERT_FALSE(read) << cli_args.front();
  EXPECT_EQ(read.error().code, WorkerError::argument_refused);
  EXPECT_THAT(read.error().message, HasSubstr(std::string{words}));
}

TEST(HttpArguments, name_a_port_in_either_way_and_leave_the_rest_to_the_guest) {
  EXPECT_EQ(port_in({}), std::nullopt);
  EXPECT_EQ(port_in({"--port", "9000"}), 9000);
  EXPECT_EQ(port_in({"--port=0"}), 0);
  EXPECT_EQ(port_in({"--addr", "127.0.0.1:65535"}), 65535);
  EXPECT_EQ(port_in({"--addr=127.0.0.1:9000", "--port=9001"}), 9001);
  const auto mixed = *read_http_arguments({"a", "--port", "1", "--ports", "b"}, {});
  EXPECT_EQ(mixed.port, 1);
  EXPECT_THAT(mixed.rest, ElementsAre("a", "--ports", "b"));
  EXPECT_THAT(read_http_arguments({"--port", "1"}, {})->rest, IsEmpty());
}

TEST(HttpArguments, that_are_no_port_are_refused) {
  for (const auto* port : {"", "x", "-1", "65536", "80x", " 80", "+80"}) {
    expect_refused({"--port", port}, "--port");
    expect_refused({"--addr", std::string{"127.0.0.1:"} + port}, "--addr");
  }
  expect_refused({"--port"}, "--port");
  expect_refused({"--addr"}, "--addr");
}

TEST(HttpArguments, choose_no_other_network_than_the_configured_one) {
  for (const auto* address : {"0.0.0.0:80", ":80", "80", "localhost:80", "[::]:80", "127.0.0.1"}) {
    expect_refused({"--addr", address}, "PROPLET_HTTP_HOST");
  }
  EXPECT_EQ(read_http_arguments({"--addr", "[::1]:80"}, {.host = "[::1]"})->port, 80);
}

TEST(HttpTask, needs_a_worker_that_serves) {
  const auto refused = check_http_task({.id = "t", .name = "n"}, {});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, WorkerError::http_disabled);
  EXPECT_THAT(refused.error().message, HasSubstr("PROPLET_HTTP_ENABLED=true"));
  EXPECT_TRUE(check_http_task({.id = "t", .name = "n"}, served()));
}

TEST(HttpTask, is_not_latent_and_its_arguments_are_looked_at_first) {
  EXPECT_EQ(check_http_task({.id = "t", .name = "n", .latent = true}, served()).error().code, WorkerError::unsupported);
  EXPECT_EQ(check_http_task({.id = "t", .name = "n", .cli_args = {"--port", "x"}}, served()).error().code,
            WorkerError::argument_refused);
}

// Notes the ports it is asked for, and fails always.
struct Refusing {
  net::NetError why = net::NetError::address_in_use;
  std::vector<unsigned> asked{};
  Listen listen() {
    return [this](std::uint16_t port) -> Result<> {
      asked.push_back(port);
      return fail(why, "no");
    };
  }
};

TEST(HttpPorts, are_tried_from_the_first_to_the_hundredth_after_it) {
  Refusing all;
  const auto none = listen_on_free_port({}, served(), all.listen());
  EXPECT_EQ(none.error().code, net::NetError::address_in_use);
  EXPECT_THAT(none.error().message, HasSubstr("8222 to 8322"));
  ASSERT_EQ(all.asked.size(), 101U);
  EXPECT_EQ(all.asked.front(), 8222U);
  EXPECT_EQ(all.asked.back(), 8322U);
}

TEST(HttpPorts, end_where_numbers_do) {
  Refusing all;
  EXPECT_FALSE(listen_on_free_port({}, {.first_port = 65530}, all.listen()));
  EXPECT_EQ(all.asked.size(), 6U);
}

TEST(HttpPorts, that_a_task_names_have_no_stand_in_and_other_errors_end_the_search) {
  Refusing named;
  EXPECT_FALSE(listen_on_free_port(9000, served(), named.listen()));
  EXPECT_THAT(named.asked, ElementsAre(9000U));
  Refusing other{.why = net::NetError::bad_configuration};
  EXPECT_EQ(listen_on_free_port({}, served(), other.listen()).error().code, net::NetError::bad_configuration);
  EXPECT_EQ(other.asked.size(), 1U);
}

}  // namespace
}  // namespace coffer::fleet::worker
