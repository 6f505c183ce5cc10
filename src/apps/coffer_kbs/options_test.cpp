#include "apps/coffer_kbs/options.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

namespace coffer::kbs {
namespace {

using keybroker::AdminMode;
using keybroker::AttestationKind;

bool says(const keybroker::Config& config, std::string_view text) {
  for (const auto& notice : config.notices) {
    if (notice.find(text) != std::string::npos) return true;
  }
  return false;
}

TEST(Options, the_historic_start_line_works_and_says_what_it_assumed) {
  const auto config = build_config({.auth_public_key = "/admin.pub", .insecure_http = true});
  ASSERT_TRUE(config) << to_string(config.error());
  EXPECT_EQ(config->http.sockets, std::vector<std::string>{"127.0.0.1:8080"});
  EXPECT_TRUE(config->http.insecure_http);
  EXPECT_EQ(config->admin.mode, AdminMode::simple);
  EXPECT_EQ(config->admin.personas.at(0).public_key_path, "/admin.pub");
  EXPECT_EQ(config->attestation.kind, AttestationKind::builtin);
  EXPECT_TRUE(config->coffer.allow_tees.empty());
  EXPECT_TRUE(says(*config, "assuming --socket 127.0.0.1:8080"));
  EXPECT_TRUE(says(*config, "--allow-tee sample"));
  EXPECT_TRUE(says(*config, "--default-policy allow_all"));
  EXPECT_TRUE(says(*config, "kept in memory"));
}

TEST(Options, the_other_historic_options_have_effect) {
  const auto config =
      build_config({.sockets = {"0.0.0.0:1"}, .private_key = "/k", .certificate = "/c", .insecure_api = true});
  ASSERT_TRUE(config);
  EXPECT_EQ(config->http.sockets, std::vector<std::string>{"0.0.0.0:1"});
  EXPECT_EQ(config->http.private_key, "/k");
  EXPECT_EQ(config->http.certificate, "/c");
  EXPECT_EQ(config->admin.mode, AdminMode::insecure_allow_all);
  EXPECT_FALSE(says(*config, "assuming --socket"));
}

TEST(Options, nothing_at_all_is_a_usage_error_that_shows_a_start_line) {
  const auto config = build_config({});
  ASSERT_FALSE(config);
  EXPECT_EQ(config.error().code, ErrorCode{CommandLineError::usage});
  EXPECT_NE(config.error().message.find("--config-file"), std::string::npos);
}

TEST(Options, beside_a_file_options_win_over_it) {
  std::string directory = "/tmp/coffer-kbs-XXXXXX";
  ASSERT_NE(::mkdtemp(directory.data()), nullptr);
  const auto file = std::filesystem::path{directory} / "kbs.toml";
  std::ofstream{file} << "[http_server]\nsockets = [\"127.0.0.1:1\"]\n[coffer]\nallow_tees = [\"sampledevice\"]\n";
  const auto config = build_config({.config_file = file,
                                    .sockets = {"127.0.0.1:2"},
                                    .allow_tees = {"sample"},
                                    .default_policy = "affirming",
                                    .store = "/s.sqlite",
                                    .unattested_reads = true});
  std::filesystem::remove_all(directory);
  ASSERT_TRUE(config) << to_string(config.error());
  EXPECT_EQ(config->http.sockets, std::vector<std::string>{"127.0.0.1:2"});
  EXPECT_EQ(config->coffer.allow_tees, (std::vector<std::string>{"sampledevice", "sample"}));
  EXPECT_EQ(config->coffer.default_policy, keybroker::DefaultPolicy::affirming);
  EXPECT_EQ(config->storage.kind, keybroker::StorageKind::sqlite);
  EXPECT_TRUE(config->coffer.unattested_reads);
}

TEST(Options, an_unknown_policy_name_is_refused) {
  EXPECT_FALSE(build_config({.insecure_http = true, .default_policy = "lenient"}));
}

}  // namespace
}  // namespace coffer::kbs
