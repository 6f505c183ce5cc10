// Credentials of registries, and the challenges that ask for them.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/secret_bytes.h"
#include "image/reference.h"

namespace coffer::image {

struct Credentials {
  std::string username;
  SecretBytes password;
  SecretBytes identity_token{};  // "identitytoken": an OAuth2 refresh token
  SecretBytes access_token{};    // "registrytoken": shown to the registry itself as it is (RFC 6750)

  Credentials clone() const { return {username, password.clone(), identity_token.clone(), access_token.clone()}; }
};

// Docker's config.json and containers' auth.json: {"auths":{"<host[/path]>":{"auth":base64("user:password")}}}.
class AuthConfig {
 public:
  static Result<AuthConfig> parse(ByteView text);
  static Result<AuthConfig> load(const std::filesystem::path& file);
  // REGISTRY_AUTH_FILE, $DOCKER_CONFIG/config.json, ~/.docker/config.json, $XDG_RUNTIME_DIR/containers/auth.json: the
  // first that exists. No file is an empty configuration.
  static Result<AuthConfig> load_default();

  // The longest path prefix of "host/repository", then the host; docker.io and index.docker.io are the same.
  std::optional<Credentials> find(const ImageReference& reference) const;
  void add(std::string_view key, Credentials credentials);

 private:
  std::map<std::string, Credentials> entries_;
};

// One challenge of WWW-Authenticate (RFC 9110 section 11.6.1): the scheme in lower case, its parameters by lower-case
// name.
struct Challenge {
  std::string scheme;
  std::map<std::string, std::string> parameters;
};
// All challenges of one header value, in order. registry_protocol where it does not parse.
Result<std::vector<Challenge>> parse_www_authenticate(std::string_view value);

}  // namespace coffer::image
