#include "image/registry_auth.h"

#include <cstdlib>
#include <fstream>
#include <iterator>

#include "codec/base64.h"
#include "codec/json.h"

namespace coffer::image {
namespace json = codec::json;
namespace {

constexpr std::size_t max_config_file = 1U << 20;

std::unexpected<Error> bad(std::string message) {
  return fail(ImageError::bad_auth_config, std::move(message));
}

// "https://index.docker.io/v1/" and "docker.io" are one key.
std::string normal_key(std::string_view key) {
  for (const std::string_view scheme : {"https://", "http://"}) {
    if (key.starts_with(scheme)) key.remove_prefix(scheme.size());
  }
  while (key.ends_with('/')) key.remove_suffix(1);
  for (const std::string_view version : {"/v1", "/v2"}) {
    if (key.ends_with(version)) key.remove_suffix(version.size());
  }
  const auto host = key.substr(0, key.find('/'));
  if (host == "index.docker.io" || host == "registry-1.docker.io") {
    return "docker.io" + std::string{key.substr(host.size())};
  }
  return std::string{key};
}

std::string text_member(const json::Object& object, std::string_view key) {
  const auto* value = object.find(key);
  const auto* text = value == nullptr ? nullptr : value->if_string();
  return text == nullptr ? std::string{} : *text;
}

Result<std::optional<Credentials>> parse_entry(const std::string& key, const json::Object& entry) {
  Credentials out{text_member(entry, "username"), SecretBytes::copy_of(text_member(entry, "password")),
                  SecretBytes::copy_of(text_member(entry, "identitytoken")),
                  SecretBytes::copy_of(text_member(entry, "registrytoken"))};
  if (const auto auth = text_member(entry, "auth"); !auth.empty()) {
    const auto decoded = codec::base64_decode_secret(as_bytes(auth));
    const auto colon = decoded ? as_text(decoded->expose()).find(':') : std::string_view::npos;
    if (colon == std::string_view::npos) return bad("the \"auth\" of " + key + " is not base64 of user:password");
    const auto text = as_text(decoded->expose());
    out.username = text.substr(0, colon);
    // Docker pads with NUL in some versions.
    auto password = text.substr(colon + 1);
    while (password.ends_with('\0')) password.remove_suffix(1);
    out.password = SecretBytes::copy_of(password);
  }
  if (out.username.empty() && out.identity_token.empty() && out.access_token.empty())
    return std::optional<Credentials>{};
  return std::optional{std::move(out)};
}

// The first file of the usual places that exists.
std::optional<std::filesystem::path> default_file() {
  const auto variable = [](const char* name) -> std::filesystem::path {
    const auto* value = std::getenv(name);
    return value == nullptr ? std::filesystem::path{} : std::filesystem::path{value};
  };
  std::error_code error;
  // Named on purpose: a file that is missing then is an error of load(), not a reason to look elsewhere.
  if (auto named = variable("REGISTRY_AUTH_FILE"); !named.empty()) return named;
  for (const auto& [directory, file] :
       {std::pair{variable("DOCKER_CONFIG"), "config.json"}, std::pair{variable("HOME"), ".docker/config.json"},
        std::pair{variable("XDG_RUNTIME_DIR"), "containers/auth.json"}}) {
    if (!directory.empty() && std::filesystem::exists(directory / file, error)) return directory / file;
  }
  return std::nullopt;
}

}  // namespace

Result<AuthConfig> AuthConfig::parse(ByteView text) {
  const auto document = json::parse(as_text(text), {.max_size = max_config_file, .max_depth = 16});
  if (!document || !document->is_object()) return bad("the registry credentials file is not a JSON object");
  AuthConfig out;
  const auto* auths = document->find("auths");
  if (auths == nullptr || auths->is_null()) return out;
  const auto* entries = auths->if_object();
  if (entries == nullptr) return bad("\"auths\" in the registry credentials file is not an object");
  for (const auto& [key, value] : *entries) {
    const auto* entry = value.if_object();
    if (entry == nullptr) return bad("the entry of " + key + " in the registry credentials file is not an object");
    if (auto credentials = TRY(parse_entry(key, *entry))) out.add(key, std::move(*credentials));
  }
  return out;
}

Result<AuthConfig> AuthConfig::load(const std::filesystem::path& file) {
  std::ifstream stream{file, std::ios::binary};
  const std::string text{std::istreambuf_iterator<char>{stream}, {}};
  if (!stream) return bad("the registry credentials file " + file.string() + " cannot be read");
  auto config = parse(as_bytes(text));
  if (!config) return fail(std::move(config).error().with("file", file.string()));
  return config;
}

Result<AuthConfig> AuthConfig::load_default() {
  const auto file = default_file();
  return file ? load(*file) : AuthConfig{};
}

void AuthConfig::add(std::string_view key, Credentials credentials) {
  entries_.insert_or_assign(normal_key(key), std::move(credentials));
}

std::optional<Credentials> AuthConfig::find(const ImageReference& reference) const {
  auto key = reference.host() + "/" + reference.repository();
  while (true) {
    if (const auto found = entries_.find(key); found != entries_.end()) return found->second.clone();
    const auto slash = key.rfind('/');
    if (slash == std::string::npos) return std::nullopt;
    key.resize(slash);
  }
}

}  // namespace coffer::image
