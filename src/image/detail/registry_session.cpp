#include "image/detail/registry_session.h"

#include "base/printable.h"
#include "codec/base64.h"
#include "codec/json.h"
#include "net/url.h"

namespace coffer::image {
namespace {

constexpr std::size_t max_token_size = 1U << 20;
constexpr unsigned max_redirects = 5;

std::string basic_value(const Credentials& credentials) {
  auto pair = credentials.username + ":" + std::string{as_text(credentials.password.expose())};
  auto value = "Basic " + codec::base64_encode(as_bytes(pair));
  wipe(std::as_writable_bytes(std::span{pair}));
  return value;
}

std::string parameter(const Challenge& challenge, const std::string& name) {
  const auto found = challenge.parameters.find(name);
  return found == challenge.parameters.end() ? std::string{} : found->second;
}

// The first scheme that we speak, over all headers.
Result<std::optional<Challenge>> choose_challenge(const net::HttpResponse& refusal) {
  std::optional<Challenge> basic;
  for (const auto header : refusal.headers.get_all("WWW-Authenticate")) {
    for (auto& challenge : TRY(parse_www_authenticate(header))) {
      if (challenge.scheme == "bearer") return std::optional{std::move(challenge)};
      if (challenge.scheme == "basic" && !basic) basic = std::move(challenge);
    }
  }
  return basic;
}

// What the registry says about its refusal, {"errors":[{"code","message"}]}, made safe for a terminal.
std::string registry_words(const net::HttpResponse& response) {
  const auto document = codec::json::parse(as_text(response.body), {.max_size = 64U << 10, .max_depth = 16});
  const auto* message = document ? document->at_pointer("/errors/0/message") : nullptr;
  if (message == nullptr || !message->is_string()) return {};
  return ": " + printable(*message->if_string(), 200);
}

}  // namespace

Result<> check_status(const net::HttpResponse& response, std::string_view what) {
  const int status = response.status;
  if (status >= 200 && status < 300) return {};
  const auto text =
      "the registry answers " + std::to_string(status) + " for " + std::string{what} + registry_words(response);
  if (status == 401) return fail(ImageError::unauthorized, text);
  if (status == 403) return fail(ImageError::forbidden, text);
  if (status == 404) return fail(ImageError::not_found, text);
  if (status == 429) return fail(ImageError::rate_limited, text);
  if (status >= 500) return fail(ImageError::registry_unavailable, text);
  return fail(ImageError::registry_protocol, text);
}

Error with_registry(Error error, const RegistrySession& session) {
  return std::move(error).with("registry", session.reference().registry_host());
}

RegistrySession::RegistrySession(ImageReference reference, RegistryOptions options)
    : reference_(std::move(reference)), options_(std::move(options)) {
  const bool plain = options_.plain_http.value_or(reference_.is_loopback());
  base_ = (plain ? "http://" : "https://") + reference_.registry_host();
}

Result<std::shared_ptr<RegistrySession>> RegistrySession::open(ImageReference reference, RegistryOptions options) {
  if (!options.http) options.http = TRY(net::HttpClient::create());
  return std::shared_ptr<RegistrySession>(new RegistrySession(std::move(reference), std::move(options)));
}

std::string RegistrySession::url(std::string_view path) const {
  return base_ + "/v2/" + reference_.repository() + "/" + std::string{path};
}

Result<std::string> RegistrySession::resolve(std::string_view location) const {
  if (location.starts_with("/")) return base_ + std::string{location};
  const auto parsed = net::Url::parse(location);
  if (!parsed) return fail(ImageError::registry_protocol, "the registry's Location header is no URL");
  return std::string{location};
}

net::Retry RegistrySession::new_retry(bool idempotent) const {
  return net::Retry{{.attempts = static_cast<unsigned>(options_.attempts),
                     .first_delay = options_.first_retry_delay,
                     .idempotent = idempotent},
                    crypto::system_random(),
                    system_clock()};
}

void RegistrySession::authorize(net::HttpRequest& request) const {
  const std::lock_guard lock{mutex_};
  request.headers.remove("Authorization");
  // Uploads may be handed to another host, which must not see the registry's credentials.
  const bool own_host = request.url.starts_with(base_ + "/");
  if (own_host && !authorization_.empty()) request.headers.set("Authorization", to_text(authorization_.expose()));
}

Result<net::HttpResponse> RegistrySession::send_authorized(net::HttpRequest& request, Access access) {
  authorize(request);
  auto response = options_.http->send(request);
  if (!response || response->status != 401) return response;
  TRY(answer_challenge(*response, access));
  authorize(request);
  return options_.http->send(request);
}

Result<net::HttpResponse> RegistrySession::send(net::HttpRequest request, Access access) {
  request.max_redirects = request.method == "GET" || request.method == "HEAD" ? max_redirects : 0;
  const bool idempotent = request.method == "GET" || request.method == "HEAD" || request.method == "PUT";
  auto response =
      net::with_retries(new_retry(idempotent), net::sleep_for, [&] { return send_authorized(request, access); });
  if (!response) return fail(with_registry(std::move(response).error(), *this));
  return response;
}

namespace {

// Keeps the refusal away from the caller's sink.
class ChallengeSink final : public net::BodySink {
 public:
  explicit ChallengeSink(net::BodySink& next) : next_(next) {}
  Result<> on_head(const net::HttpResponse& head) override {
    refused_ = head.status == 401;
    return refused_ ? Result<>{} : next_.on_head(head);
  }
  Result<> on_data(ByteView data) override { return refused_ ? Result<>{} : next_.on_data(data); }

