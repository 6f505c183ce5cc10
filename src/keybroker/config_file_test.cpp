#include "keybroker/config_file.h"

#include <gtest/gtest.h>

#include "keybroker/error.h"

namespace coffer::keybroker {
namespace {

Config read(std::string_view text, ConfigFormat format = ConfigFormat::toml) {
  auto config = parse_config(text, format, "kbs.toml");
  EXPECT_TRUE(config) << to_string(config.error());
  return config ? *std::move(config) : Config{};
}

std::string error_of(std::string_view text, ConfigFormat format = ConfigFormat::toml) {
  const auto config = parse_config(text, format, "kbs.toml");
  return config ? "no error" : to_string(config.error());
}

bool says(const Config& config, std::string_view text) {
  for (const auto& notice : config.notices) {
    if (notice.find(text) != std::string::npos) return true;
  }
  return false;
}

// Trustee to v0.10: everything at top level.
constexpr std::string_view generation_1 = R"(
sockets = ["0.0.0.0:8081"]
insecure_http = true
auth_public_key = "/etc/kbs/admin.pub"

[as_config]
work_dir = "/opt/as"
policy_engine = "opa"
attestation_token_broker = "Simple"

[as_config.attestation_token_config]
duration_min = 7

[as_config.rvps_config]
store_type = "LocalFs"
remote_addr = ""

[attestation_token_config]
attestation_token_type = "CoCo"

[repository_config]
type = "LocalFs"
dir_path = "/srv/repository"

[policy_engine_config]
policy_path = "/srv/policy.rego"
)";

TEST(ConfigFile, reads_the_generation_to_v0_10) {
  const auto config = read(generation_1);
  EXPECT_EQ(config.http.sockets, std::vector<std::string>{"0.0.0.0:8081"});
  EXPECT_TRUE(config.http.insecure_http);
  EXPECT_EQ(config.admin.mode, AdminMode::simple);
  EXPECT_EQ(config.admin.personas.at(0).public_key_path, "/etc/kbs/admin.pub");
  EXPECT_EQ(config.attestation.kind, AttestationKind::builtin);
  EXPECT_EQ(config.attestation.token_duration, std::chrono::minutes{7});
  EXPECT_EQ(config.resources.repository, "/srv/repository");
  EXPECT_EQ(config.policy_path, "/srv/policy.rego");
  EXPECT_TRUE(says(config, "the form of Trustee up to v0.10"));
  EXPECT_FALSE(says(config, "not known"));
}

TEST(ConfigFile, the_oldest_generation_with_grpc_config_uses_the_remote_service) {
  const auto config = read("insecure_http = true\ninsecure_api = true\n[grpc_config]\nas_addr = \"http://as:50004\"\n");
  EXPECT_EQ(config.attestation.kind, AttestationKind::grpc);
  EXPECT_EQ(config.attestation.as_addr, "http://as:50004");
  EXPECT_EQ(config.admin.mode, AdminMode::insecure_allow_all);
}

TEST(ConfigFile, the_oldest_generation_without_a_service_had_it_built_in_unless_it_names_an_issuer) {
  EXPECT_EQ(read("insecure_http = true\n").attestation.kind, AttestationKind::builtin);
  const auto passport = read("insecure_http = true\n[attestation_token_config]\ntrusted_certs_paths = [\"/ca.pem\"]\n");
  EXPECT_EQ(passport.attestation.kind, AttestationKind::none);
}

// v0.11 to v0.15.
constexpr std::string_view generation_2 = R"(
[http_server]
sockets = ["127.0.0.1:8080"]
private_key = "/tls.key"
certificate = "/tls.pem"
payload_request_size = 4

[admin]
auth_public_key = "/admin.pub"

[attestation_token]
insecure_key = true
trusted_certs_paths = ["/ca.pem"]

[attestation_service]
type = "coco_as_builtin"
work_dir = "/opt/as"
policy_engine = "opa"
timeout = 9

[attestation_service.attestation_token_broker]
type = "Ear"
duration_min = 3

[attestation_service.rvps_config]
type = "BuiltIn"

[[plugins]]
name = "resource"
type = "LocalFs"
dir_path = "/srv/repository"

[policy_engine]
policy_path = "/srv/policy.rego"
)";

