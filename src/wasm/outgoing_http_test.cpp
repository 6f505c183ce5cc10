// What guests send by wasi:http, against a server of our own. testdata/fetch.wat is the guest.
#include <atomic>

#include "net/http_client.h"
#include "net/http_server.h"
#include "net/raw_socket_testing.h"
#include "net/tls_testing.h"
#include "wasm/host_testing.h"

namespace coffer::wasm {
namespace {

using namespace std::chrono_literals;
using codec::cbor::Array;

// Cases of wasi:http's error-code, by their place in it.
constexpr int dns_error = 1;
constexpr int connection_refused = 6;
constexpr int connection_terminated = 7;
constexpr int tls_certificate_error = 13;
constexpr int request_denied = 15;
constexpr int request_body_size = 17;
constexpr int method_invalid = 18;
constexpr int response_body_size = 28;
constexpr int response_timeout = 33;
// Cases of its method.
constexpr int get = 0;
constexpr int post = 2;
constexpr int connect = 5;

struct Fetch {
  int method = get;
  bool secure = false;
  std::string authority{};
  std::string path = "/";
  std::string body{};
};

// {"ok": [status, body]} or {"err": case}.
Value fetch(const std::optional<OutgoingHttp>& outgoing, const Fetch& what) {
  static const auto module = *testing::host_runtime().compile(testing::made_component("fetch"));
  auto instance = testing::kept(module, {.outgoing_http = outgoing});
  const std::vector<Value> arguments{what.method, what.secure, what.authority, what.path, to_bytes(what.body)};
  const auto result = instance.call("fetch", arguments, 30s);
  EXPECT_TRUE(result) << to_string(result.error());
  return result.value_or(Value{});
}

Value answer(int status, std::string_view body) {
  return codec::cbor::Map{{"ok", Array{status, to_bytes(body)}}};
}
Value error(int number) {
  return codec::cbor::Map{{"err", number}};
}

class OutgoingHttpTest : public ::testing::Test {
 protected:
  OutgoingHttpTest() {
    auto started = net::HttpServer::start({.sockets = {"127.0.0.1:0"}}, [this](const net::ServerRequest& request) {
      ++requests;
      auto response = net::ServerResponse::text(request.path == "/moved" ? 302 : 200, "text/plain",
                                                request.method + " " + request.target + " " +
                                                    std::string{request.headers.get("Host").value_or("")} + " " +
                                                    to_text(request.body));
      if (request.path == "/moved") response.headers.set("Location", "/elsewhere");
      return response;
    });
    EXPECT_TRUE(started) << to_string(started.error());
    server = std::move(*started);
    address = server->addresses()[0];
  }

  OutgoingHttp allowing(std::vector<std::string> allow) const { return {.allow = std::move(allow), .client = client}; }

