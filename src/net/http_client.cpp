#include "net/http_client.h"

#include <openssl/x509.h>

#include <algorithm>
#include <charconv>

#include "net/detail/curl_handle.h"
#include "net/detail/curl_transfer.h"
#include "net/detail/openssl_pem.h"
#include "net/detail/redirect.h"
#include "net/url.h"

namespace coffer::net {
namespace {

using Deadline = std::chrono::steady_clock::time_point;

std::optional<std::uint64_t> announced_size(const HttpResponse& head) {
  const auto text = head.headers.get("Content-Length").value_or("");
  std::uint64_t size = 0;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), size);
  if (text.empty() || ec != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return size;
}

// The sink of send().
class Collector final : public BodySink {
 public:
  Collector(std::size_t limit, bool has_body) : limit_(limit), has_body_(has_body) {}

  Result<> on_head(const HttpResponse& head) override {
    const auto size = announced_size(head);
    if (!size || !has_body_) return {};
    if (*size > limit_) return over_limit(*size);
    body_.reserve(*size);
    return {};
  }

  Result<> on_data(ByteView data) override {
    if (data.size() > limit_ - body_.size()) return over_limit(body_.size() + data.size());
    body_.insert(body_.end(), data.begin(), data.end());
    return {};
  }

  Bytes take() { return std::move(body_); }

 private:
  Result<> over_limit(std::uint64_t size) const {
    return fail(NetError::too_large,
                "the answer has at least " + std::to_string(size) + " bytes, the limit is " + std::to_string(limit_));
  }

  std::size_t limit_;
  bool has_body_;
  Bytes body_;
};

Result<> check_message(const HttpRequest& request) {
  if (!is_token(request.method)) return fail(NetError::bad_message, "the method is no HTTP token");
  for (const auto& [name, value] : request.headers) {
    if (!is_token(name)) return fail(NetError::bad_message, "a header name is no HTTP token");
    if (!is_field_value(value)) {
      return fail(NetError::bad_message, "the value of header " + name + " holds a control character");
    }
  }
  return {};
}

Result<std::vector<detail::X509Handle>> read_roots(const std::vector<std::string>& pems) {
  std::vector<detail::X509Handle> roots;
  for (const auto& pem : pems) {
    auto read = TRY(detail::read_certificates(pem));
    if (read.empty()) return fail(NetError::bad_configuration, "expected a root certificate in PEM, found none");
    std::ranges::move(read, std::back_inserter(roots));
  }
  return roots;
}

Result<> read_identity(const HttpClientOptions& options, detail::ClientSettings& settings) {
  if (options.client_certificate_pem.empty() != options.client_key_pem.empty()) {
    return fail(NetError::bad_configuration, "expected a client certificate together with its key, found one of them");
  }
  if (options.client_key_pem.empty()) return {};
  settings.own_chain = TRY(detail::read_certificates(options.client_certificate_pem));
  settings.own_key = detail::read_private_key(options.client_key_pem.expose());
  if (settings.own_chain.empty() || !settings.own_key) {
    return fail(NetError::bad_configuration, "expected a client certificate and its unencrypted key in PEM");
  }
  if (X509_check_private_key(settings.own_chain.front().get(), settings.own_key.get()) == 1) return {};
  return fail(NetError::bad_configuration,
              "the client key does not belong to the first client certificate (" + detail::last_openssl_error() + ")");
}

}  // namespace

struct HttpClient::Impl {
  Result<HttpResponse> exchange(const HttpRequest& request, BodySink& sink, const detail::Upload* upload);
  Result<HttpResponse> one_hop(const HttpRequest& request, const detail::Hop& hop, Deadline deadline, BodySink& sink,
                               const detail::Upload* upload);

  detail::ClientSettings settings;
  detail::CurlPool pool;
};

Result<HttpResponse> HttpClient::Impl::one_hop(const HttpRequest& request, const detail::Hop& hop, Deadline deadline,
                                               BodySink& sink, const detail::Upload* upload) {
  const auto left = std::chrono::ceil<Duration>(deadline - std::chrono::steady_clock::now());
  if (left <= Duration{0}) return fail(NetError::timeout, "no time was left to ask " + hop.url.origin());
  const detail::TransferInput input{.hop = hop,
                                    .body = request.body,
                                    .upload = upload,
                                    .timeout = left,
                                    .stall_timeout = request.stall_timeout,
                                    .follows_redirects = request.max_redirects > 0 && upload == nullptr};
  const auto origin = hop.url.origin();
  auto handle = TRY(pool.take(origin));
  auto result = detail::Transfer(handle.get(), settings, input, sink).perform();
  pool.give_back(origin, std::move(handle));
  return result;
}

Result<HttpResponse> HttpClient::Impl::exchange(const HttpRequest& request, BodySink& sink,
                                                const detail::Upload* upload) {
  TRY(check_message(request));
  const auto deadline = std::chrono::steady_clock::now() + request.timeout;
  detail::Hop hop {
    .url = TRY(Url::parse(request.url))
    , .method = request.method, .headers = request.headers, .with_body = !request.body.empty()
  };
  const auto allowed = upload == nullptr ? request.max_redirects : 0;
  for (unsigned followed = 0;; ++followed) {
    auto response = TRY(one_hop(request, hop, deadline, sink, upload));
    if (allowed == 0 || !detail::is_redirect(response)) return response;
    if (followed == allowed) {
      return fail(NetError::redirect,
                  "more than " + std::to_string(allowed) + " redirects, the last one from " + hop.url.origin());
    }
    hop = TRY(detail::follow(hop, response));
  }
}

HttpClient::HttpClient(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
HttpClient::~HttpClient() = default;

Result<std::shared_ptr<HttpClient>> HttpClient::create(HttpClientOptions options) {
  auto impl = std::make_unique<Impl>();
  impl->settings.roots = TRY(read_roots(options.extra_root_pems));
  TRY(read_identity(options, impl->settings));
  impl->settings.options = std::move(options);
  return std::shared_ptr<HttpClient>(new HttpClient(std::move(impl)));
}

Result<HttpResponse> HttpClient::send(const HttpRequest& request) {
  Collector collector(request.max_response_size, request.method != "HEAD");
  auto response = TRY(impl_->exchange(request, collector, nullptr));
  response.body = collector.take();
  return response;
}

Result<HttpResponse> HttpClient::stream(const HttpRequest& request, BodySink& sink) {
  return impl_->exchange(request, sink, nullptr);
}

Result<HttpResponse> HttpClient::upload(const HttpRequest& request, std::uint64_t body_size, const BodySource& read) {
  Collector collector(request.max_response_size, true);
  const detail::Upload upload{body_size, read};
  auto response = TRY(impl_->exchange(request, collector, &upload));
  response.body = collector.take();
  return response;
}

}  // namespace coffer::net