TEST(ConfigFile, reads_the_generation_of_v0_11) {
  const auto config = read(generation_2);
  EXPECT_EQ(config.http.private_key, "/tls.key");
  EXPECT_EQ(config.http.certificate, "/tls.pem");
  EXPECT_EQ(config.http.max_body_size, 4U << 20);
  EXPECT_EQ(config.admin.mode, AdminMode::simple);
  EXPECT_TRUE(config.token_trust.insecure_header_jwk);
  EXPECT_EQ(config.token_trust.trusted_certs_paths.at(0), "/ca.pem");
  EXPECT_EQ(config.attestation.session_timeout, std::chrono::minutes{9});
  EXPECT_EQ(config.attestation.token_duration, std::chrono::minutes{3});
  EXPECT_EQ(config.resources.repository, "/srv/repository");
  EXPECT_FALSE(says(config, "not known"));
}

// v0.16 to v0.18.
constexpr std::string_view generation_3 = R"(
[http_server]
insecure_http = true

[admin]
type = "Simple"

[[admin.personas]]
id = "admin"
public_key_path = "/admin.pub"

[[admin.roles]]
id = "admin"
allowed_endpoints = "^/kbs/v0/resource/.*$"
)";

TEST(ConfigFile, reads_the_personas_of_v0_16_and_roles_of_v0_17) {
  const auto config = read(generation_3);
  EXPECT_EQ(config.admin.mode, AdminMode::simple);
  EXPECT_EQ(config.admin.personas.at(0).id, "admin");
  EXPECT_EQ(config.admin.roles.at(0).allowed_endpoints, "^/kbs/v0/resource/.*$");
  EXPECT_TRUE(says(config, "authorization_mode"));
}

TEST(ConfigFile, reads_the_other_admin_types) {
  EXPECT_EQ(read("[admin]\ntype = \"DenyAll\"\n").admin.mode, AdminMode::deny_all);
  EXPECT_EQ(read("[admin]\ntype = \"InsecureAllowAll\"\n").admin.mode, AdminMode::insecure_allow_all);
  EXPECT_EQ(read("[admin]\n").admin.mode, AdminMode::simple);
  EXPECT_EQ(read("[admin]\ninsecure_api = true\n").admin.mode, AdminMode::insecure_allow_all);
}

// v0.19 and v0.20.
TEST(ConfigFile, reads_the_storage_of_v0_19) {
  const auto config = read(R"(
[[plugins]]
name = "resource"
type = "kvstorage"
[storage_backend]
storage_type = "LocalFs"
[storage_backend.backends.local_fs]
dir_path = "/srv/storage"
)");
  EXPECT_EQ(config.storage.kind, StorageKind::local_fs);
  EXPECT_EQ(config.storage.path, "/srv/storage");
  EXPECT_EQ(config.resources.repository, std::nullopt);
  EXPECT_TRUE(config.resources.enabled);
}

// v0.21.
constexpr std::string_view generation_5 = R"(
session_storage_type = "Memory"

[http_server]
sockets = ["127.0.0.1:8080"]
insecure_http = true
worker_count = 8
tls_profile = "modern"

[admin]
authorization_mode = "AuthenticatedAuthorization"

[[admin.authentication.bearer_jwt.identity_providers]]
issuer = "issuer"
audience = "kbs"
public_key_uri = "file:///admin.pub"

[[admin.authorization.regex_acl.acls]]
role = "admin"
allowed_endpoints = "^/kbs/.+$"

[attestation_token]
trusted_jwk_sets = ["https://issuer/jwks.json"]
extra_teekey_paths = ["/my/key"]
insecure_header_jwk = false

[attestation_service]
type = "coco_as_builtin"
attestation_type = "background_check"
storage_type = "LocalFs"

[attestation_service.attestation_token_broker]
issuer_name = "me"
verbose_token = false
[attestation_service.attestation_token_broker.signer]
key_path = "/token.key"
cert_path = "/token.pem"

