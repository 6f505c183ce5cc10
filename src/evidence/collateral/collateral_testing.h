// Items and a vendor's service for tests of the cache.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <mutex>

#include "evidence/collateral/collateral_cache.h"
#include "net/http_server.h"

namespace coffer::evidence {

inline const TimePoint start = from_unix_seconds(1'767'225'600);  // 2026-01-01

// "body" holds for ever; "body <from> <until>" between these Unix times. Anything else is no such item.
inline Result<CollateralValidity> inspect_body(const CollateralBlob& blob) {
  const std::string text = to_text(ByteView{blob.body});
  if (text == "body") return CollateralValidity{};
  long long from = 0;
  long long until = 0;
  if (std::sscanf(text.c_str(), "body %lld %lld", &from, &until) != 2) {
    return fail(CollateralError::malformed, "the body is expected to be a test's, found \"" + text + "\"");
  }
  return CollateralValidity{from_unix_seconds(from), from_unix_seconds(until)};
}

inline std::string body_between(TimePoint from, TimePoint until) {
  return "body " + std::to_string(to_unix_seconds(from)) + " " + std::to_string(to_unix_seconds(until));
}

inline CollateralItem item_of(std::string key, std::string kind = "test-item") {
  return {.kind = std::move(kind),
          .key = key,
          .service = "amd-kds",
          .path = "/items/" + key,
          .chain_header = "",
          .inspect = inspect_body};
}

// A service whose answer a test chooses.
class FakeService {
 public:
  using Answer = std::function<net::ServerResponse(const net::ServerRequest&)>;

  explicit FakeService(Answer answer) : answer_(std::move(answer)) {
    net::ServerOptions options;
    options.sockets = {"127.0.0.1:0"};
    options.workers = 16;
    auto server = net::HttpServer::start(std::move(options), [this](const net::ServerRequest& request) {
      ++questions_;
      const auto answer = [this] {
        const std::scoped_lock lock{mutex_};
        return answer_;
      }();
      return answer(request);
    });
    EXPECT_TRUE(server) << to_string(server.error());
    server_ = *std::move(server);
  }

  std::string url() const { return "http://" + server_->addresses()[0]; }
  unsigned questions() const { return questions_; }
  void set_answer(Answer answer) {
    const std::scoped_lock lock{mutex_};
    answer_ = std::move(answer);
  }

 private:
  std::mutex mutex_;
  Answer answer_;
  std::atomic<unsigned> questions_ = 0;
  std::unique_ptr<net::HttpServer> server_;
};

inline FakeService::Answer says(int status, std::string body, net::Headers headers = {}) {
  return [=](const net::ServerRequest&) {
    auto response = net::ServerResponse::text(status, "text/plain", body);
    for (const auto& [name, value] : headers) response.headers.set(name, value);
    return response;
  };
}

}  // namespace coffer::evidence
