// The one HTTP client, over libcurl. Calls block; services run them in their pool (see http_server.h). Connections are
// kept and reused; the object is safe to use from several threads at once.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/secret_bytes.h"
#include "net/error.h"
#include "net/http.h"

namespace coffer::net {

struct HttpRequest {
  std::string method = "GET";
  std::string url{};
  Headers headers{};
  Bytes body{};
  // The whole exchange: redirects, and the time a sink takes. Every call has one.
  Duration timeout = std::chrono::seconds{60};
  std::size_t max_response_size = 16U << 20;  // for send(); a stream is bounded by its sink
  // Followed only to https, or from http to http; Authorization and Cookie are dropped when scheme, host or port
  // change. 0: a redirect is an answer like any other. An upload never follows one.
  unsigned max_redirects = 0;
  // For streams: abort when fewer bytes than one a second arrive for this long. Zero: `timeout` alone.
  Duration stall_timeout{0};
};

struct HttpResponse {
  int status = 0;
  Headers headers{};
  Bytes body{};             // empty for streams
  std::string final_url{};  // after redirects
};

struct HttpClientOptions {
  std::string user_agent = "coffer";
  std::vector<std::string> extra_root_pems{};  // beside the system's
  bool use_system_roots = true;
  // Shown to servers that ask for one: chain and key in PEM; both or none.
  std::string client_certificate_pem{};
  SecretBytes client_key_pem{};
  Duration connect_timeout = std::chrono::seconds{10};
  // "http://host:port". Empty: the environment's http_proxy, https_proxy, no_proxy, except for loopback addresses.
  std::string proxy{};
  bool direct = false;  // no proxy, whatever the environment says: for services of the machine's own host
};

// Receives the head once, before any body byte, then the body in pieces. Returning an error ends the transfer with it.
class BodySink {
 public:
  virtual ~BodySink() = default;
  virtual Result<> on_head(const HttpResponse& head) = 0;
  virtual Result<> on_data(ByteView data) = 0;  // may block: that is the back-pressure
};

class HttpClient {
 public:
  static Result<std::shared_ptr<HttpClient>> create(HttpClientOptions options = {});
  ~HttpClient();

  // A response of any status is a success; NetError is for exchanges without one. Heads over 256 KiB are too_large.
  // Content codings are left as they are.
  Result<HttpResponse> send(const HttpRequest& request);
  // The same with the body handed to `sink` as it arrives. Memory stays bounded. An exchange that breaks off in the
  // body is NetError::unreachable; what the sink had by then it had.
  Result<HttpResponse> stream(const HttpRequest& request, BodySink& sink);
  // Uploads `body_size` bytes that `read` gives piece by piece (fills the buffer, returns how many, 0 at the end).
  using BodySource = std::function<Result<std::size_t>(MutableByteView)>;
  Result<HttpResponse> upload(const HttpRequest& request, std::uint64_t body_size, const BodySource& read);

 private:
  struct Impl;
  explicit HttpClient(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace coffer::net