[attestation_service.verifier_config.tpm_verifier]
trusted_ak_keys_dir = "/aks"

[storage_backend]
storage_type = "Sqlite"
[storage_backend.backends.sqlite]
path = "/srv/kbs.sqlite"

[[plugins]]
name = "resource"
storage_backend_type = "kvstorage"
)";

TEST(ConfigFile, reads_the_generation_of_v0_21) {
  const auto config = read(generation_5);
  EXPECT_EQ(config.admin.mode, AdminMode::bearer_jwt);
  EXPECT_EQ(config.admin.identity_providers.at(0).issuer, "issuer");
  EXPECT_EQ(config.admin.acls.at(0).role, "admin");
  EXPECT_EQ(config.http.workers, 8U);
  EXPECT_TRUE(config.http.tls13_only);
  EXPECT_EQ(config.token_trust.trusted_jwk_sets.at(0), "https://issuer/jwks.json");
  EXPECT_EQ(config.token_trust.extra_teekey_paths.at(0), "/my/key");
  EXPECT_EQ(config.attestation.issuer_name, "me");
  EXPECT_FALSE(config.attestation.verbose_token);
  EXPECT_EQ(config.attestation.signer.key_path, "/token.key");
  EXPECT_EQ(config.storage.kind, StorageKind::sqlite);
  ASSERT_TRUE(config.session_storage);
  EXPECT_EQ(config.session_storage->kind, StorageKind::memory);
  EXPECT_FALSE(says(config, "form of Trustee"));
  EXPECT_EQ(codec::json::serialize(codec::json::Value{config.attestation.verifier_config}),
            R"({"tpm_verifier":{"trusted_ak_keys_dir":"/aks"}})");
}

TEST(ConfigFile, reads_where_endorsements_come_from_and_which_simulator_is_trusted) {
  const auto config = read(R"(
[coffer]
allow_tees = ["simulated:snp"]
simulator_roots = ["/home/sim/roots.pem"]
[coffer.collateral]
offline = true
intel-pcs = "http://127.0.0.1:8081"
timeout_seconds = 9
)");
  EXPECT_EQ(config.coffer.simulator_roots, std::vector<std::filesystem::path>{"/home/sim/roots.pem"});
  EXPECT_TRUE(config.coffer.collateral.offline);
  EXPECT_EQ(config.coffer.collateral.services.at("intel-pcs"), "http://127.0.0.1:8081");
  EXPECT_FALSE(config.coffer.collateral.services.contains("amd-kds"));
  EXPECT_EQ(config.coffer.collateral.timeout, std::chrono::seconds{9});
}

TEST(ConfigFile, a_vendor_service_nobody_knows_is_an_error) {
  EXPECT_NE(error_of("[coffer.collateral]\namd-pcs = \"http://127.0.0.1\"\n").find("amd-pcs"), std::string::npos);
}

TEST(ConfigFile, reads_the_seeds_background_check_file) {
  const auto config = read(R"(
[http_server]
sockets = ["0.0.0.0:8080"]
insecure_http = true
[attestation_service]
type = "coco_as_grpc"
as_addr = "http://as:50004"
attestation_type = "background_check"
[admin]
type = "Simple"
[[admin.personas]]
id = "admin"
public_key_path = "/opt/confidential-containers/kbs/user-keys/public.pub"
[[plugins]]
name = "resource"
type = "LocalFs"
dir_path = "/opt/confidential-containers/kbs/repository"
)");
  EXPECT_EQ(config.attestation.kind, AttestationKind::grpc);
  EXPECT_EQ(config.resources.repository, "/opt/confidential-containers/kbs/repository");
  EXPECT_FALSE(says(config, "not known"));
}

TEST(ConfigFile, reads_the_seeds_simple_file_as_a_broker_that_trusts_nobody_and_nobody_administers) {
  const auto config = read(R"(
[http_server]
sockets = ["0.0.0.0:8083"]
insecure_http = true
[attestation_token]
trusted_certs_paths = []
[[plugins]]
name = "resource"
type = "LocalFs"
dir_path = "/opt/confidential-containers/kbs/repository"
)");
  EXPECT_EQ(config.attestation.kind, AttestationKind::none);
  EXPECT_EQ(config.admin.mode, AdminMode::deny_all);
  EXPECT_TRUE(says(config, "there is no [admin] section"));
}

