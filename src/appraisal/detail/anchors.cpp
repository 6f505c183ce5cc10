#include "appraisal/detail/anchors.h"

#include <fstream>

namespace coffer::appraisal::detail {

namespace json = codec::json;

namespace {

constexpr std::size_t max_anchor_size = 1U << 20;
constexpr auto fetch_timeout = std::chrono::seconds{30};
constexpr std::string_view file_scheme = "file://";
constexpr std::string_view https_scheme = "https://";
constexpr std::string_view discovery_path = "/.well-known/openid-configuration";

Error bad(std::string_view name, std::string_view why) {
  return Error{TokenError::bad_anchor, "trust anchor \"" + std::string{name} + "\": " + std::string{why}};
}

Result<std::string> read_anchor_file(std::string_view name) {
  const std::string path{name.starts_with(file_scheme) ? name.substr(file_scheme.size()) : name};
  std::ifstream in{path, std::ios::binary};
  if (!in) return fail(bad(name, "a readable file is expected"));
  std::string text(max_anchor_size + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(in.gcount()));
  if (text.size() > max_anchor_size) return fail(bad(name, "a file of at most 1 MiB is expected"));
  return text;
}

Result<std::vector<codec::jose::Jwk>> keys_of(std::string_view name, std::string_view text) {
  auto keys = codec::jose::parse_jwk_set(text);
  if (!keys) return fail(bad(name, "a JWK set is expected: " + keys.error().message));
  if (keys->empty()) return fail(bad(name, "a JWK set with at least one usable key is expected, found none"));
  return *std::move(keys);
}

class JwkSetFetcher {
 public:
  JwkSetFetcher(net::HttpClient& http, const std::string& name) : http_(http), name_(name) {}

  // The URL itself, then OpenID Connect Discovery 1.0 section 4 below it (trustee.md 2).
  Result<std::vector<codec::jose::Jwk>> fetch() {
    if (const auto direct = get(name_)) {
      if (auto keys = keys_of(name_, *direct)) return keys;
    }
    std::string base = name_;
    while (base.ends_with('/')) base.pop_back();
    const auto document = TRY(get(base + std::string{discovery_path}));
    const auto value = json::parse(document);
    const auto* uri = value ? value->find("jwks_uri") : nullptr;
    if (uri == nullptr || !uri->is_string() || !uri->if_string()->starts_with(https_scheme)) {
      return fail(bad(name_, "neither a JWK set nor a discovery document with an https jwks_uri stands there"));
    }
    return keys_of(name_, TRY(get(*uri->if_string())));
  }

 private:
  Result<std::string> get(const std::string& url) {
    auto response = http_.send({.url = url, .timeout = fetch_timeout, .max_response_size = max_anchor_size});
    if (!response) return fail(bad(name_, "GET " + url + ": " + response.error().message));
    if (response->status != 200) {
      return fail(bad(name_, "GET " + url + " is expected to answer 200, found " + std::to_string(response->status)));
    }
    return to_text(response->body);
  }

  net::HttpClient& http_;
  const std::string& name_;
};

Result<std::vector<codec::jose::Jwk>> load_jwk_set(const std::string& name, const TokenVerifierOptions& options) {
  if (name.starts_with("http://")) return fail(bad(name, "https:// is expected, keys over plain HTTP prove nothing"));
  if (!name.starts_with(https_scheme)) return keys_of(name, TRY(read_anchor_file(name)));
  const auto http = options.http ? options.http : TRY(net::HttpClient::create());
  return JwkSetFetcher{*http, name}.fetch();
}

}  // namespace

const codec::jose::Jwk* Anchors::find(std::string_view kid) const {
  for (const auto& key : keys) {
    if (key.kid == kid) return &key;
  }
  return nullptr;
}

Result<Anchors> load_anchors(const TokenVerifierOptions& options) {
  Anchors out{.certificates = options.trusted_certificates, .keys = {}, .header_jwk = options.insecure_header_jwk};
  for (const auto& path : options.trusted_certs_paths) {
    auto chain = crypto::Certificate::chain_from_pem(TRY(read_anchor_file(path)));
    if (!chain) return fail(bad(path, "PEM certificates are expected: " + chain.error().message));
    out.certificates.insert(out.certificates.end(), chain->begin(), chain->end());
  }
  for (const auto& name : options.trusted_jwk_sets) {
    const auto keys = TRY(load_jwk_set(name, options));
    out.keys.insert(out.keys.end(), keys.begin(), keys.end());
  }
  return out;
}

}  // namespace coffer::appraisal::detail
