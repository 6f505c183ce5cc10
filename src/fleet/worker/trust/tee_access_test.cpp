#include "fleet/worker/trust/tee_access.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "testing/temporary_directory.h"

namespace coffer::fleet::worker {
namespace {

using ::testing::HasSubstr;

class TeeAccessTest : public ::testing::Test {
 protected:
  Result<std::unique_ptr<TeeAccess>> open() { return TeeAccess::open(config_, root_.path()); }
  std::unique_ptr<TeeAccess> opened() {
    auto access = open();
    EXPECT_TRUE(access) << to_string(access.error());
    return access ? std::move(*access) : nullptr;
  }

  TemporaryDirectory root_;
  Config config_;
};

TEST_F(TeeAccessTest, a_machine_without_a_tee_refuses_encrypted_work_and_says_why) {
  config_.tee.kbs_uri = "http://kbs";
  const auto access = opened();
  EXPECT_FALSE(access->tee());
  EXPECT_EQ(access->refusal()->code, WorkerError::tee_not_available);
  EXPECT_THAT(access->refusal()->message, HasSubstr("TEE runtime not available: this machine shows no TEE"));
  EXPECT_EQ(access->keys("").error().code, WorkerError::tee_not_available);
}

TEST_F(TeeAccessTest, a_tee_that_is_demanded_and_not_there_is_an_error_of_the_start) {
  config_.tee.enabled = true;
  const auto access = open();
  ASSERT_FALSE(access);
  EXPECT_EQ(access.error().code, WorkerError::tee_required);
}

TEST_F(TeeAccessTest, a_tee_without_a_broker_starts_and_refuses_encrypted_work) {
  config_.tee.test_tee = "sample";
  const auto access = opened();
  EXPECT_EQ(access->tee()->type, "sample");
  EXPECT_TRUE(access->tee()->simulated);
  EXPECT_THAT(access->refusal()->message, HasSubstr("PROPLET_KBS_URI"));
}

TEST_F(TeeAccessTest, a_tee_is_found_by_what_the_machine_shows) {
  root_.write("dev/tdx_guest", "");
  config_.tee = {.enabled = true, .kbs_uri = "http://kbs"};
  const auto access = opened();
  ASSERT_TRUE(access->tee());
  EXPECT_EQ(access->tee()->type, "tdx");
  EXPECT_FALSE(access->tee()->simulated);
  EXPECT_FALSE(access->refusal());
}

TEST_F(TeeAccessTest, init_data_brings_the_agents_settings_where_no_file_of_them_is_named) {
  root_.write("init.toml",
              "version = \"0.1.0\"\nalgorithm = \"sha256\"\n[data]\n\"aa.toml\" = \"[token_configs.kbs]\\nurl = "
              "'http://from-init-data'\"\n");
  root_.write("aa.toml", "[token_configs.kbs]\nurl = 'http://from-file'\n");
  config_.tee = {.test_tee = "sample", .init_data = root_.path() / "init.toml"};
  EXPECT_TRUE(opened()->keys("http://from-init-data"));
  config_.tee.aa_config = root_.path() / "aa.toml";
  EXPECT_EQ(opened()->keys("http://from-init-data").error().code, WorkerError::broker_not_allowed);
  root_.write("init.toml", "no init-data");
  EXPECT_FALSE(open());
  config_.tee.init_data = root_.path() / "none.toml";
  EXPECT_EQ(open().error().code, ConfigError::unreadable);
}

TEST_F(TeeAccessTest, switched_off_is_off_even_where_a_tee_is_named) {
  config_.tee = {.enabled = false, .test_tee = "sample", .kbs_uri = "http://kbs"};
  const auto access = opened();
  EXPECT_FALSE(access->tee());
  EXPECT_THAT(access->refusal()->message, HasSubstr("PROPLET_TEE_ENABLED=false"));
}

TEST_F(TeeAccessTest, only_brokers_on_the_list_are_asked_and_each_access_is_kept) {
  config_.tee = {.test_tee = "sample", .kbs_uri = "http://own/", .allowed_kbs_uris = {"http://other"}};
  const auto access = opened();
  EXPECT_FALSE(access->refusal());
  const auto own = access->keys("");
  ASSERT_TRUE(own) << to_string(own.error());
  EXPECT_EQ(*own, *access->keys("http://own"));
  EXPECT_NE(*own, *access->keys("http://other/"));
  const auto stranger = access->keys("http://stranger");
  EXPECT_EQ(stranger.error().code, WorkerError::broker_not_allowed);
  EXPECT_THAT(stranger.error().message, HasSubstr("http://stranger"));
}

TEST_F(TeeAccessTest, without_a_broker_of_its_own_a_request_has_to_name_one) {
  config_.tee = {.test_tee = "sample", .allowed_kbs_uris = {"http://other"}};
  const auto access = opened();
  EXPECT_EQ(access->keys("").error().code, WorkerError::tee_not_available);
  EXPECT_TRUE(access->keys("http://other"));
}

TEST_F(TeeAccessTest, the_agents_configuration_names_broker_and_issuer) {
  root_.write("aa.toml",
              "[token_configs.kbs]\nurl = \"http://from-file\"\n[token_configs.coco_as]\nurl = \"http://as\"\n");
  config_.tee = {.test_tee = "sample", .aa_config = root_.path() / "aa.toml"};
  const auto keys = opened()->keys("http://from-file");
  ASSERT_TRUE(keys) << to_string(keys.error());
  EXPECT_EQ((*keys)->decision.mode, workload::Mode::passport);
}

TEST_F(TeeAccessTest, keys_from_files_are_no_workers_keys) {
  root_.write("aa.toml", "[attestation]\ntype = \"file\"\n[key_providers]\ntype = \"local\"\npath = \"keys\"\n");
  config_.tee = {.test_tee = "sample", .aa_config = root_.path() / "aa.toml"};
  const auto access = open();
  ASSERT_FALSE(access);
  EXPECT_EQ(access.error().code, ConfigError::unsupported);
}

TEST_F(TeeAccessTest, a_simulated_tee_that_does_not_exist_is_named) {
  config_.tee = {.test_tee = "simulated:abacus", .kbs_uri = "http://kbs"};
  EXPECT_FALSE(opened()->keys(""));
}

TEST_F(TeeAccessTest, evidence_is_made_with_a_broker_or_without_and_never_outside_of_a_tee) {
  EXPECT_EQ(opened()->attest(as_bytes("digest")).error().code, WorkerError::tee_not_available);
  config_.tee.test_tee = "sample";
  const auto alone = opened()->attest(as_bytes("digest"));
  ASSERT_TRUE(alone) << to_string(alone.error());
  EXPECT_EQ(*alone->find("report_data")->if_string(), "ZGlnZXN0");
  config_.tee.allowed_kbs_uris = {"http://127.0.0.1:1"};
  const auto beside = opened()->attest(as_bytes("digest"));
  ASSERT_TRUE(beside) << to_string(beside.error());
  EXPECT_EQ(*beside->find("report_data")->if_string(), "ZGlnZXN0");
}

}  // namespace
}  // namespace coffer::fleet::worker
