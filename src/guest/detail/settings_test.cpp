#include "guest/detail/settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

#include "base/log.h"

namespace coffer::guest::detail {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using workload::parse_mode;
namespace fs = std::filesystem;

class SettingsTest : public testing::Test {
 protected:
  void SetUp() override {
    char pattern[] = "/tmp/coffer-settings-XXXXXX";
    root_ = ::mkdtemp(pattern);
  }
  void TearDown() override { fs::remove_all(root_); }

  void configure(std::string_view text) {
    std::ofstream(root_ / "aa.toml") << text;
    options_.aa_config = root_ / "aa.toml";
  }
  Settings gather(std::string_view kbc_params = "") {
    auto settings = gather_settings(options_, kbc_params);
    EXPECT_TRUE(settings) << to_string(settings.error());
    return settings ? std::move(*settings) : Settings{};
  }
  std::string refusal(ErrorCode expected = GuestError::usage, std::string_view kbc_params = "") {
    const auto settings = gather_settings(options_, kbc_params);
    EXPECT_FALSE(settings);
    if (settings) return "";
    EXPECT_EQ(settings.error().code, expected) << to_string(settings.error());
    return settings.error().message;
  }

  fs::path root_;
  RunnerOptions options_{.image = "oci:x"};
};

TEST_F(SettingsTest, nothing_said_leaves_the_mode_open) {
  const auto settings = gather();
  EXPECT_EQ(settings.mode, Mode::automatic);
  EXPECT_FALSE(settings.expect_encrypted);
}

TEST_F(SettingsTest, a_flag_wins_over_the_file_and_the_file_over_the_environment) {
  configure("[token_configs.coco_kbs]\nurl = \"http://file:1\"\n[token_configs.coco_as]\nurl = \"http://as:2\"\n");
  EXPECT_EQ(gather().kbs_url, "http://file:1");
  EXPECT_EQ(gather().issuer_url, "http://as:2");
  options_.kbs_url = "http://flag:3";
  options_.issuer_url = "http://issuer:4";
  EXPECT_EQ(gather("cc_kbc::http://environment:5").kbs_url, "http://flag:3");
  EXPECT_EQ(gather().issuer_url, "http://issuer:4");
  options_ = {.image = "oci:x"};
  EXPECT_EQ(gather("cc_kbc::http://environment:5").kbs_url, "http://environment:5");
}

TEST_F(SettingsTest, the_seeds_file_selects_offline_without_a_mode) {
  configure("[attestation]\ntype = \"file\"\n[key_providers]\ntype = \"local\"\npath = \"keys\"\n");
  const auto settings = gather();
  EXPECT_EQ(settings.mode, Mode::offline);
  EXPECT_THAT(settings.mode_reason, HasSubstr("file"));
  EXPECT_THAT(settings.key_directories, ElementsAre(root_ / "keys"));
}

TEST_F(SettingsTest, each_kbc_name_selects_its_source) {
  options_.kbc_name = "offline_fs_kbc";
  EXPECT_EQ(gather().mode, Mode::offline);
  EXPECT_FALSE(gather().published_key);
  options_.kbc_name = "sample";
  EXPECT_EQ(gather().mode, Mode::offline);
  EXPECT_TRUE(gather().published_key);
  options_.kbc_name = "cc_kbc";
  EXPECT_EQ(gather().mode, Mode::automatic);
  options_.kbc_name = "eaa_kbc";
  EXPECT_THAT(refusal(), HasSubstr("eaa_kbc"));
  options_.kbc_name = "";
  EXPECT_EQ(gather("offline_fs_kbc::null").mode, Mode::offline);
}

TEST_F(SettingsTest, keys_given_without_a_broker_select_offline) {
  std::ofstream(root_ / "keys.json") << "{}";
  options_.offline_keys = {root_, root_ / "keys.json"};
  const auto settings = gather();
  EXPECT_EQ(settings.mode, Mode::offline);
  EXPECT_THAT(settings.key_directories, ElementsAre(root_));
  EXPECT_THAT(settings.key_files, ElementsAre(root_ / "keys.json"));
  options_.kbs_url = "http://broker";
  EXPECT_EQ(gather().mode, Mode::automatic);
}

TEST_F(SettingsTest, an_issuer_on_the_command_line_selects_passport) {
  options_.kbs_url = "http://broker";
  options_.issuer_url = "http://issuer";
  EXPECT_EQ(gather().mode, Mode::passport);
}

TEST_F(SettingsTest, attestation_type_of_the_file_selects_the_mode) {
  configure("attestation_type = \"background_check\"\n[token_configs.kbs]\nurl = \"http://h\"\n");
  EXPECT_EQ(gather().mode, Mode::background_check);
}

TEST_F(SettingsTest, the_files_log_level_holds_unless_the_environment_says_otherwise) {
  configure("[log]\nlevel = \"error\"\n");
  ::unsetenv("RUST_LOG");
  ::unsetenv("COFFER_LOG");
  gather();
  EXPECT_FALSE(log::enabled(log::Level::warn, "runner.x"));
  log::set_filter("info");
  ::setenv("RUST_LOG", "info", 1);
  gather();
  EXPECT_TRUE(log::enabled(log::Level::warn, "runner.x"));
  ::unsetenv("RUST_LOG");
}

TEST_F(SettingsTest, a_named_key_expects_an_encrypted_image) {
  options_.key_id = "kbs:///default/key/k1";
  EXPECT_TRUE(gather().expect_encrypted);
  EXPECT_EQ(gather().key_id->path(), "default/key/k1");
  options_.key_id = "http://not/a/key";
  refusal(codec::ResourceUriError::wrong_scheme);
}

TEST_F(SettingsTest, what_a_mode_needs_is_asked_for_at_once) {
  options_.mode = Mode::background_check;
  EXPECT_THAT(refusal(), HasSubstr("--kbs-uri"));
  options_.mode = Mode::passport;
  options_.kbs_url = "http://h";
  EXPECT_THAT(refusal(), HasSubstr("--issuer-uri"));
}

TEST_F(SettingsTest, contradictions_and_missing_files_are_refused) {
  options_.mode = Mode::background_check;
  options_.kbs_url = "http://h";
  options_.kbc_name = "offline_fs_kbc";
  EXPECT_THAT(refusal(), HasSubstr("offline_fs_kbc"));
  options_ = {.image = "oci:x", .offline_keys = {root_ / "none"}};
  EXPECT_THAT(refusal(), HasSubstr("none"));
  options_ = {.image = "oci:x", .kbs_certificate = root_ / "none.pem"};
  EXPECT_THAT(refusal(), HasSubstr("none.pem"));
  options_ = {.image = "oci:x", .aa_config = root_ / "none.toml"};
  refusal(keyclient::KeyClientError::config_syntax);
  options_ = {.image = "oci:x"};
  refusal(keyclient::KeyClientError::config_value, "nonsense");
}

TEST_F(SettingsTest, certificates_and_init_data_are_read) {
  std::ofstream(root_ / "root.pem") << "PEM";
  std::ofstream(root_ / "init.toml") << "version = \"0.1.0\"\nalgorithm = \"sha256\"\n[data]\n";
  options_.kbs_certificate = root_ / "root.pem";
  options_.init_data = root_ / "init.toml";
  const auto settings = gather();
  EXPECT_THAT(settings.root_pems, ElementsAre("PEM"));
  EXPECT_TRUE(settings.init_data);
  std::ofstream(root_ / "init.toml") << "version = 1\n";
  refusal(evidence::EvidenceError::bad_init_data);
}

TEST(Modes, are_parsed_by_our_names_and_the_seeds) {
  for (const auto mode : {Mode::automatic, Mode::background_check, Mode::passport, Mode::offline}) {
    EXPECT_EQ(*parse_mode(name_of(mode)), mode);
  }
  EXPECT_EQ(*parse_mode("background_check"), Mode::background_check);
  EXPECT_EQ(*parse_mode("rcar"), Mode::passport);
  EXPECT_FALSE(parse_mode("direct"));
}

}  // namespace
}  // namespace coffer::guest::detail
