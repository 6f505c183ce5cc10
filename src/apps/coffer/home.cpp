#include "apps/coffer/home.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>

#include "apps/coffer/context.h"
#include "base/clock.h"
#include "codec/json.h"
#include "crypto/x509.h"

namespace coffer::cli {
namespace {

namespace fs = std::filesystem;

std::string default_directory() {
  if (const char* named = std::getenv("COFFER_HOME"); named != nullptr && *named != '\0') return named;
  const char* user = std::getenv("HOME");
  return (fs::path(user != nullptr ? user : ".") / ".coffer").string();
}

}  // namespace

fs::path Home::simulator() const {
  const char* named = std::getenv("COFFER_SIMULATOR");
  return named != nullptr && *named != '\0' ? fs::path(named) : directory_ / "simulator";
}

namespace {

// A TOML basic string: JSON's escapes are a subset of TOML's.
std::string toml_string(std::string_view text) {
  return codec::json::serialize(codec::json::Value(text));
}

bool names_simulated(const std::vector<std::string>& tees) {
  return std::ranges::any_of(tees, [](const std::string& tee) { return tee.starts_with("simulated:"); });
}

std::string toml_list(const std::vector<std::string>& items) {
  std::string text = "[";
  for (const auto& item : items) text += (text.size() > 1 ? ", " : "") + toml_string(item);
  return text + "]";
}

std::string broker_configuration_text(const Home& home, const InitOptions& options) {
  std::string text =
      "# Coffer's broker, in the format of Trustee's KBS. `coffer up` reads it.\n"
      "[http_server]\n"
      "sockets = [" +
      toml_string(options.listen) + "]\n";
  if (options.tls_names.empty()) {
    text += "insecure_http = true\n";
  } else {
    text += "certificate = " + toml_string(home.tls_certificate().string()) + "\n" +
            "private_key = " + toml_string(home.tls_key().string()) + "\n";
  }
  text +=
      "\n[attestation_service]\n"
      "type = \"coco_as_builtin\"\n"
      "attestation_type = \"background_check\"\n"
      "\n[admin]\n"
      "authorization_mode = \"AuthenticatedAuthorization\"\n"
      "\n[[admin.authentication.bearer_jwt.identity_providers]]\n"
      "public_key_uri = " +
      toml_string(home.admin_public_key().string()) +
      "\n"
      "\n[[admin.authorization.regex_acl.acls]]\n"
      "role = \"admin\"\n"
      "allowed_endpoints = \"^/kbs/.+$\"\n"
      "\n[storage_backend]\n"
      "storage_type = \"Sqlite\"\n"
      "\n[storage_backend.backends.sqlite]\n"
      "path = " +
      toml_string(home.store().string()) +
      "\n"
      "\n[[plugins]]\n"
      "name = \"resource\"\n"
      "storage_backend_type = \"kvstorage\"\n";
  if (!options.allow_tees.empty()) {
    text +=
        "\n# Evidence that proves nothing is accepted because someone asked for it by name, and until a policy is set\n"
        "# every guest that attested gets what it asks for. For playing; `coffer policy affirming` is a policy to "
        "have.\n"
        "[coffer]\n"
        "allow_tees = " +
        toml_list(options.allow_tees) +
        "\n"
        "default_policy = \"allow_all\"\n";
  }
  if (names_simulated(options.allow_tees)) {
    text += "simulator_roots = " + toml_list({(home.simulator() / "root.pem").string()}) +
            "\n"
            "\n# Simulated TDX and SGX machines have their collateral from the simulator, real ones from elsewhere.\n"
            "[attestation_service.verifier_config.dcap_verifier]\n"
            "collateral_service = " +
            toml_string("file://" + (home.simulator() / "dcap-collateral.json").string()) + "\n";
  }
  return text;
}

// Keys that are there already are kept: other homes may trust them.
Result<> create_simulator(const Home& home) {
  if (std::filesystem::exists(home.simulator() / "root.pem")) return {};
  return make_simulator(home.simulator());
}

Result<> create_admin_key(const Home& home) {
  const auto key = TRY(crypto::PrivateKey::generate(crypto::KeyKind::ed25519));
  TRY(write_file(home.admin_key(), key.to_pem_pkcs8().expose(), 0600));
  return write_file(home.admin_public_key(), as_bytes(key.public_key().to_pem()));
}

// A private authority that lives for this call alone signs the server's certificate, so that nothing else can ever be
// signed by what clients are told to trust.
Result<> create_tls_identity(const Home& home, const std::vector<std::string>& names) {
  const auto now = system_clock().now();
  const auto not_after = now + std::chrono::hours{24 * 365 * 2};
  const auto authority_key = TRY(crypto::PrivateKey::generate(crypto::KeyKind::ec_p256));
  const auto authority = TRY(crypto::self_sign({.common_name = "Coffer home authority",
                                                .not_before = now - std::chrono::hours{1},
                                                .not_after = not_after,
                                                .is_ca = true},
                                               authority_key));
  crypto::CertificateRequest request{
      .common_name = names.front(), .not_before = now - std::chrono::hours{1}, .not_after = not_after};
  for (const auto& name : names) {
    const bool address = name.find_first_not_of("0123456789.") == std::string::npos || name.contains(':');
    (address ? request.ip_addresses : request.dns_names).push_back(name);
  }
  const auto key = TRY(crypto::PrivateKey::generate(crypto::KeyKind::ec_p256));
  const auto certificate = TRY(crypto::issue(request, key.public_key(), {authority, authority_key}));
  TRY(write_file(home.tls_key(), key.to_pem_pkcs8().expose(), 0600));
  TRY(write_file(home.tls_certificate(), as_bytes(certificate.to_pem() + authority.to_pem())));
  return write_file(home.tls_authority(), as_bytes(authority.to_pem()));
}

}  // namespace

Home::Home(const std::string& directory)
    : directory_(fs::absolute(directory.empty() ? default_directory() : directory).lexically_normal()) {}

bool Home::exists() const {
  return fs::exists(broker_configuration());
}

Result<> Home::create(const InitOptions& options) const {
  for (const auto& file : {broker_configuration(), admin_key(), admin_public_key(), store()}) {
    if (fs::exists(file)) {
      return fail(CliError::home_exists, file.string() +
                                             " is there already; nothing was changed. Name another --home, "
                                             "or move the old one away");
    }
  }
  std::error_code error;
  fs::create_directories(directory_, error);
  if (!error) fs::permissions(directory_, fs::perms::owner_all, error);
  if (error) return fail(CliError::file, "cannot make the directory " + directory_.string() + ": " + error.message());
  TRY(create_admin_key(*this));
  if (!options.tls_names.empty()) TRY(create_tls_identity(*this, options.tls_names));
  if (names_simulated(options.allow_tees)) TRY(create_simulator(*this));
  return write_file(broker_configuration(), as_bytes(broker_configuration_text(*this, options)), 0644);
}

std::optional<std::string> Home::running_url() const {
  std::ifstream file(url_file());
  std::string url;
  if (!std::getline(file, url) || url.empty()) return std::nullopt;
  return url;
}

}  // namespace coffer::cli