TEST(ConfigFile, reads_yaml_and_json) {
  const auto yaml =
      read("http_server:\n  insecure_http: true\nadmin:\n  authorization_mode: DenyAll\n", ConfigFormat::yaml);
  EXPECT_TRUE(yaml.http.insecure_http);
  const auto json =
      read(R"({"http_server":{"insecure_http":true},"admin":{"authorization_mode":"DenyAll"}})", ConfigFormat::json);
  EXPECT_TRUE(json.http.insecure_http);
}

TEST(ConfigFile, names_file_line_and_expectation_of_a_wrong_value) {
  EXPECT_EQ(error_of("[http_server]\nsockets = [\"a:1\"]\ninsecure_http = \"yes\"\n"),
            "broker.config_value: kbs.toml:3: http_server.insecure_http: expected true or false, found string \"yes\"");
  EXPECT_EQ(
      error_of("http_server:\n  worker_count: many\n", ConfigFormat::yaml),
      "broker.config_value: kbs.toml:2: http_server.worker_count: expected an integer from 1 to 1024, found string "
      "\"many\"");
  EXPECT_EQ(error_of("{\n\"http_server\": 7\n}", ConfigFormat::json),
            "broker.config_value: kbs.toml:2: http_server: expected a table, found number 7");
}

TEST(ConfigFile, a_file_that_does_not_parse_says_where) {
  EXPECT_TRUE(error_of("[http_server\n").starts_with("broker.config_syntax: kbs.toml:1:"));
  EXPECT_TRUE(error_of("a: [", ConfigFormat::yaml).starts_with("broker.config_syntax: kbs.toml:"));
  EXPECT_TRUE(error_of("{", ConfigFormat::json).starts_with("broker.config_syntax: kbs.toml:"));
  EXPECT_TRUE(error_of("- a\n", ConfigFormat::yaml).starts_with("broker.config_value: kbs.toml: expected a table"));
}

TEST(ConfigFile, an_unknown_key_of_upstreams_format_is_a_notice_with_its_line) {
  const auto config = read("surprise = 1\n[http_server]\ninsecure_htpt = true\n");
  EXPECT_TRUE(says(config, "kbs.toml:1: surprise: this key is not known"));
  EXPECT_TRUE(says(config, "kbs.toml:3: http_server.insecure_htpt: this key is not known"));
}

TEST(ConfigFile, an_unknown_key_of_ours_or_of_admin_is_an_error) {
  EXPECT_EQ(error_of("[coffer]\nallow_tee = [\"sample\"]\n"),
            "broker.config_unknown_key: kbs.toml:2: coffer.allow_tee: this key is not known");
  EXPECT_EQ(error_of("[admin]\ntype = \"Simple\"\npersona = []\n"),
            "broker.config_unknown_key: kbs.toml:3: admin.persona: this key is not known");
}

TEST(ConfigFile, reads_our_own_switches) {
  const auto config = read(R"(
[coffer]
allow_tees = ["sample"]
unattested_reads = true
missing_resource_status = 401
default_policy = "affirming"
[coffer.audit]
max_records = 10
max_age_days = 2
)");
  EXPECT_EQ(config.coffer.allow_tees, std::vector<std::string>{"sample"});
  EXPECT_TRUE(config.coffer.unattested_reads);
  EXPECT_EQ(config.coffer.missing_resource_status, 401);
  EXPECT_EQ(config.coffer.default_policy, DefaultPolicy::affirming);
  EXPECT_EQ(config.coffer.audit.max_records, 10U);
  EXPECT_EQ(config.coffer.audit.max_age, std::chrono::hours{48});
}

struct BadConfig {
  std::string_view text;
  std::string_view start;
};

class BadConfigTest : public ::testing::TestWithParam<BadConfig> {};

