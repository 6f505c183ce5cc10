#include "apps/coffer/fleet/fleet_client.h"

#include <cstdlib>

#include "base/log.h"
#include "base/printable.h"
#include "codec/base64.h"
#include "crypto/random.h"
#include "net/url.h"

namespace coffer::cli {
namespace {

using codec::json::Value;

constexpr auto call_timeout = std::chrono::seconds{60};  // invoke waits for a result
constexpr std::size_t max_answer = 160U << 20;           // a task with its module in base64

Error refusal(const std::string& method, const std::string& url, const net::HttpResponse& response) {
  const auto document = codec::json::parse(as_text(response.body), {.max_size = 1U << 20, .max_depth = 16});
  const auto text = [&](std::string_view key) {
    const Value* member = document ? document->find(key) : nullptr;
    const auto* found = member == nullptr ? nullptr : member->if_string();
    return found == nullptr ? std::string{} : printable(*found, 1024);
  };
  const std::string why = text("error").empty() ? "it answers " + std::to_string(response.status) : text("error");
  Error error{CliError::manager_refused, "the manager refused: " + why};
  error.context = {{"request", method + " " + url}, {"status", std::to_string(response.status)}};
  if (!text("code").empty()) error.context.emplace_back("manager_code", text("code"));
  return error;
}

}  // namespace

Result<FleetClient> FleetClient::create(const FleetContext& context) {
  std::string url = context.manager_url;
  while (url.ends_with('/')) url.pop_back();
  const auto parsed = TRY(net::Url::parse(url));
  std::string token = context.token;
  if (const char* variable = std::getenv("COFFER_MANAGER_TOKEN"); token.empty() && variable != nullptr)
    token = variable;
  if (!token.empty() && !parsed.is_https() && !parsed.is_loopback())
    log::warn("cli.plain_http", "the manager's token travels in the clear: use https://", {{"url", url}});
  net::HttpClientOptions options;
  if (!context.certificate.empty()) options.extra_root_pems.push_back(to_text(TRY(read_file(context.certificate))));
  if (context.client_certificate.empty() != context.client_key.empty())
    return fail(CliError::usage, "--cert and --key go together");
  if (!context.client_key.empty()) {
    options.client_certificate_pem = to_text(TRY(read_file(context.client_certificate)));
    options.client_key_pem = TRY(read_secret_file(context.client_key));
  }
  return FleetClient {
    std::move(url), std::move(token), TRY(net::HttpClient::create(std::move(options)))
  };
}

Result<Value> FleetClient::call(const std::string& method, const std::string& path, Bytes body,
                                const std::string& content_type) {
  net::HttpRequest request;
  request.method = method;
  request.url = url_ + path;
  request.timeout = call_timeout;
  request.max_response_size = max_answer;
  if (!token_.empty()) request.headers.set("Authorization", "Bearer " + token_);
  if (!content_type.empty()) request.headers.set("Content-Type", content_type);
  request.body = std::move(body);
  const auto response = TRY(http_->send(request));
  if (response.status < 200 || response.status > 299) return fail(refusal(method, request.url, response));
  if (response.body.empty()) return Value{};
  return codec::json::parse(as_text(response.body), {.max_size = max_answer, .max_depth = 64});
}

Result<Value> FleetClient::post(const std::string& path, const Value& body) {
  return call("POST", path, to_bytes(codec::json::serialize(body)), "application/json");
}

Result<Value> FleetClient::put(const std::string& path, const Value& body) {
  return call("PUT", path, to_bytes(codec::json::serialize(body)), "application/json");
}

// RFC 7578: one part named "file".
Result<Value> FleetClient::upload(const std::string& path, const std::string& file_name, ByteView content) {
  const std::string boundary = "coffer-" + codec::hex_encode(crypto::system_random().bytes(16));
  std::string name;
  for (const char c : file_name) name += c == '"' || c == '\\' || static_cast<unsigned char>(c) < 0x20 ? '_' : c;
  const std::string head = "--" + boundary + "\r\nContent-Disposition: form-data; name=\"file\"; filename=\"" + name +
                           "\"\r\nContent-Type: application/wasm\r\n\r\n";
  return call("PUT", path, concat({as_bytes(head), content, as_bytes("\r\n--" + boundary + "--\r\n")}),
              "multipart/form-data; boundary=" + boundary);
}

std::string item_path(std::string_view collection, std::string_view id, std::string_view rest) {
  std::string path = "/" + std::string{collection} + "/" + net::percent_encode(id);
  if (!rest.empty()) path += "/" + std::string{rest};
  return path;
}

}  // namespace coffer::cli
