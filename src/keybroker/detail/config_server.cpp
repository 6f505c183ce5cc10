#include <algorithm>
#include <array>

#include "keybroker/detail/config_sections.h"

namespace coffer::keybroker::detail {
namespace {

constexpr std::int64_t max_payload_mib = 1024;
// 1.0 and 1.1 ask for less than what is served anyway.
constexpr std::array<std::string_view, 4> tls_versions{"1.0", "1.1", "1.2", "1.3"};
constexpr std::array server_keys{"sockets", "insecure_http", "private_key", "certificate"};

Result<> read_tls(ConfigTable& table, HttpConfig& http) {
  if (const auto profile = TRY(table.text("tls_profile"))) {
    http.tls13_only = *profile == "modern";
    if (*profile == "old" || *profile == "custom") {
      table.notice(table.path() + ".tls_profile " + *profile +
                   " is served as intermediate: TLS 1.2 with AEAD suites, or 1.3");
    } else if (*profile != "modern" && *profile != "intermediate") {
      return table.error(BrokerError::config_value, "tls_profile",
                         "expected old, intermediate, modern or custom, found " + *profile);
    }
  }
  if (const auto least = TRY(table.text("tls_min_version"))) {
    const bool known = std::ranges::any_of(tls_versions, [&](auto version) { return least->ends_with(version); });
    if (!known) {
      return table.error(BrokerError::config_value, "tls_min_version", "expected TLSv1.2 or TLSv1.3, found " + *least);
    }
    http.tls13_only = http.tls13_only || least->ends_with("1.3");
  }
  for (const auto* key : {"tls_max_version", "tls_ciphers", "tls_groups"}) {
    if (table.has(key))
      table.notice(table.path() + "." + key + " has no effect: versions and suites follow tls_profile");
  }
  table.ignore({"tls_max_version", "tls_ciphers", "tls_groups"});
  return {};
}

Result<> read_server_keys(ConfigTable& table, HttpConfig& http) {
  if (auto sockets = TRY(table.texts("sockets"))) {
    if (sockets->empty()) return table.error(BrokerError::config_value, "sockets", "expected one address or more");
    http.sockets = *std::move(sockets);
  }
  TRY(table.read("insecure_http", http.insecure_http));
  TRY(table.read("private_key", http.private_key));
  TRY(table.read("certificate", http.certificate));
  return {};
}

Result<std::vector<AclRule>> read_rules(ConfigTable& table, std::string_view key, std::string_view name_key) {
  std::vector<AclRule> rules;
  for (auto& entry : TRY(table.tables(key))) {
    AclRule rule;
    TRY(entry.read(name_key, rule.role));
    TRY(entry.read("allowed_endpoints", rule.allowed_endpoints));
    if (rule.role.empty()) return entry.error(BrokerError::config_value, name_key, "expected a name");
    TRY(entry.finish_strictly());
    rules.push_back(std::move(rule));
  }
  return rules;
}

Result<> read_personas(ConfigTable& admin, AdminConfig& into) {
  into.mode = AdminMode::simple;
  for (auto& entry : TRY(admin.tables("personas"))) {
    Persona persona;
    TRY(entry.read("id", persona.id));
    TRY(entry.read("public_key_path", persona.public_key_path));
    if (persona.id.empty()) return entry.error(BrokerError::config_value, "id", "expected a name");
    if (persona.public_key_path.empty()) {
      return entry.error(BrokerError::config_value, "public_key_path", "expected the path of a public key in PEM");
    }
    TRY(entry.finish_strictly());
    into.personas.push_back(std::move(persona));
  }
  into.roles = TRY(read_rules(admin, "roles", "id"));
  return {};
}

Result<> read_providers(ConfigTable& admin, AdminConfig& into) {
  auto authentication = TRY(admin.table("authentication"));
  auto jwt = authentication ? TRY(authentication->table("bearer_jwt")) : std::nullopt;
  if (!jwt)
    return admin.error(BrokerError::config_value, "authentication", "expected [admin.authentication.bearer_jwt]");
  for (auto& entry : TRY(jwt->tables("identity_providers"))) {
    IdentityProvider provider {
      .issuer = TRY(entry.text("issuer"))
      , .audience = TRY(entry.text("audience"))
    };
    TRY(entry.read("public_key_uri", provider.public_key_uri));
    TRY(entry.read("jwk_set_uri", provider.jwk_set_uri));
    if (provider.public_key_uri.empty() && provider.jwk_set_uri.empty()) {
      return entry.error(BrokerError::config_value, "public_key_uri", "expected public_key_uri or jwk_set_uri");
    }
    TRY(entry.finish_strictly());
    into.identity_providers.push_back(std::move(provider));
  }
  if (into.identity_providers.empty()) {
    return jwt->error(BrokerError::config_value, "identity_providers", "expected one identity provider or more");
  }
  TRY(jwt->finish_strictly());
  return authentication->finish_strictly();
}

Result<> read_acls(ConfigTable& admin, AdminConfig& into) {
  auto authorization = TRY(admin.table("authorization"));
  auto acl = authorization ? TRY(authorization->table("regex_acl")) : std::nullopt;
  if (!acl) return admin.error(BrokerError::config_value, "authorization", "expected [admin.authorization.regex_acl]");
  into.acls = TRY(read_rules(*acl, "acls", "role"));
  TRY(acl->finish_strictly());
  return authorization->finish_strictly();
}

// v0.21.
Result<> read_authorization_mode(ConfigTable& admin, const std::string& mode, AdminConfig& into) {
  if (mode == "InsecureAllowAll") {
    into.mode = AdminMode::insecure_allow_all;
  } else if (mode == "DenyAll") {
    into.mode = AdminMode::deny_all;
  } else if (mode == "AuthenticatedAuthorization") {
    into.mode = AdminMode::bearer_jwt;
    TRY(read_providers(admin, into));
    TRY(read_acls(admin, into));
  } else {
    return admin.error(BrokerError::config_value, "authorization_mode",
                       "expected AuthenticatedAuthorization, DenyAll or InsecureAllowAll, found " + mode);
  }
  admin.ignore({"authentication", "authorization"});
  return {};
}

// v0.16 to v0.20; without a type, Simple.
Result<> read_admin_type(ConfigTable& admin, const std::string& type, AdminConfig& into) {
  admin.notice("[admin] type = \"" + type +
               "\" is the form of Trustee v0.16 to v0.20; the current one is "
               "authorization_mode with [admin.authentication.bearer_jwt] and [admin.authorization.regex_acl]");
  if (type == "Simple") return read_personas(admin, into);
  if (type == "DenyAll") {
    into.mode = AdminMode::deny_all;
  } else if (type == "InsecureAllowAll") {
    into.mode = AdminMode::insecure_allow_all;
  } else {
    return admin.error(BrokerError::config_value, "type",
                       "expected Simple, DenyAll or InsecureAllowAll, found " + type);
  }
  admin.ignore({"personas", "roles"});
  return {};
}

// v0.11 to v0.15, and the same two keys at top level before that.
Result<bool> read_public_key(ConfigTable& table, AdminConfig& into) {
  const auto open = TRY(table.flag("insecure_api"))
  .value_or(false);
  const auto key = TRY(table.text("auth_public_key"));
  if (!open && !key) return false;
  if (open && key) {
    table.notice("insecure_api = true: administration needs no key, auth_public_key is not used");
  }
  into.mode = open ? AdminMode::insecure_allow_all : AdminMode::simple;
  if (!open) into.personas.push_back({"admin", *key});
  return true;
}

}  // namespace

Result<> read_http(ConfigTable& root, HttpConfig& http) {
  for (const auto* key : server_keys) {
    if (!root.has(key)) continue;
    if (root.has("http_server")) {
      return root.error(BrokerError::config_conflict, key, "stands at top level and [http_server] is given too");
    }
    root.notice(std::string{key} + " at top level is the form of Trustee up to v0.10; it now stands in [http_server]");
  }
  auto table = TRY(root.table("http_server"));
  if (!table) return read_server_keys(root, http);
  TRY(read_server_keys(*table, http));
  if (const auto size = TRY(table->number("payload_request_size", 1, max_payload_mib))) {
    http.max_body_size = static_cast<std::size_t>(*size) << 20;
  }
  if (const auto workers = TRY(table->number("worker_count", 1, 1024))) http.workers = static_cast<unsigned>(*workers);
  TRY(read_tls(*table, http));
  table->finish();
  return {};
}

Result<> read_admin(ConfigTable& root, AdminConfig& admin) {
  if (TRY(read_public_key(root, admin))) {
    if (root.has("admin"))
      return root.error(BrokerError::config_conflict, "admin",
                        "auth_public_key or insecure_api stands at top level too");
    root.notice(
        "auth_public_key and insecure_api at top level are the form of Trustee up to v0.10; the current one is "
        "[admin]");
    return {};
  }
  auto table = TRY(root.table("admin"));
  if (!table) {
    root.notice("there is no [admin] section: nobody may administer this broker");
    return {};
  }
  const auto mode = TRY(table->text("authorization_mode"));
  const auto type = TRY(table->text("type"));
  if (mode && type) return table->error(BrokerError::config_conflict, "type", "authorization_mode is given too");
  const bool by_key = TRY(read_public_key(*table, admin));
  if (by_key && (mode || type)) {
    return table->error(BrokerError::config_conflict, mode ? "authorization_mode" : "type",
                        "auth_public_key or insecure_api is given too");
  }
  if (by_key) table->notice("[admin] auth_public_key and insecure_api are the form of Trustee v0.11 to v0.15");
  if (mode) TRY(read_authorization_mode(*table, *mode, admin));
  if (!mode && !by_key) TRY(read_admin_type(*table, type.value_or("Simple"), admin));
  return table->finish_strictly();
}

}  // namespace coffer::keybroker::detail
