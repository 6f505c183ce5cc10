#include "codec/base64.h"
#include "codec/json.h"
#include "crypto/x509.h"
#include "evidence/az_vtpm/az_vtpm.h"
#include "net/http_client.h"

namespace coffer::evidence::az_vtpm {

namespace json = codec::json;

namespace {

constexpr auto timeout = std::chrono::seconds{20};
constexpr std::size_t max_answer = 256U << 10;

std::unexpected<Error> bad_answer(std::string_view path, std::string text) {
  return fail(EvidenceError::device_failed,
              "Azure's metadata service at " + std::string{path} + ": " + std::move(text));
}

class HttpMetadata final : public Metadata {
 public:
  explicit HttpMetadata(std::string base_url) : base_url_(std::move(base_url)) {}

  Result<Bytes> vcek() override {
    constexpr std::string_view path = "/metadata/THIM/amd/certification";
    const auto pem = TRY(member({.url = base_url_ + std::string{path}}, path, "vcekCert"));
    const auto certificate = crypto::Certificate::from_pem(pem);
    if (!certificate) return bad_answer(path, "vcekCert: " + certificate.error().message);
    return certificate->der();
  }

  Result<Bytes> td_quote(ByteView td_report) override {
    constexpr std::string_view path = "/acc/tdquote";
    const json::Value body{json::Object{{"report", codec::base64url_encode(td_report)}}};
    net::HttpRequest request{.method = "POST", .url = base_url_ + std::string{path}};
    request.headers.add("Content-Type", "application/json");
    request.body = to_bytes(json::serialize(body));
    auto quote = codec::base64_decode_lenient(TRY(member(std::move(request), path, "quote")));
    if (!quote) return bad_answer(path, "quote: " + quote.error().message);
    return quote;
  }

 private:
  // A member of the JSON answer.
  Result<std::string> member(net::HttpRequest request, std::string_view path, std::string_view name) const {
    request.headers.add("Metadata", "true");
    request.timeout = timeout;
    request.max_response_size = max_answer;
    const auto client = TRY(net::HttpClient::create({.direct = true}));
    const auto response = client->send(request);
    if (!response) {
      return fail(EvidenceError::no_device, "Azure's metadata service does not answer: " + response.error().message);
    }
    if (response->status != 200) return bad_answer(path, "status " + std::to_string(response->status));
    const auto answer = json::parse(as_text(response->body));
    if (!answer) return bad_answer(path, answer.error().message);
    const auto* value = answer->find(name);
    if (value == nullptr || value->if_string() == nullptr) return bad_answer(path, "no " + std::string{name});
    return *value->if_string();
  }

  std::string base_url_;
};

}  // namespace

std::unique_ptr<Metadata> make_metadata(std::string base_url) {
  return std::make_unique<HttpMetadata>(std::move(base_url));
}

}  // namespace coffer::evidence::az_vtpm
