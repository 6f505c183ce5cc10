// HTTP/1.1 server. The wire is asynchronous (Asio coroutines, one io_context a core); handlers are plain functions that
// run in a bounded pool, because everything they call (SQLite, OpenSSL, Rego) blocks. A full pool answers 503 at once.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/secret_bytes.h"
#include "net/error.h"
#include "net/http.h"

namespace coffer::net {

// Who a client proved to be by its certificate, whose chain was verified up to one of the server's client roots.
struct PeerCertificate {
  std::string subject{};             // RFC 2253, "CN=ci,O=Example"
  std::string common_name{};         // empty where the subject has none
  std::vector<std::string> names{};  // subjectAltName: DNS names, URIs and e-mail addresses, as they stand there
  std::string sha256{};              // of the certificate, in hex
  TimePoint not_after{};             // a connection may outlast it: whoever decides by the certificate looks
};

struct ServerRequest {
  std::string method{};  // HEAD arrives as HEAD; the server leaves the body out of the answer
  std::string target{};  // as received: path and query
  std::string path{};    // percent-decoded path without query; never contains control characters
  std::string query{};   // raw text behind '?', empty where there is none
  Headers headers{};
  Bytes body{};
  std::string peer{};  // "127.0.0.1:41234"
  bool tls = false;
  std::shared_ptr<const PeerCertificate> certificate{};  // none: the client showed none
};

// Content-Length, Transfer-Encoding, Connection and Date are the server's: it drops what a handler says about them.
struct ServerResponse {
  int status = 200;
  Headers headers{};
  Bytes body{};

  static ServerResponse text(int status, std::string_view content_type, std::string_view body);
};

// Runs in a worker thread, several at once. An exception, an impossible status or a header with control characters
// becomes a plain 500, and the cause a line of the log.
using Handler = std::function<ServerResponse(const ServerRequest&)>;

enum class TlsProfile { intermediate, modern };  // from TLS 1.2 with AEAD suites; TLS 1.3 alone

struct TlsIdentity {
  std::string certificate_chain_pem;
  SecretBytes private_key_pem;
  TlsProfile profile = TlsProfile::intermediate;
};

// Certificates of clients (mutual TLS). One that is shown is always verified; a bad one ends the handshake.
struct ClientCertificates {
  std::string root_pems{};  // who may have issued them: these alone, not the system's
  bool required = true;     // otherwise a client may also show none
};

struct ServerOptions {
  std::vector<std::string> sockets{"127.0.0.1:8080"};       // "address:port", "[::1]:port"; port 0 takes a free one
  std::optional<TlsIdentity> tls{};                         // none: plain HTTP
  std::optional<ClientCertificates> client_certificates{};  // only with `tls`
  std::size_t max_body_size = 2U << 20;                     // over it: 413
  std::size_t max_head_size = 128U << 10;                   // over it: 431
  std::size_t max_connections = 4096;                       // over it: 503 and closed (closed only where TLS)
  Duration head_timeout = std::chrono::seconds{30};         // TLS handshake and head, each; a slow head is cut: 408
  Duration body_timeout = std::chrono::seconds{60};         // a whole body in either direction; a slow one is cut: 408
  Duration idle_timeout = std::chrono::seconds{75};         // between requests of one connection
  Duration shutdown_grace = std::chrono::seconds{10};
  unsigned io_threads = 1;
  unsigned workers = 4;
  std::size_t max_queue = 1024;  // requests waiting for a worker
  // The answer to what does not become a request (400, 408, 413, 431, ...), for services whose errors have a form of
  // their own; plain text where absent. Called on I/O threads, so it must not block.
  std::function<ServerResponse(int status, std::string_view why)> refusal{};
};

class HttpServer {
 public:
  // Binds and listens at once: when this returns, connections are accepted. NetError::address_in_use,
  // NetError::bad_configuration.
  static Result<std::unique_ptr<HttpServer>> start(ServerOptions options, Handler handler);
  ~HttpServer();  // stops

  // The addresses really bound, "127.0.0.1:43111", in the order of options.sockets.
  const std::vector<std::string>& addresses() const;
  // Stops accepting, lets running requests finish within shutdown_grace, then cuts their connections and returns as
  // soon as no handler runs. Safe to call twice.
  void stop();

 private:
  struct Impl;
  explicit HttpServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// Blocks until SIGINT or SIGTERM. Call block_termination_signals() at the start of main, before any thread.
void block_termination_signals();
int wait_for_termination();

}  // namespace coffer::net