TEST_P(BadConfigTest, is_refused_with_its_reason) {
  const auto& [text, start] = GetParam();
  EXPECT_TRUE(error_of(text).starts_with(start)) << error_of(text);
}

INSTANTIATE_TEST_SUITE_P(
    ConfigFile, BadConfigTest,
    ::testing::Values(
        BadConfig{"attestation_type = \"background_check\"\n[http_server]\n",
                  "broker.config_conflict: kbs.toml:1: attestation_type: background_check needs"},
        BadConfig{"[attestation_service]\nattestation_type = \"background_check\"\n",
                  "broker.config_conflict: kbs.toml:2: attestation_service.attestation_type"},
        BadConfig{"[attestation_service]\ntype = \"coco_as_builtin\"\nattestation_type = \"passport\"\n",
                  "broker.config_conflict: kbs.toml:3: attestation_service.attestation_type: passport is for"},
        BadConfig{"attestation_type = \"passport\"\n[http_server]\n",
                  "broker.config_conflict: kbs.toml:1: attestation_type: passport needs"},
        BadConfig{"attestation_type = \"rcar\"\n", "broker.config_value: kbs.toml:1: attestation_type"},
        BadConfig{"[attestation_service]\ntype = \"intel_ta\"\n",
                  "broker.config_unsupported: kbs.toml:2: attestation_service.type"},
        BadConfig{"[attestation_service]\ntype = \"magic\"\n",
                  "broker.config_value: kbs.toml:2: attestation_service.type"},
        BadConfig{"[attestation_service]\ntimeout = 5\n", "broker.config_value: kbs.toml: attestation_service.type"},
        BadConfig{"[attestation_service]\ntype = \"coco_as_builtin\"\ntimeout = 0\n",
                  "broker.config_value: kbs.toml:3: attestation_service.timeout"},
        BadConfig{"[attestation_service]\ntype = \"coco_as_builtin\"\n[attestation_service.rvps_config]\ntype = "
                  "\"GrpcRemote\"\n",
                  "broker.config_unsupported: kbs.toml:4: attestation_service.rvps_config.type"},
        BadConfig{
            "[attestation_service]\ntype = \"coco_as_builtin\"\n[attestation_service.rvps_config]\ntype = \"Far\"\n",
            "broker.config_value: kbs.toml:4: attestation_service.rvps_config.type"},
        BadConfig{"[as_config]\n[grpc_config]\n", "broker.config_conflict: kbs.toml:2: grpc_config"},
        BadConfig{"[attestation_service]\ntype = \"coco_as_builtin\"\n[as_config]\n",
                  "broker.config_conflict: kbs.toml:1"},
        BadConfig{"[attestation_token]\n[attestation_token_config]\n", "broker.config_conflict: kbs.toml:2"},
        BadConfig{"[storage_backend]\nstorage_type = \"Postgres\"\n",
                  "broker.config_unsupported: kbs.toml:2: storage_backend.storage_type: storage type Postgres is not "
                  "in this build"},
        BadConfig{"[storage_backend]\nstorage_type = \"LocalJson\"\n", "broker.config_unsupported: kbs.toml:2"},
        BadConfig{"[storage_backend]\nstorage_type = \"Redis\"\n", "broker.config_unsupported: kbs.toml:2"},
        BadConfig{"[storage_backend]\nstorage_type = \"Floppy\"\n", "broker.config_value: kbs.toml:2"},
        BadConfig{"[storage_backend]\nstorage_type = \"LocalFs\"\n",
                  "broker.config_value: kbs.toml:2: storage_backend.storage_type: expected "
                  "[storage_backend.backends.local_fs]"},
        BadConfig{"session_storage_type = \"Postgres\"\n",
                  "broker.config_unsupported: kbs.toml:1: session_storage_type"},
        BadConfig{"[[plugins]]\nname = \"resource\"\ntype = \"Vault\"\n",
                  "broker.config_unsupported: kbs.toml:3: plugins[0].type"},
        BadConfig{"[[plugins]]\nname = \"resource\"\ntype = \"Tape\"\n",
                  "broker.config_value: kbs.toml:3: plugins[0].type"},
        BadConfig{"[repository_config]\n[[plugins]]\nname = \"resource\"\n", "broker.config_conflict: kbs.toml:1"},
        BadConfig{"[repository_config]\ntype = \"Aliyun\"\n", "broker.config_unsupported: kbs.toml:2"},
        BadConfig{"sockets = [\"a:1\"]\n[http_server]\n", "broker.config_conflict: kbs.toml:1: sockets"},
        BadConfig{"[http_server]\nsockets = []\n", "broker.config_value: kbs.toml:2: http_server.sockets"},
        BadConfig{"[http_server]\nsockets = [1]\n",
                  "broker.config_value: kbs.toml:2: http_server.sockets: expected a list of texts"},
        BadConfig{"[http_server]\ntls_profile = \"best\"\n",
                  "broker.config_value: kbs.toml:2: http_server.tls_profile"},
        BadConfig{"[http_server]\ntls_min_version = \"TLSv1_3\"\n",
                  "broker.config_value: kbs.toml:2: http_server.tls_min_version"},
        BadConfig{"auth_public_key = \"/k\"\n[admin]\n", "broker.config_conflict: kbs.toml:2: admin"},
        BadConfig{"[admin]\ntype = \"Simple\"\nauthorization_mode = \"DenyAll\"\n",
                  "broker.config_conflict: kbs.toml:2: admin.type"},
        BadConfig{"[admin]\nauth_public_key = \"/k\"\ntype = \"Simple\"\n",
                  "broker.config_conflict: kbs.toml:3: admin.type"},
        BadConfig{"[admin]\ntype = \"Magic\"\n", "broker.config_value: kbs.toml:2: admin.type"},
        BadConfig{"[admin]\nauthorization_mode = \"Magic\"\n",
                  "broker.config_value: kbs.toml:2: admin.authorization_mode"},
        BadConfig{"[admin]\nauthorization_mode = \"AuthenticatedAuthorization\"\n",
                  "broker.config_value: kbs.toml: admin.authentication"},
        BadConfig{"[[admin.personas]]\nid = \"a\"\n",
                  "broker.config_value: kbs.toml: admin.personas[0].public_key_path"},
        BadConfig{"[coffer]\ndefault_policy = \"lenient\"\n", "broker.config_value: kbs.toml:2: coffer.default_policy"},
        BadConfig{"plugins = 3\n", "broker.config_value: kbs.toml:1: plugins: expected a list of tables"}));

