#include "keybroker/admin_access.h"

#include <array>
#include <vector>

#include "codec/jose/jwt.h"
#include "keybroker/acl.h"
#include "keybroker/key_files.h"
#include "keybroker/refusal.h"

namespace coffer::keybroker {
namespace {

namespace jose = codec::jose;
using crypto::SignatureAlgorithm;

// The token's header chooses among these; the library checks that the choice fits the key.
constexpr std::array admin_algorithms{SignatureAlgorithm::eddsa, SignatureAlgorithm::es256, SignatureAlgorithm::es384,
                                      SignatureAlgorithm::es512, SignatureAlgorithm::rs256, SignatureAlgorithm::rs384,
                                      SignatureAlgorithm::rs512, SignatureAlgorithm::ps256, SignatureAlgorithm::ps384,
                                      SignatureAlgorithm::ps512};

struct KnownPersona {
  std::string id;
  crypto::PublicKey key;
};

struct Provider {
  std::optional<std::string> issuer;
  std::optional<std::string> audience;
  std::vector<jose::Jwk> keys;  // one without kid where it came as PEM
};

Result<crypto::PublicKey> read_public_key(const std::string& uri, std::string_view what) {
  auto key = crypto::PublicKey::from_pem(TRY(read_uri(uri, what)));
  if (key) return key;
  return fail(BrokerError::config_file, std::string{what} + ": " + uri + ": " + key.error().message);
}

Result<Provider> load_provider(const IdentityProvider& config) {
  Provider provider{config.issuer, config.audience, {}};
  if (!config.public_key_uri.empty()) {
    provider.keys.push_back({ TRY(read_public_key(config.public_key_uri, "public_key_uri")) });
  }
  if (!config.jwk_set_uri.empty()) {
    auto keys = jose::parse_jwk_set(TRY(read_uri(config.jwk_set_uri, "jwk_set_uri")));
    if (!keys)
      return fail(BrokerError::config_file, "jwk_set_uri: " + config.jwk_set_uri + ": " + keys.error().message);
    provider.keys.insert(provider.keys.end(), keys->begin(), keys->end());
  }
  return provider;
}

std::unexpected<Error> denied(std::string_view path, std::string_view cause) {
  return fail(BrokerError::admin_denied,
              "admin access denied for endpoint " + std::string{path} + ": " + std::string{cause});
}

// A key from a set must be named by the token's kid (RFC 7515 section 4.1.4); a PEM key has no name and always stands.
bool may_use(const jose::Jwk& key, const std::optional<std::string>& kid) {
  return !key.kid || (kid && *key.kid == *kid);
}

std::optional<std::string> key_id(std::string_view token) {
  const auto unverified = jose::UnverifiedJwt::parse(token);
  if (!unverified) return std::nullopt;
  const auto* kid = unverified->header.find("kid");
  const auto* text = kid != nullptr ? kid->if_string() : nullptr;
  return text != nullptr ? std::optional{*text} : std::nullopt;
}

}  // namespace

struct AdminAccess::Impl {
  AdminMode mode = AdminMode::deny_all;
  std::vector<KnownPersona> personas;
  std::vector<Provider> providers;
  std::optional<Acl> acl;  // create() sets it

  const Acl& rules() const { return *acl; }  // NOLINT(bugprone-unchecked-optional-access)

  Result<std::string> check_simple(std::string_view token, std::string_view path, TimePoint now) const;
  Result<std::string> check_bearer(std::string_view token, std::string_view path, TimePoint now) const;
  std::optional<codec::json::Object> verified_claims(std::string_view token, TimePoint now) const;
};

Result<std::string> AdminAccess::Impl::check_simple(std::string_view token, std::string_view path,
                                                    TimePoint now) const {
  for (const auto& persona : personas) {
    const auto jwt = jose::VerifiedJwt::verify(token, persona.key, admin_algorithms, {.now = now});
    if (!jwt) continue;
    if (rules().empty() || rules().allows(persona.id, path)) return persona.id;
    return denied(path, "Role " + persona.id + " not allowed for path " + std::string{path});
  }
  return denied(path, "Cannot verify token with any of the issuers (the keys of " + std::to_string(personas.size()) +
                          " personas)");
}

std::optional<codec::json::Object> AdminAccess::Impl::verified_claims(std::string_view token, TimePoint now) const {
  const auto kid = key_id(token);
  for (const auto& provider : providers) {
    const jose::JwtRules rules{.now = now, .issuer = provider.issuer, .audience = provider.audience};
    for (const auto& key : provider.keys) {
      if (!may_use(key, kid)) continue;
      const auto jwt = jose::VerifiedJwt::verify(token, key.key, admin_algorithms, rules);
      if (jwt) return jwt->claims();
    }
  }
  return std::nullopt;
}

Result<std::string> AdminAccess::Impl::check_bearer(std::string_view token, std::string_view path,
                                                    TimePoint now) const {
  const auto claims = verified_claims(token, now);
  if (!claims) return denied(path, "Cannot verify token with any of the issuers");
  const auto* role = claims->find("role");
  if (role == nullptr || role->if_string() == nullptr) return denied(path, "Missing required `role` claim in JWT");
  if (rules().allows(*role->if_string(), path)) return *role->if_string();
  return denied(path, "Role " + *role->if_string() + " not allowed for path " + std::string{path});
}

AdminAccess::AdminAccess(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
AdminAccess::~AdminAccess() = default;

Result<std::unique_ptr<AdminAccess>> AdminAccess::create(const AdminConfig& config) {
  auto impl = std::make_unique<Impl>();
  impl->mode = config.mode;
  for (const auto& persona : config.personas) {
    impl->personas.push_back({ persona.id, TRY(read_public_key(persona.public_key_path.string(), "public_key_path")) });
  }
  for (const auto& provider : config.identity_providers) impl->providers.push_back(TRY(load_provider(provider)));
  impl->acl = TRY(Acl::create(config.mode == AdminMode::simple ? config.roles : config.acls));
  return std::unique_ptr<AdminAccess>(new AdminAccess(std::move(impl)));
}

Result<std::string> AdminAccess::check(const net::Headers& headers, std::string_view path, TimePoint now) const {
  if (impl_->mode == AdminMode::insecure_allow_all) return std::string{"anyone"};
  if (impl_->mode == AdminMode::deny_all) {
    return denied(path, "Admin access denied as DenyAll authorization_mode is enabled");
  }
  const auto token = bearer_token(headers);
  if (!token) return denied(path, "request unauthorized: no Bearer token in the Authorization header");
  return impl_->mode == AdminMode::simple ? impl_->check_simple(*token, path, now)
                                          : impl_->check_bearer(*token, path, now);
}

std::optional<std::string_view> bearer_token(const net::Headers& headers) {
  const auto value = headers.get("Authorization");
  constexpr std::string_view scheme = "bearer ";  // RFC 9110 section 11.1: schemes compare without case
  if (!value || value->size() <= scheme.size()) return std::nullopt;
  for (std::size_t i = 0; i < scheme.size(); ++i) {
    if (std::tolower(static_cast<unsigned char>((*value)[i])) != scheme[i]) return std::nullopt;
  }
  return value->substr(scheme.size());
}

}  // namespace coffer::keybroker
