#include "image/testing/fake_registry.h"

#include <algorithm>

#include "codec/base64.h"
#include "crypto/x509.h"
#include "image/digest.h"
#include "net/url.h"

namespace coffer::image::testing {
namespace {

constexpr std::string_view repository = "/v2/team/app/";

net::ServerResponse status(int code) {
  return net::ServerResponse::text(code, "application/json", "{}");
}

std::string header(const net::ServerRequest& request, std::string_view name) {
  return std::string{request.headers.get(name).value_or("")};
}

net::TlsIdentity make_identity() {
  const auto key = crypto::PrivateKey::generate(crypto::KeyKind::ec_p256).value();
  const auto now = system_clock().now();
  const auto certificate = crypto::self_sign({.common_name = "fake registry",
                                              .not_before = now - std::chrono::hours{1},
                                              .not_after = now + std::chrono::hours{1},
                                              .is_ca = true,
                                              .ip_addresses = {"127.0.0.1"}},
                                             key)
                               .value();
  return {certificate.to_pem(), key.to_pem_pkcs8()};
}

}  // namespace

FakeRegistry::FakeRegistry(Auth auth, bool tls) : auth_(auth) {
  net::ServerOptions options;
  options.sockets = {"127.0.0.1:0"};
  options.max_body_size = 64U << 20;
  if (tls) {
    options.tls = make_identity();
    certificate_ = options.tls->certificate_chain_pem;
  }
  server_ = net::HttpServer::start(std::move(options), [this](const auto& request) { return handle(request); }).value();
}

FakeRegistry::~FakeRegistry() {
  server_->stop();
}

void FakeRegistry::set_fault(Fault fault) {
  const std::lock_guard lock{mutex_};
  fault_ = std::move(fault);
}

std::vector<std::string> FakeRegistry::requests() const {
  const std::lock_guard lock{mutex_};
  return requests_;
}

std::size_t FakeRegistry::count(std::string_view beginning) const {
  const auto all = requests();
  return static_cast<std::size_t>(
      std::ranges::count_if(all, [&](const auto& text) { return text.starts_with(beginning); }));
}

net::ServerResponse FakeRegistry::handle(const net::ServerRequest& request) {
  const std::lock_guard lock{mutex_};
  requests_.push_back(request.method + " " + request.target);
  if (fault_) {
    if (auto answer = fault_(request)) return std::move(*answer);
  }
  if (request.path == "/token") return token(request);
  if (auto refusal = challenge(request)) return std::move(*refusal);
  return serve(request);
}

std::optional<net::ServerResponse> FakeRegistry::challenge(const net::ServerRequest& request) const {
  const auto basic = "Basic " + codec::base64_encode(as_bytes(std::string{user} + ":" + std::string{password}));
  const auto given = header(request, "Authorization");
  const bool writes = request.method != "GET";
  const auto wanted = auth_ == Auth::basic ? basic : writes ? "Bearer push-token" : "Bearer pull-token";
  if (auth_ == Auth::open || given == wanted || given == "Bearer push-token") return std::nullopt;
  auto response = status(401);
  response.headers.set("WWW-Authenticate", auth_ == Auth::basic ? std::string{R"(Basic realm="registry")"}
                                                                : R"(Bearer realm="http://)" + header(request, "Host") +
                                                                      R"(/token",service="fake")");
  return response;
}

net::ServerResponse FakeRegistry::token(const net::ServerRequest& request) {
  const auto basic = "Basic " + codec::base64_encode(as_bytes(std::string{user} + ":" + std::string{password}));
  const bool posted = request.method == "POST";
  const auto query = net::parse_query(posted ? as_text(request.body) : request.query).value();
  const auto scope = query.contains("scope") ? query.at("scope") : "";
  if (posted && query.contains("refresh_token") && query.at("refresh_token") == refresh_token) {
    return net::ServerResponse::text(200, "application/json", R"({"access_token":"push-token"})");
  }
  if (scope == "repository:team/app:pull")
    return net::ServerResponse::text(200, "application/json", R"({"token":"pull-token"})");
  if (scope != "repository:team/app:pull,push" || header(request, "Authorization") != basic) return status(401);
  return net::ServerResponse::text(200, "application/json", R"({"access_token":"push-token"})");
}

net::ServerResponse FakeRegistry::serve(const net::ServerRequest& request) {
  if (!request.path.starts_with(repository)) return status(404);
  const auto rest = request.path.substr(repository.size());
  if (rest.starts_with("blobs/uploads/")) return upload(request, rest.substr(14));
  if (rest.starts_with("blobs/")) return blob(request, rest.substr(6));
  if (rest.starts_with("manifests/")) return manifest(request, rest.substr(10));
  if (rest != "tags/list") return status(404);
  if (request.query.empty()) {
    auto page = net::ServerResponse::text(200, "application/json", R"({"tags":["one","two"]})");
    page.headers.set("Link", "</v2/team/app/tags/list?last=two>; rel=\"next\"");
    return page;
  }
  return net::ServerResponse::text(200, "application/json", R"({"tags":["three"]})");
}

net::ServerResponse FakeRegistry::blob(const net::ServerRequest& request, const std::string& digest) {
  const auto found = blobs.find(digest);
  if (found == blobs.end()) return status(404);
  net::ServerResponse response{.body = found->second};
  const auto range = header(request, "Range");
  if (range.starts_with("bytes=")) {
    const auto start = std::stoul(range.substr(6));
    response.status = 206;
    response.headers.set("Content-Range", "bytes " + std::to_string(start) + "-" +
                                              std::to_string(found->second.size() - 1) + "/" +
                                              std::to_string(found->second.size()));
    response.body.erase(response.body.begin(), response.body.begin() + static_cast<std::ptrdiff_t>(start));
  }
  return response;
}

net::ServerResponse FakeRegistry::upload(const net::ServerRequest& request, const std::string& rest) {
  auto answer = status(202);
  if (request.method == "POST") {
    const auto name = std::to_string(next_upload_++);
    uploads_[name];
    answer.headers.set("Location", std::string{repository} + "blobs/uploads/" + name + "?state=x");
    return answer;
  }
  const auto found = uploads_.find(rest);
  if (found == uploads_.end()) return status(404);
  auto& content = found->second;
  content.insert(content.end(), request.body.begin(), request.body.end());
  answer.headers.set("Location", std::string{repository} + "blobs/uploads/" + rest + "?state=y");
  if (request.method == "DELETE") uploads_.erase(found);
  if (request.method != "PUT") return answer;
  const auto query = net::parse_query(request.query).value();
  const auto digest = Digest::of(content).text();
  if (!query.contains("digest") || query.at("digest") != digest) return status(400);
  blobs[digest] = std::move(content);
  uploads_.erase(found);
  return status(201);
}

net::ServerResponse FakeRegistry::manifest(const net::ServerRequest& request, const std::string& selector) {
  if (request.method == "PUT") {
    const std::pair entry{header(request, "Content-Type"), request.body};
    manifests[selector] = entry;
    manifests[Digest::of(request.body).text()] = entry;
    return status(201);
  }
  const auto found = manifests.find(selector);
  if (found == manifests.end()) {
    return net::ServerResponse::text(404, "application/json",
                                     R"({"errors":[{"code":"MANIFEST_UNKNOWN","message":"no such tag"}]})");
  }
  net::ServerResponse response{.body = found->second.second};
  response.headers.set("Content-Type", found->second.first);
  return response;
}

}  // namespace coffer::image::testing
