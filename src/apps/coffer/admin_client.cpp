#include "apps/coffer/admin_client.h"

#include "base/clock.h"
#include "base/log.h"
#include "codec/base64.h"
#include "codec/jose/jwt.h"
#include "net/url.h"

namespace coffer::cli {
namespace {

using codec::json::Object;
using codec::json::Value;

// An answer that is no success, told with the broker's own words.
Error refusal(std::string_view method, const std::string& url, const net::HttpResponse& response) {
  std::string detail = "HTTP status " + std::to_string(response.status);
  std::string code;
  if (const auto body = codec::json::parse(as_text(response.body)); body) {
    if (const auto* text = body->find("detail"); text != nullptr && text->if_string() != nullptr) {
      detail = *text->if_string();
    }
    if (const auto* text = body->find("code"); text != nullptr && text->if_string() != nullptr) {
      code = *text->if_string();
    }
  }
  Error error{CliError::broker_refused, "the broker refused: " + detail};
  error.context = {{"request", std::string{method} + " " + url}, {"status", std::to_string(response.status)}};
  if (!code.empty()) error.context.emplace_back("broker_code", code);
  return error;
}

}  // namespace

Result<std::vector<std::string>> broker_roots(const Context& context) {
  if (!context.kbs_certificate_file.empty()) {
    return std::vector {
      to_text(TRY(read_file(context.kbs_certificate_file)))
    };
  }
  if (const auto own = context.home().tls_authority(); std::filesystem::exists(own)) {
    return std::vector {
      to_text(TRY(read_file(own)))
    };
  }
  return std::vector<std::string>{};
}

Result<std::shared_ptr<net::HttpClient>> broker_http_client(const Context& context) {
  net::HttpClientOptions options;
  options.user_agent = "coffer";
  options.extra_root_pems = TRY(broker_roots(context));
  return net::HttpClient::create(std::move(options));
}

Result<AdminClient> AdminClient::create(const Context& context) {
  auto url = TRY(context.kbs_url());
  const auto pem = read_secret_file(context.admin_key());
  if (!pem) {
    return fail(CliError::no_home,
                "no administrator key at " + context.admin_key() + "; run `coffer init`, or name one with --admin-key");
  }
  auto key = TRY(crypto::PrivateKey::from_pem(pem->expose()));
  if (const auto parsed = net::Url::parse(url); parsed && !parsed->is_https() && !parsed->is_loopback()) {
    log::warn("cli.plain_http", "the administrator's token and every resource set travel in clear: use https://",
              {{"url", url}});
  }
  return AdminClient(std::move(url), std::move(key), TRY(broker_http_client(context)));
}

Result<std::string> AdminClient::token() const {
  const auto now = to_unix_seconds(system_clock().now());
  const Object claims{{"iss", "coffer"}, {"role", "admin"}, {"aud", "kbs"}, {"iat", now - 5}, {"exp", now + 300}};
  return codec::jose::sign_jwt({}, claims, key_, crypto::default_algorithm(key_.kind()));
}

Result<net::HttpResponse> AdminClient::call(std::string_view method, std::string_view path, ByteView body,
                                            std::string_view content_type) {
  net::HttpRequest request;
  request.method = method;
  request.url = url_ + "/kbs/v0/" + std::string{path};
  request.headers.set("Authorization", "Bearer " + TRY(token()));
  if (method == "POST") request.headers.set("Content-Type", std::string{content_type});
  request.body = to_bytes(body);
  auto sent = http_->send(request);
  wipe(request.body);  // may be a key
  auto response = TRY(std::move(sent));
  if (response.status < 200 || response.status > 299) return fail(refusal(method, request.url, response));
  return response;
}

Result<net::HttpResponse> AdminClient::post(std::string_view path, ByteView body, std::string_view content_type) {
  return call("POST", path, body, content_type);
}

Result<Value> AdminClient::get_json(std::string_view path) {
  const auto response = TRY(get(path));
  return codec::json::parse(as_text(response.body));
}

Result<> AdminClient::post_json(std::string_view path, const Value& body) {
  TRY(post(path, as_bytes(codec::json::serialize(body)), "application/json"));
  return {};
}

}  // namespace coffer::cli
