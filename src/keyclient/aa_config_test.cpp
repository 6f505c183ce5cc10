#include "keyclient/aa_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

namespace coffer::keyclient {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;

Result<AaConfig> toml(std::string_view text) {
  return parse_aa_config(text, AaConfigFormat::toml, "aa.toml", "/etc/aa");
}
Result<AaConfig> json(std::string_view text) {
  return parse_aa_config(text, AaConfigFormat::json, "aa.json", "/etc/aa");
}

TEST(AaConfig, reads_upstreams_file) {
  const auto config = toml(R"([token_configs.coco_as]
url = "http://127.0.0.1:8080"
[token_configs.kbs]
url = "https://kbs.example:8443"
cert = """-----BEGIN CERTIFICATE-----
MIIB
-----END CERTIFICATE-----
"""
tee_key_algorithm = "ECDH-ES+A256KW-P521"
[eventlog_config]
init_pcr = 16
enable_eventlog = true
[log]
level = "debug"
)");
  ASSERT_TRUE(config) << to_string(config.error());
  EXPECT_EQ(config->kbs_url, "https://kbs.example:8443");
  EXPECT_THAT(config->kbs_cert_pem, HasSubstr("MIIB"));
  EXPECT_EQ(config->tee_key_algorithm, "ECDH-ES+A256KW-P521");
  EXPECT_EQ(config->issuer_url, "http://127.0.0.1:8080");
  EXPECT_EQ(config->event_log.init_pcr, 16U);
  EXPECT_TRUE(config->event_log.enabled);
  EXPECT_EQ(config->log_level, "debug");
  EXPECT_FALSE(config->offline);
  EXPECT_THAT(config->notices, IsEmpty());
}

TEST(AaConfig, reads_the_same_as_json) {
  const auto config =
      json(R"({"token_configs":{"kbs":{"url":"http://[::1]:8080","cert":null}},"attestation":{"type":"file"}})");
  ASSERT_TRUE(config) << to_string(config.error());
  EXPECT_EQ(config->kbs_url, "http://[::1]:8080");
  EXPECT_TRUE(config->offline);
}

TEST(AaConfig, coco_kbs_is_kbs_by_another_name) {
  const auto config = toml("[token_configs]\n[token_configs.coco_kbs]\nurl = \"http://localhost:8083\"\n");
  ASSERT_TRUE(config);
  EXPECT_EQ(config->kbs_url, "http://localhost:8083");
  EXPECT_THAT(config->notices, IsEmpty());
}

TEST(AaConfig, solution_four_of_the_seed_reads_keys_from_a_directory) {
  const auto config = toml(R"([attestation]
type = "file"

[key_providers]
# Use filesystem key provider instead of KBS
type = "local"
path = "/path/to/keys"

[resources]
# Resource definitions
)");
  ASSERT_TRUE(config) << to_string(config.error());
  EXPECT_TRUE(config->offline);
  EXPECT_EQ(config->key_directory, "/path/to/keys");
  EXPECT_TRUE(config->resources.empty());
  EXPECT_THAT(config->notices, IsEmpty());
}

TEST(AaConfig, resources_map_uris_and_paths_to_files_beside_the_configuration) {
  const auto config = toml("[resources]\n\"kbs:///default/key/a\" = \"keys/a\"\n\"default/key/b\" = \"/abs/b\"\n");
  ASSERT_TRUE(config);
  EXPECT_EQ(config->resources.at("kbs:///default/key/a"), "/etc/aa/keys/a");
  EXPECT_EQ(config->resources.at("default/key/b"), "/abs/b");
}

TEST(AaConfig, attestation_type_is_understood_wherever_it_stands) {
  EXPECT_EQ(toml("attestation_type = \"background_check\"")->mode, "background-check");
  EXPECT_EQ(toml("[attestation_service]\nattestation_type = \"passport\"")->mode, "passport");
  EXPECT_EQ(toml("[attestation]\nattestation_type = \"rcar\"")->mode, "passport");
}

TEST(AaConfig, unknown_keys_are_named_with_their_line) {
  const auto config = toml("[token_configs.kbs]\nurl = \"http://h\"\nprobe = 1\n[colour]\nx = 1\n");
  ASSERT_TRUE(config);
  EXPECT_THAT(config->notices, Contains(HasSubstr("aa.toml:3: token_configs.kbs.probe")));
  EXPECT_THAT(config->notices, Contains(HasSubstr("aa.toml:4: colour")));
}

TEST(AaConfig, a_broker_beside_offline_keys_is_noted) {
  const auto config = toml("[attestation]\ntype=\"file\"\n[token_configs.kbs]\nurl = \"http://h\"\n");
  ASSERT_TRUE(config);
  EXPECT_THAT(config->notices, Contains(HasSubstr("is not asked")));
}

struct Wrong {
  std::string_view text;
  KeyClientError code;
  std::string_view expected;  // part of the message, place included
};

TEST(AaConfig, values_that_do_not_fit_are_errors_with_file_and_line) {
  using enum KeyClientError;
  const Wrong cases[] = {
      {"[token_configs.kbs]\nurl = 7\n", config_value,
       "aa.toml:2: token_configs.kbs.url: expected a text, found number"},
      {"[token_configs.kbs]\nurl = \"host:8080\"\n", config_value, "aa.toml:2: token_configs.kbs.url"},
      {"[token_configs.kbs]\ncert = \"/etc/kbs.pem\"\n", config_value, "aa.toml:2: token_configs.kbs.cert"},
      {"[token_configs.kbs]\ntee_key_algorithm = \"P-256\"\n", config_value, "aa.toml:2"},
      {"token_configs = 1\n", config_value, "aa.toml:1: token_configs: expected a table"},
      {"[attestation]\n\ntype = \"magic\"\n", config_value, "aa.toml:3: attestation.type"},
      {"attestation_type = \"direct\"\n", config_value, "aa.toml:1: attestation_type"},
      {"[key_providers]\ntype = \"vault\"\n", config_value, "aa.toml:2: key_providers.type"},
      {"[key_providers]\ntype = \"local\"\n", config_value, "key_providers.path: a local key provider needs"},
      {"[resources]\n\"kbs:///default/key/a\" = 1\n", config_value, "aa.toml:2: resources.kbs:///default/key/a"},
      {"[resources]\n\"http://x/y\" = \"f\"\n", config_value, "aa.toml:2"},
      {"[eventlog_config]\ninit_pcr = 24\n", config_value, "aa.toml:2: eventlog_config.init_pcr: expected 0 to 23"},
      {"[eventlog_config]\ninit_pcr = -1\n", config_value, "expected a whole number"},
      {"[eventlog_config]\nenable_eventlog = \"yes\"\n", config_value, "expected true or false"},
      {"[log]\nlevel = 1\n", config_value, "aa.toml:2: log.level"},
      {"[token_configs.kbs]\nurl = \"http://a\"\n[token_configs.coco_kbs]\nurl = \"http://b\"\n", config_conflict,
       "aa.toml:4: token_configs.coco_kbs.url"},
      {"attestation_type = \"passport\"\n[attestation]\nattestation_type = \"background_check\"\n", config_conflict,
       "aa.toml:3"},
      {"[token_configs\nurl", config_syntax, "aa.toml:1"},
  };
  for (const auto& wrong : cases) {
    const auto config = toml(wrong.text);
    ASSERT_FALSE(config) << wrong.text;
    EXPECT_EQ(config.error().code, wrong.code) << wrong.text << config.error().message;
    EXPECT_THAT(config.error().message, HasSubstr(std::string{wrong.expected}));
  }
}

TEST(AaConfig, json_errors_name_the_file_and_the_member) {
  const auto value = json("{\"token_configs\":\n{\"kbs\":\n{\"url\": 7}}}");
  ASSERT_FALSE(value);
  EXPECT_THAT(value.error().message, HasSubstr("aa.json: token_configs.kbs.url: expected a text"));
  for (const auto* text : {"{", "[]", ""}) {
    const auto config = json(text);
    ASSERT_FALSE(config) << text;
    EXPECT_EQ(config.error().code, KeyClientError::config_syntax);
    EXPECT_THAT(config.error().message, HasSubstr("aa.json"));
  }
}

TEST(AaConfig, a_file_is_read_by_its_extension_and_a_missing_one_is_an_error) {
  char pattern[] = "/tmp/coffer-aa-XXXXXX";
  const std::filesystem::path folder = ::mkdtemp(pattern);
  std::ofstream(folder / "aa.json") << R"({"key_providers":{"type":"local","path":"keys"}})";
  std::ofstream(folder / "aa.yml") << "key_providers:\n  path: keys\n";
  std::ofstream(folder / "aa.toml") << "[key_providers]\npath = \"keys\"\n";
  EXPECT_EQ(load_aa_config(folder / "aa.json")->key_directory, folder / "keys");
  EXPECT_EQ(load_aa_config(folder / "aa.yml")->key_directory, folder / "keys");
  EXPECT_EQ(load_aa_config(folder / "aa.toml")->key_directory, folder / "keys");
  const auto missing = load_aa_config(folder / "none.toml");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, KeyClientError::config_syntax);
  std::ofstream(folder / "big.toml") << std::string(2U << 20, '#');
  EXPECT_FALSE(load_aa_config(folder / "big.toml"));
  std::filesystem::remove_all(folder);
}

TEST(KbcParams, split_at_the_first_pair_of_colons_so_that_ipv6_survives) {
  const auto params = parse_kbc_params("cc_kbc::http://[::1]:8080");
  ASSERT_TRUE(params) << to_string(params.error());
  EXPECT_EQ(params->kbc, "cc_kbc");
  EXPECT_EQ(params->uri, "http://[::1]:8080");
  EXPECT_TRUE(parse_kbc_params("offline_fs_kbc::null"));
}

TEST(KbcParams, refuse_what_does_not_name_a_kbc_and_an_address) {
  for (const auto* text : {"", "cc_kbc", "::http://h", "eaa_kbc::http://h", "cc_kbc::h:8080", "cc_kbc:http://h"}) {
    const auto params = parse_kbc_params(text);
    ASSERT_FALSE(params) << text;
    EXPECT_EQ(params.error().code, KeyClientError::config_value) << text;
  }
}

TEST(KbcParams, fill_what_the_file_left_open_and_conflict_where_they_contradict) {
  AaConfig config;
  ASSERT_TRUE(apply_kbc_params(config, {"cc_kbc", "http://h"}));
  EXPECT_EQ(config.kbs_url, "http://h");
  ASSERT_TRUE(apply_kbc_params(config, {"cc_kbc", "http://h"}));
  const auto conflict = apply_kbc_params(config, {"cc_kbc", "http://other"});
  ASSERT_FALSE(conflict);
  EXPECT_EQ(conflict.error().code, KeyClientError::config_conflict);
  ASSERT_TRUE(apply_kbc_params(config, {"offline_fs_kbc", "null"}));
  EXPECT_TRUE(config.offline);
  EXPECT_EQ(config.kbc_name, "offline_fs_kbc");
}

}  // namespace
}  // namespace coffer::keyclient
