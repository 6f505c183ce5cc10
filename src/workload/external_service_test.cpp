#include "workload/external_service.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <chrono>
#include <fstream>
#include <thread>

#include "net/error.h"
#include "net/http_client.h"
#include "net/http_server.h"
#include "testing/temporary_directory.h"

namespace coffer::workload {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Answers every request with the arguments that it was started with, where it is called as wasmtime is.
constexpr std::string_view server = R"(exec python3 -c '
import http.server, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = (" ".join(sys.argv[1:]) + "\n" + open(sys.argv[-1]).read()).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
host, port = sys.argv[sys.argv.index("--addr") + 1].rsplit(":", 1)
print("says something", flush=True)
http.server.HTTPServer((host, int(port)), Handler).serve_forever()
' "$@")";

class ExternalService : public ::testing::Test {
 protected:
  ExternalProgram script(std::string_view body) {
    directory_.write("runtime", "#!/bin/sh\n" + std::string{body} + "\n");
    const auto file = directory_.path() / "runtime";
    ::chmod(file.c_str(), 0755);
    return {.path = file.string()};
  }
  Execution execution() {
    return {.environment = {{"A", "1"}}, .limits = {.wall_time = Duration{1500}}, .stop = stop_.get_token()};
  }
  static std::string free_address() { return "127.0.0.1:" + std::to_string(free_port_at("127.0.0.1", 0).value()); }

  TemporaryDirectory directory_;
  std::stop_source stop_;
};

TEST_F(ExternalService, is_called_as_wasmtime_serves) {
  const ExternalProgram program{.path = "wasmtime", .leading_arguments = {"-S", "nn"}};
  const Execution execution{.function = "f", .arguments = {"x"}, .environment = {{"A", "1"}}};
  EXPECT_THAT(service_arguments(program, execution, "127.0.0.1:80", "/m"),
              ElementsAre("wasmtime", "serve", "-S", "cli", "-S", "http", "--addr", "127.0.0.1:80", "-S", "nn", "--env",
                          "A=1", "/m"));
  EXPECT_THAT(service_arguments(program, {.limits = {.wall_time = Duration{1500}}}, "[::1]:80", "/m"),
              ElementsAre("wasmtime", "serve", "-S", "cli", "-S", "http", "--addr", "[::1]:80", "-W", "timeout=1500ms",
                          "-S", "nn", "/m"));
}

TEST_F(ExternalService, serves_until_it_is_stopped) {
  const auto address = free_address();
  std::string said, answer;
  auto running = execution();
  running.standard_output = [&said](ByteView bytes) {
    said += as_text(bytes);
    return true;
  };
  const auto ended = serve_external(script(server), as_bytes("module"), running, address, [&] {
    const auto http = *net::HttpClient::create({.direct = true});
    const auto response = http->send({.url = "http://" + address + "/"});
    answer = response ? to_text(response->body) : to_string(response.error());
    stop_.request_stop();
  });
  EXPECT_EQ(ended.code, WorkloadError::cancelled) << to_string(ended);
  EXPECT_THAT(answer, HasSubstr("--addr " + address + " -W timeout=1500ms --env A=1 /proc/self/fd/"));
  EXPECT_THAT(answer, HasSubstr("\nmodule"));
  EXPECT_EQ(said, "says something\n");
  EXPECT_EQ(free_port_at("127.0.0.1", static_cast<std::uint16_t>(std::stoul(address.substr(10)))).value(),
            std::stoul(address.substr(10)))
      << "nothing must listen any more";
}

TEST_F(ExternalService, that_ends_by_itself_says_so) {
  bool served = false;
  const auto ended =
      serve_external(script("exit 3"), as_bytes("module"), execution(), free_address(), [&] { served = true; });
  EXPECT_EQ(ended.code, WorkloadError::service_ended);
  EXPECT_THAT(ended.message, HasSubstr("exit code 3"));
  EXPECT_FALSE(served);
}

TEST_F(ExternalService, is_stopped_before_it_listens_too) {
  std::jthread stopping([this] { stop_.request_stop(); });
  const auto ended = serve_external(script("exec sleep 600"), as_bytes("module"), execution(), free_address(), [] {});
  EXPECT_EQ(ended.code, WorkloadError::cancelled);
}

TEST_F(ExternalService, without_a_program_or_an_address_is_refused) {
  const auto missing = serve_external({.path = "/no/such/program"}, {}, execution(), free_address(), [] {});
  EXPECT_EQ(missing.code, WorkloadError::runtime_missing);
  const auto nowhere = serve_external(script("exit 0"), {}, execution(), "not an address:80", [] {});
  EXPECT_EQ(nowhere.code, WorkloadError::usage);
}

TEST_F(ExternalService, finds_ports_that_are_free) {
  const auto other = *net::HttpServer::start({.sockets = {"127.0.0.1:0"}, .workers = 1},
                                             [](const net::ServerRequest&) { return net::ServerResponse{}; });
  const auto taken = static_cast<std::uint16_t>(std::stoul(other->addresses().front().substr(10)));
  EXPECT_EQ(free_port_at("127.0.0.1", taken).error().code, net::NetError::address_in_use);
  EXPECT_NE(free_port_at("127.0.0.1", 0).value(), 0);
  EXPECT_EQ(free_port_at("not an address", 0).error().code, WorkloadError::usage);
  EXPECT_EQ(free_port_at("192.0.2.1", 0).error().code, WorkloadError::usage);
}

}  // namespace
}  // namespace coffer::workload
