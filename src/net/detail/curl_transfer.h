// One exchange over one libcurl handle.
#pragma once

#include <curl/curl.h>

#include <array>
#include <exception>
#include <optional>
#include <string>
#include <vector>

#include "net/detail/curl_handle.h"
#include "net/detail/openssl_pem.h"
#include "net/detail/redirect.h"
#include "net/detail/response_reader.h"
#include "net/http_client.h"

namespace coffer::net::detail {

struct ClientSettings {
  HttpClientOptions options;
  std::vector<X509Handle> roots;
  std::vector<X509Handle> own_chain{};  // with own_key: what servers that ask are shown
  KeyHandle own_key{};
};

struct Upload {
  std::uint64_t size;
  const HttpClient::BodySource& read;
};

struct TransferInput {
  const Hop& hop;
  ByteView body;         // sent where hop.with_body
  const Upload* upload;  // or this; else null
  Duration timeout;
  Duration stall_timeout;
  bool follows_redirects;  // then a redirect's body is thrown away instead of going to the sink
};

class Transfer {
 public:
  Transfer(CURL* handle, const ClientSettings& settings, const TransferInput& input, BodySink& sink);
  // The response without body. An error of sink or source comes back as it was given.
  Result<HttpResponse> perform();

 private:
  Result<> configure();
  void configure_connection();
  void configure_tls();
  void configure_callbacks();
  void configure_body();
  Result<> configure_headers();
  Result<> add_header(const std::string& line);

  static std::size_t on_header(char* data, std::size_t size, std::size_t count, void* self);
  static std::size_t on_body(char* data, std::size_t size, std::size_t count, void* self);
  static std::size_t on_read(char* out, std::size_t size, std::size_t count, void* self);
  static CURLcode on_tls_context(CURL* handle, void* context, void* self);

  Result<> take_line(std::string_view line);
  Result<> take_body(ByteView data);
  Result<std::size_t> give_body(MutableByteView out);
  // Runs what may fail or throw inside a C callback; false where it did.
  template <class Action>
  bool guarded(Action&& action);

  CURL* handle_;
  const ClientSettings& settings_;
  const TransferInput& input_;
  BodySink& sink_;
  CurlList headers_;
  ResponseReader reader_;
  bool discarding_ = false;
  bool enough_ = false;  // of a body that is thrown away
  std::size_t discarded_ = 0;
  std::uint64_t sent_ = 0;
  std::optional<Error> error_;  // what a callback ended the transfer with
  std::exception_ptr thrown_;
  std::array<char, CURL_ERROR_SIZE> detail_{};
};

}  // namespace coffer::net::detail