  std::shared_ptr<net::HttpClient> client = *net::HttpClient::create();
  std::atomic<int> requests = 0;
  std::string address;
  std::unique_ptr<net::HttpServer> server;
};

TEST_F(OutgoingHttpTest, reaches_an_allowed_host) {
  EXPECT_EQ(fetch(allowing({address}), {.authority = address, .path = "/a?b=c"}),
            answer(200, "GET /a?b=c " + address + " "));
  EXPECT_EQ(fetch(allowing({"other:1", address}), {.method = post, .authority = address, .body = "abc"}),
            answer(200, "POST / " + address + " abc"));
}

TEST_F(OutgoingHttpTest, sends_a_body_of_many_pieces) {
  const std::string body(100'000, 'x');
  EXPECT_EQ(fetch(allowing({address}), {.method = post, .authority = address, .body = body}),
            answer(200, "POST / " + address + " " + body));
}

TEST_F(OutgoingHttpTest, is_denied_unless_it_is_named) {
  const auto port = address.substr(address.find(':'));
  EXPECT_EQ(fetch(std::nullopt, {.authority = address}), error(request_denied));
  EXPECT_EQ(fetch(allowing({}), {.authority = address}), error(request_denied));
  EXPECT_EQ(fetch(allowing({"127.0.0.1:1"}), {.authority = address}), error(request_denied));
  EXPECT_EQ(fetch(allowing({"127.0.0.1"}), {.authority = address}), error(request_denied));
  EXPECT_EQ(fetch(allowing({address}), {.authority = "localhost" + port}), error(request_denied));
  EXPECT_EQ(fetch(OutgoingHttp{.allow = {address}}, {.authority = address}), error(request_denied));
  EXPECT_EQ(requests, 0);
}

TEST_F(OutgoingHttpTest, takes_the_port_of_the_scheme_where_none_is_given) {
  EXPECT_EQ(fetch(allowing({"127.0.0.1:443"}), {.authority = "127.0.0.1"}), error(request_denied));
  EXPECT_EQ(fetch(allowing({"127.0.0.1:80"}), {.secure = true, .authority = "127.0.0.1"}), error(request_denied));
}

TEST_F(OutgoingHttpTest, compares_names_without_case) {
  const auto port = address.substr(address.find(':'));
  const auto result = fetch(allowing({"LocalHost" + port}), {.authority = "LOCALHOST" + port});
  EXPECT_EQ(result, answer(200, "GET / localhost" + port + " "));
}

TEST_F(OutgoingHttpTest, does_not_carry_user_names_or_tunnels) {
  const auto user = fetch(allowing({address}), {.authority = "user@" + address});
  EXPECT_NE(user.find("err"), nullptr);
  EXPECT_EQ(fetch(allowing({address}), {.method = connect, .authority = address}), error(method_invalid));
  EXPECT_EQ(requests, 0);
}

TEST_F(OutgoingHttpTest, hands_a_redirect_to_the_guest) {
  EXPECT_EQ(fetch(allowing({address}), {.authority = address, .path = "/moved"}),
            answer(302, "GET /moved " + address + " "));
  EXPECT_EQ(requests, 1);
}

TEST_F(OutgoingHttpTest, bounds_bodies_both_ways) {
  auto outgoing = allowing({address});
  outgoing.max_body = 10;
  EXPECT_EQ(fetch(outgoing, {.method = post, .authority = address, .body = "more than ten"}), error(request_body_size));
  EXPECT_EQ(fetch(outgoing, {.authority = address, .path = "/long-enough"}), error(response_body_size));
}

TEST_F(OutgoingHttpTest, bounds_what_a_guest_leaves_unread) {
  auto outgoing = allowing({address});
  outgoing.max_body = 1000;
  const std::vector<Value> arguments{get, false, address, "/" + std::string(800, 'x'), Bytes{}};
  const auto module = *testing::host_runtime().compile(testing::made_component("fetch"));
  auto reading = testing::kept(module, {.outgoing_http = outgoing});
  for (int request = 0; request < 20; ++request) {
    EXPECT_NE(reading.call("fetch", arguments, 30s)->find("ok"), nullptr);
  }
  auto holding = testing::kept(module, {.outgoing_http = outgoing});
  for (int request = 0; request < 4; ++request) {
    EXPECT_EQ(*holding.call("hold", arguments, 30s), answer(200, ""));
  }
  EXPECT_EQ(*holding.call("hold", arguments, 30s), error(response_body_size));
}

TEST_F(OutgoingHttpTest, says_why_there_was_no_answer) {
  server->stop();
  EXPECT_EQ(fetch(allowing({address}), {.authority = address}), error(connection_refused));
  EXPECT_EQ(fetch(allowing({"nowhere.invalid:80"}), {.authority = "nowhere.invalid"}), error(dns_error));
  net::testing::RawServer closing([](net::testing::RawSocket&) {});
  EXPECT_EQ(fetch(allowing({closing.address()}), {.authority = closing.address()}), error(connection_terminated));
}

TEST_F(OutgoingHttpTest, ends_in_time) {
  net::testing::RawServer silent([](net::testing::RawSocket& peer) { peer.receive_all(); });
  auto outgoing = allowing({silent.address()});
  outgoing.total_timeout = 100ms;
  EXPECT_EQ(fetch(outgoing, {.authority = silent.address()}), error(response_timeout));
}

TEST_F(OutgoingHttpTest, does_not_hold_up_the_guests_deadline) {
  net::testing::RawServer silent([](net::testing::RawSocket& peer) { peer.receive_all(); });
  auto outgoing = allowing({silent.address()});
  outgoing.total_timeout = 500ms;
  const auto module = testing::host_runtime().compile(testing::made_component("fetch"));
  ASSERT_TRUE(module);
  auto instance = testing::kept(*module, {.outgoing_http = outgoing});
  const std::vector<Value> arguments{get, false, silent.address(), "/", Bytes{}};
  testing::expect_code(instance.call("fetch", arguments, 50ms), WasmError::timeout);
}

TEST_F(OutgoingHttpTest, is_there_for_handlers_of_requests_too) {
  const auto module = testing::host_runtime().compile(testing::made_component("fetch"));
  ASSERT_TRUE(module);
  ASSERT_TRUE(module->handles_http());
  const auto status_with = [&](const std::optional<OutgoingHttp>& outgoing) {
    const auto handled = testing::host_runtime().handle(*module, {.target = "/" + address, .authority = "here"},
                                                        {.outgoing_http = outgoing});
    EXPECT_TRUE(handled) << to_string(handled.error());
    return handled ? handled->response.status : 0;
  };
  EXPECT_EQ(status_with(allowing({address})), 200U);
  EXPECT_EQ(status_with(std::nullopt), 502U);
  EXPECT_EQ(requests, 1);
}

TEST_F(OutgoingHttpTest, verifies_the_peer_of_https) {
  const net::testing::Authority authority;
  net::ServerOptions options{.sockets = {"127.0.0.1:0"}};
  options.tls = net::testing::identity(authority);
  const auto secure = net::HttpServer::start(std::move(options), [](const net::ServerRequest&) {
    return net::ServerResponse::text(200, "text/plain", "safe");
  });
  ASSERT_TRUE(secure) << to_string(secure.error());
  const auto there = (*secure)->addresses()[0];
  const Fetch what{.secure = true, .authority = there};
  EXPECT_EQ(fetch(allowing({there}), what), error(tls_certificate_error));
  auto outgoing = allowing({there});
  outgoing.client = *net::HttpClient::create({.extra_root_pems = {authority.pem()}});
  EXPECT_EQ(fetch(outgoing, what), answer(200, "safe"));
}

}  // namespace
}  // namespace coffer::wasm
