// A registry in this process, on net::HttpServer, that can be told to misbehave.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "net/http_server.h"

namespace coffer::image::testing {

class FakeRegistry {
 public:
  enum class Auth { open, basic, bearer };
  explicit FakeRegistry(Auth auth = Auth::open, bool tls = false);
  ~FakeRegistry();

  std::string host() const { return server_->addresses().front(); }
  // The certificate to trust, where it speaks TLS.
  const std::string& certificate() const { return certificate_; }

  // Answers instead of the registry where it gives something.
  using Fault = std::function<std::optional<net::ServerResponse>(const net::ServerRequest&)>;
  void set_fault(Fault fault);
  // "GET /v2/..." of every request so far.
  std::vector<std::string> requests() const;
  std::size_t count(std::string_view beginning) const;

  std::map<std::string, Bytes> blobs;                              // by digest
  std::map<std::string, std::pair<std::string, Bytes>> manifests;  // by tag and digest: type, content

  static constexpr std::string_view user = "user", password = "secret", refresh_token = "refresh";

 private:
  net::ServerResponse handle(const net::ServerRequest& request);
  net::ServerResponse serve(const net::ServerRequest& request);
  std::optional<net::ServerResponse> challenge(const net::ServerRequest& request) const;
  net::ServerResponse token(const net::ServerRequest& request);
  net::ServerResponse blob(const net::ServerRequest& request, const std::string& digest);
  net::ServerResponse upload(const net::ServerRequest& request, const std::string& rest);
  net::ServerResponse manifest(const net::ServerRequest& request, const std::string& selector);

  Auth auth_;
  std::string certificate_;
  mutable std::mutex mutex_;
  Fault fault_;
  std::vector<std::string> requests_;
  std::map<std::string, Bytes> uploads_;
  int next_upload_ = 0;
  std::unique_ptr<net::HttpServer> server_;
};

// Accepts connections and answers each with the next of these texts, byte for byte, then closes: what no HTTP server
// does on purpose. The last one is repeated.
class RawServer {
 public:
  explicit RawServer(std::vector<std::string> answers);
  ~RawServer();
  std::string host() const { return "127.0.0.1:" + std::to_string(port_); }
  std::vector<std::string> heads() const;

 private:
  void run();
  int listener_ = -1;
  unsigned port_ = 0;
  std::vector<std::string> answers_;
  mutable std::mutex mutex_;
  std::vector<std::string> heads_;
  struct Thread;
  std::unique_ptr<Thread> thread_;
};

}  // namespace coffer::image::testing
