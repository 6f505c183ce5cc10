// The three calls of the protocol on one broker, as values in and out. Errors are KeyClientError throughout.
#pragma once

#include <memory>
#include <string>

#include "codec/resource_uri.h"
#include "keyclient/detail/failure.h"
#include "keyclient/kbs_client.h"
#include "keyclient/protocol.h"
#include "net/http_client.h"

namespace coffer::keyclient::detail {

class BrokerApi {
 public:
  static Result<BrokerApi> create(BrokerOptions options);

  struct Session {
    Challenge challenge;
    std::string cookie;  // "kbs-session-id=..."
  };
  Result<Session> open(const Request& request) const;
  // `session` is the one that open() gave.
  Result<AttestationResponse> attest(const Attestation& attestation, const std::string& cookie,
                                     std::string_view tee) const;
  // The raw body of a 200: a flattened JWE, unless the broker serves without attestation.
  Result<SecretBytes> resource(const codec::ResourceUri& uri, const net::Headers& credential) const;

  const std::string& url() const { return url_; }

 private:
  BrokerApi(std::string url, BrokerOptions options) : url_(std::move(url)), options_(std::move(options)) {}
  Result<net::HttpResponse> post(std::string_view endpoint, std::string_view body, const std::string& cookie) const;
  // Repeats what may pass by itself: no connection, 429, 5xx. Nothing else.
  Result<net::HttpResponse> exchange(const net::HttpRequest& request) const;

  std::string url_;  // without trailing slash
  BrokerOptions options_;
};

// "kbs-session-id=..." from the answer's Set-Cookie fields, without attributes; empty where there is none that is
// sound.
std::string session_cookie_of(const net::Headers& headers);

}  // namespace coffer::keyclient::detail
