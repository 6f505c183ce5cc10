#include "keyclient/detail/broker_api.h"

#include <algorithm>

#include "crypto/random.h"
#include "net/retry.h"
#include "net/url.h"

namespace coffer::keyclient::detail {
namespace {

constexpr std::size_t max_cookie_size = 4096;                   // RFC 6265 section 6.1
constexpr std::size_t max_answer_size = max_resource_size * 2;  // base64 and JSON around the largest resource

std::string endpoint_url(const std::string& base, std::string_view endpoint) {
  return base + std::string{path_prefix} + "/" + std::string{endpoint};
}

// RFC 6265 section 4.1.1: what a cookie's value may hold.
bool is_cookie_text(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c > 0x20 && c < 0x7f && c != '"' && c != ',' && c != '\\'; });
}

}  // namespace

std::string session_cookie_of(const net::Headers& headers) {
  for (const auto field : headers.get_all("Set-Cookie")) {
    const auto pair = field.substr(0, field.find(';'));
    const auto equals = pair.find('=');
    if (equals == std::string_view::npos || pair.substr(0, equals) != session_cookie_name) continue;
    if (pair.size() > max_cookie_size || !is_cookie_text(pair.substr(equals + 1))) continue;
    return std::string{pair};
  }
  return {};
}

Result<BrokerApi> BrokerApi::create(BrokerOptions options) {
  if (const auto url = net::Url::parse(options.url); !url) {
    return fail(KeyClientError::bad_uri, "broker address \"" + options.url + "\": " + url.error().message +
                                             "; expected something like http://127.0.0.1:8080");
  }
  auto base = options.url;
  while (base.ends_with('/')) base.pop_back();
  if (!options.http) {
    auto client =
        net::HttpClient::create({.user_agent = "coffer-keyclient", .extra_root_pems = options.extra_root_pems});
    if (!client) return fail(KeyClientError::tls, "broker certificate: " + client.error().message);
    options.http = std::move(*client);
  }
  return BrokerApi{std::move(base), std::move(options)};
}

Result<net::HttpResponse> BrokerApi::post(std::string_view endpoint, std::string_view body,
                                          const std::string& cookie) const {
  net::HttpRequest request;
  request.method = "POST";
  request.url = endpoint_url(url_, endpoint);
  request.headers.set("Content-Type", "application/json");
  if (!cookie.empty()) request.headers.set("Cookie", cookie);
  request.body = to_bytes(body);
  request.timeout = options_.timeout;
  return exchange(request);
}

Result<net::HttpResponse> BrokerApi::exchange(const net::HttpRequest& request) const {
  // Repeating any of the three calls is harmless: a second auth opens another session, a second attest of an attested
  // session gives the same token (trustee.md 1.5).
  const net::RetryPolicy policy{.attempts = options_.max_attempts, .first_delay = options_.first_retry_delay};
  auto response = net::with_retries(net::Retry{policy, crypto::system_random(), system_clock()}, net::sleep_for,
                                    [&] { return options_.http->send(request); });
  if (!response) return fail(explain(response.error(), url_));
  return response;
}

Result<BrokerApi::Session> BrokerApi::open(const Request& request) const {
  const auto response = TRY(post("auth", request.serialize(), {}));
  if (response.status != 200) {
    return fail(explain({Step::auth, response.status, as_text(response.body), url_, request.tee}));
  }
  auto challenge = Challenge::parse(as_text(response.body));
  if (!challenge) {
    return fail(KeyClientError::not_a_broker,
                url_ + " is not a key broker: it answered POST auth with 200, but " + challenge.error().message);
  }
  auto cookie = session_cookie_of(response.headers);
  if (cookie.empty()) {
    return fail(KeyClientError::protocol, "broker " + url_ + " sent a challenge without the cookie " +
                                              std::string{session_cookie_name} + "; a proxy may have removed it");
  }
  return Session{std::move(*challenge), std::move(cookie)};
}

Result<AttestationResponse> BrokerApi::attest(const Attestation& attestation, const std::string& cookie,
                                              std::string_view tee) const {
  const auto response = TRY(post("attest", attestation.serialize(), cookie));
  if (response.status != 200) {
    return fail(explain({Step::attest, response.status, as_text(response.body), url_, tee}));
  }
  auto answer = AttestationResponse::parse(as_text(response.body));
  if (!answer) {
    return fail(KeyClientError::protocol,
                "broker " + url_ + " answered POST attest with 200, but " + answer.error().message);
  }
  return answer;
}

Result<SecretBytes> BrokerApi::resource(const codec::ResourceUri& uri, const net::Headers& credential) const {
  net::HttpRequest request;
  request.url = url_ + uri.request_path();
  request.headers = credential;
  request.timeout = options_.timeout;
  request.max_response_size = max_answer_size;
  auto response = TRY(exchange(request));
  if (response.status != 200) {
    return fail(explain({Step::resource, response.status, as_text(response.body), url_, uri.text()}));
  }
  // Where the broker serves unattested reads the body is the key itself.
  auto body = SecretBytes::copy_of(ByteView{response.body});
  wipe(response.body);
  return body;
}

}  // namespace coffer::keyclient::detail