 private:
  net::BodySink& next_;
  bool refused_ = false;
};

}  // namespace

Result<net::HttpResponse> RegistrySession::stream_once(net::HttpRequest request, net::BodySink& sink) {
  request.max_redirects = max_redirects;
  request.timeout = options_.timeout;
  request.stall_timeout = options_.stall_timeout;
  authorize(request);
  ChallengeSink first{sink};
  auto response = options_.http->stream(request, first);
  if (!response || response->status != 401) return response;
  TRY(answer_challenge(*response, Access::pull));
  authorize(request);
  return options_.http->stream(request, sink);
}

Result<> RegistrySession::answer_challenge(const net::HttpResponse& refusal, Access access) {
  const auto challenge = TRY(choose_challenge(refusal));
  if (!challenge) {
    return fail(ImageError::unauthorized, "the registry answers 401 for " + reference_.text() +
                                              " and offers no way to authenticate that is known");
  }
  SecretBytes value;
  const auto credentials = options_.auth.find(reference_);
  if (credentials && !credentials->access_token.empty()) {
    value = SecretBytes::copy_of("Bearer " + to_text(credentials->access_token.expose()));
  } else if (challenge->scheme == "basic") {
    if (!credentials) {
      return fail(ImageError::unauthorized,
                  "the registry asks for a user name and password for " + reference_.text() + ", and there are none");
    }
    value = SecretBytes::copy_of(basic_value(*credentials));
  } else {
    value = TRY(fetch_token(*challenge, access));
  }
  const std::lock_guard lock{mutex_};
  authorization_ = std::move(value);
  return {};
}

Result<> RegistrySession::check_realm(const std::string& realm) const {
  const auto url = net::Url::parse(realm);
  if (!url) return fail(ImageError::registry_protocol, "the registry's challenge names no usable token service");
  // Credentials go there: in the clear at most to the host that the user let be asked in the clear.
  const auto registry = TRY(net::Url::parse(base_));
  const bool known_host = !registry.is_https() && (url->host == registry.host || url->is_loopback());
  if (!url->is_https() && !known_host) {
    return fail(ImageError::registry_protocol,
                "the registry sends its clients to the token service " + url->origin() + " over plain HTTP");
  }
  return {};
}

net::HttpRequest RegistrySession::token_request(const Challenge& challenge, Access access,
                                                const std::optional<Credentials>& credentials) const {
  const auto service = parameter(challenge, "service");
  const auto scope = "repository:" + reference_.repository() + (access == Access::push ? ":pull,push" : ":pull");
  auto query = "service=" + net::percent_encode(service) + "&scope=" + net::percent_encode(scope);
  const auto realm = parameter(challenge, "realm");
  net::HttpRequest request;
  request.max_response_size = max_token_size;
  if (credentials && !credentials->identity_token.empty()) {
    // distribution, "oauth.md": a refresh token is posted.
    request.method = "POST";
    request.url = realm;
    query += "&grant_type=refresh_token&client_id=coffer&refresh_token=" +
             net::percent_encode(as_text(credentials->identity_token.expose()));
    request.headers.set("Content-Type", "application/x-www-form-urlencoded");
    request.body = to_bytes(query);
    return request;
  }
  request.url = realm + (realm.find('?') == std::string::npos ? "?" : "&") + query;
  if (credentials) request.headers.set("Authorization", basic_value(*credentials));
  return request;
}

Result<SecretBytes> RegistrySession::fetch_token(const Challenge& challenge, Access access) {
  TRY(check_realm(parameter(challenge, "realm")));
  const auto credentials = options_.auth.find(reference_);
  const auto request = token_request(challenge, access, credentials);
  auto response = net::with_retries(new_retry(request.method == "GET"), net::sleep_for,
                                    [&] { return options_.http->send(request); });
  if (!response) return fail(with_registry(std::move(response).error(), *this));
  TRY(check_status(*response, "a token for " + reference_.text()));
  const auto document = codec::json::parse(as_text(response->body), {.max_size = max_token_size, .max_depth = 16});
  for (const auto* name : {"token", "access_token"}) {
    const auto* token = document ? document->find(name) : nullptr;
    if (token != nullptr && token->is_string() && !token->if_string()->empty()) {
      return SecretBytes::copy_of("Bearer " + *token->if_string());
    }
  }
  return fail(ImageError::registry_protocol, "the registry's token service answers without a token");
}

}  // namespace coffer::image
