// The owner's side of the broker's API: signs a short-lived administrator token for each call.
#pragma once

#include <memory>
#include <string>

#include "apps/coffer/context.h"
#include "codec/json.h"
#include "crypto/keys.h"
#include "net/http_client.h"

namespace coffer::cli {

class AdminClient {
 public:
  // Reads the key and the roots that the context names; no exchange yet.
  static Result<AdminClient> create(const Context& context);

  const std::string& url() const { return url_; }

  // `path` begins behind "/kbs/v0/". A status other than 2xx is CliError::broker_refused with the broker's own sentence
  // and code.
  Result<net::HttpResponse> get(std::string_view path) { return call("GET", path, {}); }
  Result<net::HttpResponse> remove(std::string_view path) { return call("DELETE", path, {}); }
  Result<net::HttpResponse> post(std::string_view path, ByteView body, std::string_view content_type);
  Result<codec::json::Value> get_json(std::string_view path);
  Result<> post_json(std::string_view path, const codec::json::Value& body);

 private:
  AdminClient(std::string url, crypto::PrivateKey key, std::shared_ptr<net::HttpClient> http)
      : url_(std::move(url)), key_(std::move(key)), http_(std::move(http)) {}
  Result<net::HttpResponse> call(std::string_view method, std::string_view path, ByteView body,
                                 std::string_view content_type = "application/json");
  Result<std::string> token() const;

  std::string url_;
  crypto::PrivateKey key_;
  std::shared_ptr<net::HttpClient> http_;
};

// The HTTP client for the broker of this context, with --kbs-cert or the home's own authority as roots.
Result<std::shared_ptr<net::HttpClient>> broker_http_client(const Context& context);

// The PEM roots that client uses; empty for plain HTTP.
Result<std::vector<std::string>> broker_roots(const Context& context);

}  // namespace coffer::cli
