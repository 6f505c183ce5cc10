// What a broker is told. Filled from Trustee's configuration of any generation (config_file.h) or directly.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "codec/json.h"

namespace coffer::keybroker {

struct HttpConfig {
  std::vector<std::string> sockets{"127.0.0.1:8080"};
  bool insecure_http = false;           // plain HTTP is only served when this says so
  std::filesystem::path private_key{};  // PEM
  std::filesystem::path certificate{};  // PEM, leaf first
  bool tls13_only = false;
  std::size_t max_body_size = 2U << 20;  // bytes; upstream's payload_request_size is in MiB
  // Requests under way at once. Most of them wait for the disk, and those that wait together share one write to it.
  unsigned workers = 16;
};

// An Ed25519, EC or RSA public key (PEM) whose holder is administrator in "Simple" mode.
struct Persona {
  std::string id;
  std::filesystem::path public_key_path;
};

// Which endpoints a role may use: a regular expression from ^/kbs to $, matched on path and query.
struct AclRule {
  std::string role;
  std::string allowed_endpoints;
};

struct IdentityProvider {
  std::optional<std::string> issuer{};
  std::optional<std::string> audience{};
  std::string public_key_uri{};  // PEM: path, file:// or https://
  std::string jwk_set_uri{};     // JWKS: path, file:// or https://
};

enum class AdminMode {
  deny_all,            // upstream's "DenyAll"; also where nothing is configured
  insecure_allow_all,  // "InsecureAllowAll", and the older insecure_api = true
  simple,              // personas of v0.10 to v0.20: a JWT signed by a persona's key
  bearer_jwt,          // v0.21: identity providers and a regex ACL by the claim `role`
};

struct AdminConfig {
  AdminMode mode = AdminMode::deny_all;
  std::vector<Persona> personas{};
  std::vector<AclRule> roles{};  // for simple: by persona id; none: every endpoint
  std::vector<IdentityProvider> identity_providers{};
  std::vector<AclRule> acls{};
};

enum class AttestationKind { none, builtin, grpc };

struct TokenSignerConfig {
  std::filesystem::path key_path{};   // P-256 PEM; none: a key made once and kept in the store
  std::filesystem::path cert_path{};  // chain, leaf first, for x5c
  std::string cert_url{};             // for x5u
};

struct AttestationConfig {
  AttestationKind kind = AttestationKind::none;
  Duration session_timeout = std::chrono::minutes{5};
  std::string as_addr = "http://127.0.0.1:50004";  // grpc
  // builtin
  Duration token_duration = std::chrono::minutes{5};
  std::string issuer_name = "CoCo-Attestation-Service";
  std::string developer_name = "https://confidentialcontainers.org";
  std::string build_name = "attestation-service 0.1.0";
  std::string profile_name = "tag:github.com,2024:confidential-containers/Trustee";
  bool verbose_token = true;
  TokenSignerConfig signer{};
  codec::json::Object verifier_config{};  // each verifier reads its own member (trustee.md 7)
};

// Whom to believe when a token comes from elsewhere (passport).
struct TokenTrustConfig {
  std::vector<std::filesystem::path> trusted_certs_paths{};
  std::vector<std::string> trusted_jwk_sets{};    // https://, file:// or path
  std::vector<std::string> extra_teekey_paths{};  // JSON pointers
  bool insecure_header_jwk = false;
};

enum class StorageKind { memory, local_fs, sqlite };

struct StorageConfig {
  StorageKind kind = StorageKind::memory;
  std::filesystem::path path{};  // directory of local_fs, file of sqlite
};

// Where resources live. Without `repository` they are in the store's namespace "repository".
struct ResourceConfig {
  bool enabled = true;
  std::optional<std::filesystem::path> repository{};  // LocalFs as before v0.19: nested repo/type/tag
  std::size_t max_resource_size = 2U << 20;
};

// Which policy guards resources while the owner has set none.
enum class DefaultPolicy { upstream, affirming, allow_all, deny_all };

struct AuditConfig {
  std::size_t max_records = 100'000;
  Duration max_age = std::chrono::hours{24 * 90};
};

// Where verifiers get endorsements that are not in the evidence.
struct CollateralConfig {
  bool offline = false;  // only what the store holds, as `coffer collateral import` put it there
  std::map<std::string, std::string> services{};  // base URL by service: "amd-kds", "intel-pcs"
  Duration timeout = std::chrono::seconds{5};     // of all questions for one piece of evidence together
};

// Our own switches, the table [coffer]. Each departs from upstream, or restores it, by explicit choice.
struct CofferConfig {
  std::vector<std::string> allow_tees{};  // TEEs that need to be chosen by name: "sample", "sampledevice"
  bool unattested_reads = false;          // serve plaintext resources without any attestation. Dangerous
  int missing_resource_status = 404;      // or 401 as upstream
  DefaultPolicy default_policy = DefaultPolicy::upstream;
  std::vector<std::filesystem::path> simulator_roots{};  // PEM files, for allow_tees such as "simulated:snp"
  CollateralConfig collateral{};
  AuditConfig audit{};
};

struct Config {
  HttpConfig http{};
  AdminConfig admin{};
  AttestationConfig attestation{};
  TokenTrustConfig token_trust{};
  StorageConfig storage{};
  std::optional<StorageConfig> session_storage{};  // none: `storage`
  ResourceConfig resources{};
  // A Rego file installed as resource policy at start where the store has none (the older policy_path).
  std::optional<std::filesystem::path> policy_path{};
  CofferConfig coffer{};
  // What the reader wants said at start: unknown keys, older generations, assumptions. One sentence each.
  std::vector<std::string> notices{};
};

}  // namespace coffer::keybroker
