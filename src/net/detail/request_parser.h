// One HTTP/1.1 request out of bytes, without I/O. Beast reads the grammar; the rules that keep two servers from reading
// one message differently (request smuggling, RFC 9112 section 11.2) are ours, and so are the limits.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "net/http_server.h"

namespace coffer::net::detail {

struct RequestLimits {
  std::size_t max_head_size;
  std::size_t max_body_size;
};

// Why a request gets no further: the status of the answer, after which the connection closes.
struct Refusal {
  int status;
  std::string text;
};

class RequestParser {
 public:
  explicit RequestParser(const RequestLimits& limits);
  ~RequestParser();
  RequestParser(const RequestParser&) = delete;
  RequestParser& operator=(const RequestParser&) = delete;

  // Takes what it can of `data` and returns how many bytes that was. The rest is given again with more behind it;
  // behind a complete request it belongs to the next one.
  std::size_t put(std::string_view data);

  bool started() const;  // has seen a byte
  bool head_done() const;
  bool done() const;  // complete, and no refusal
  const std::optional<Refusal>& refusal() const;

  // Once the head is done:
  bool keep_alive() const;        // by version and Connection header
  bool expects_continue() const;  // RFC 9110 section 10.1.1, and there is a body to wait for

  // Once done. `peer` and `tls` are left for the connection to fill.
  ServerRequest take();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace coffer::net::detail