TEST(ConfigFile, plugins_that_are_not_built_are_named_and_resources_need_theirs) {
  const auto config = read("[[plugins]]\nname = \"nebula-ca\"\n");
  EXPECT_TRUE(says(config, "plugin nebula-ca is not in this build"));
  EXPECT_FALSE(config.resources.enabled);
}

TEST(ConfigFile, a_directory_of_appraisal_policies_that_is_not_read_is_named) {
  const auto config = read(
      "[attestation_service]\ntype = \"coco_as_builtin\"\n"
      "[attestation_service.attestation_token_broker]\npolicy_dir = \"/srv/policies\"\n");
  EXPECT_TRUE(says(config, "attestation_service.attestation_token_broker.policy_dir has no effect"));
}

TEST(ConfigFile, the_least_tls_version_may_be_said_in_several_ways) {
  EXPECT_TRUE(read("[http_server]\ntls_min_version = \"TLSv1.3\"\n").http.tls13_only);
  EXPECT_TRUE(read("[http_server]\ntls_min_version = \"1.3\"\n").http.tls13_only);
  EXPECT_FALSE(read("[http_server]\ntls_min_version = \"TLSv1.2\"\n").http.tls13_only);
}

TEST(ConfigFile, a_file_that_cannot_be_read_is_named) {
  const auto config = load_config("/nonexistent/kbs.toml");
  ASSERT_FALSE(config);
  EXPECT_EQ(config.error().code, ErrorCode{BrokerError::config_file});
}

}  // namespace
}  // namespace coffer::keybroker
