#include "guest/runner.h"

#include <gmock/gmock.h>

#include <fstream>
#include <iterator>

#include "base/log.h"
#include "crypto/keys.h"
#include "guest/runner_testing.h"
#include "image/error.h"
#include "keyclient/error.h"
#include "wasm/error.h"

namespace coffer::guest {
namespace {

using image::ImageError;
using keyclient::KeyClientError;
using ::testing::HasSubstr;

std::string text(const Outcome& outcome, std::string_view key) {
  const auto* value = outcome.report.find(key);
  return value == nullptr || !value->is_string() ? "" : *value->if_string();
}

TEST_F(RunnerTest, a_plain_module_runs_and_prints) {
  put(printer("hello\n"));
  EXPECT_EQ(run().exit_code, 0) << why();
  EXPECT_EQ(printed_, "hello\n");
  EXPECT_EQ(text(outcome_, "ended_by"), "guest");
  EXPECT_EQ(*outcome_.report.find("encrypted")->if_bool(), false);
  EXPECT_THAT(text(outcome_, "digest"), ::testing::StartsWith("sha256:"));
}

TEST_F(RunnerTest, a_plain_module_where_keys_are_named_runs_with_a_warning) {
  put(printer("hello\n"));
  write_key("default/key/k1", kek_);
  log::init("test", log::Level::warn);
  ::testing::internal::CaptureStderr();
  EXPECT_EQ(run().exit_code, 0) << why();
  EXPECT_THAT(::testing::internal::GetCapturedStderr(), HasSubstr("runner.plain_image"));
  log::init("test", log::Level::off);
}

TEST_F(RunnerTest, an_exported_function_is_called_with_typed_arguments) {
  put(adder());
  options_.invoke = "add";
  options_.wasm_args = {"5", "10"};
  EXPECT_EQ(run().exit_code, 0);
  EXPECT_EQ(printed_, "15\n");
}

TEST_F(RunnerTest, the_modules_own_exit_code_is_ours) {
  put(exiter(7));
  EXPECT_EQ(run().exit_code, 7);
  put(exiter(122));
  EXPECT_EQ(run().exit_code, 122);
  EXPECT_EQ(text(outcome_, "ended_by"), "guest");
  EXPECT_FALSE(outcome_.error);
}

class EveryStyle : public RunnerTest, public ::testing::WithParamInterface<image::WasmStyle> {};

TEST_P(EveryStyle, an_encrypted_module_runs_with_keys_from_a_directory) {
  put_sealed(printer("sealed\n"), "kbs:///default/key/k1", GetParam());
  write_key("default/key/k1", kek_);
  EXPECT_EQ(run().exit_code, 0) << why();
  EXPECT_EQ(printed_, "sealed\n");
  EXPECT_EQ(text(outcome_, "mode"), "offline");
  EXPECT_EQ(*outcome_.report.find("attested")->if_bool(), false);
  EXPECT_THAT(text(outcome_, "key_source"), HasSubstr("directory"));
}

INSTANTIATE_TEST_SUITE_P(styles, EveryStyle,
                         ::testing::Values(image::WasmStyle::cncf, image::WasmStyle::fork, image::WasmStyle::tar));

TEST_F(RunnerTest, keys_come_from_offline_fs_kbc_files_and_mapped_resources_too) {
  put_sealed(printer("x"));
  std::ofstream(root_ / "keys.json") << R"({"default/key/k1":"S0tLS0tLS0tLS0tLS0tLS0tLS0tLS0tLS0tLS0tLS0s="})";
  options_.offline_keys = {root_ / "keys.json"};
  EXPECT_EQ(run().exit_code, 0) << why();
  options_.offline_keys.clear();
  std::ofstream(root_ / "kek") << kek_;
  std::ofstream(root_ / "aa.toml")
      << "[attestation]\ntype = \"file\"\n[resources]\n\"kbs:///default/key/k1\" = \"kek\"\n";
  options_.aa_config = root_ / "aa.toml";
  EXPECT_EQ(run().exit_code, 0) << why();
}

TEST_F(RunnerTest, a_named_key_is_used_instead_of_the_annotations) {
  put_sealed(printer("x"), "kbs:///default/key/elsewhere");
  write_key("default/key/mine", kek_);
  options_.key_id = "default/key/mine";
  EXPECT_EQ(run().exit_code, 0) << why();
}

TEST_F(RunnerTest, an_image_for_a_public_key_opens_with_the_private_one) {
  const auto key = *crypto::PrivateKey::generate(crypto::KeyKind::ec_p256);
  image::ocicrypt::Recipients recipients;
  recipients.jwe.push_back(key.public_key());
  put(printer("jwe\n"), &recipients);
  write_key("default/key/encryption-key", as_text(key.to_pem_pkcs8().expose()));
  EXPECT_EQ(run().exit_code, 0) << why();
  EXPECT_EQ(printed_, "jwe\n");
  write_key("default/key/encryption-key", kek_);
  EXPECT_EQ(failing(), 126);
  EXPECT_EQ(error().code, KeyClientError::key_malformed);
}

TEST_F(RunnerTest, keys_that_are_none_end_with_126_where_they_arrive) {
  put_sealed(printer("never"));
  const struct {
    std::string content;
    ErrorCode code;
  } cases[] = {
      {"", KeyClientError::key_malformed},
      {"too short", ImageError::kek_wrong_size},
      {"-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIA==\n-----END PRIVATE KEY-----\n", ImageError::kek_is_pem},
      {std::string(32, '\0'), ImageError::unwrap_failed}};
  for (const auto& broken : cases) {
    write_key("default/key/k1", broken.content);
    EXPECT_EQ(failing(), 126) << broken.code.name();
    EXPECT_EQ(error().code, broken.code) << why();
    EXPECT_EQ(printed_, "");
  }
  std::filesystem::remove(root_ / "keys/default/key/k1");
  EXPECT_EQ(failing(), 126);
  EXPECT_EQ(error().code, KeyClientError::not_found);
}

TEST_F(RunnerTest, a_kek_may_be_text_with_a_newline) {
  put_sealed(printer("x"));
  write_key("default/key/k1", "S0tLS0tLS0tLS0tLS0tLS0tLS0tLS0tLS0tLS0tLS0s=\n");
  EXPECT_EQ(run().exit_code, 0) << why();
  std::string hex;
  for (int i = 0; i < 32; ++i) hex += "4b";
  write_key("default/key/k1", hex + "\n");
  EXPECT_EQ(run().exit_code, 0) << why();
}

TEST_F(RunnerTest, an_image_expected_encrypted_that_is_not_is_refused) {
  put(printer("never"));
  options_.require_encrypted = true;
  EXPECT_EQ(failing(), 121);
  EXPECT_EQ(error().code, GuestError::not_encrypted);
  options_.require_encrypted = false;
  options_.key_id = "default/key/k1";
  EXPECT_EQ(failing(), 121);
  EXPECT_EQ(printed_, "");
}

TEST_F(RunnerTest, an_encrypted_image_without_any_way_to_its_key_asks_for_one) {
  put_sealed(printer("never"));
  EXPECT_EQ(failing(), 120);
  EXPECT_THAT(error().message, HasSubstr("--kbs-uri"));
}

TEST_F(RunnerTest, without_a_tee_nothing_falls_back_to_sample) {
  put_sealed(printer("never"));
  options_.kbs_url = "http://127.0.0.1:9";
  options_.mode = Mode::background_check;
  options_.tee = "csv";
  EXPECT_EQ(failing(), 121) << why();
}

TEST_F(RunnerTest, an_unreachable_broker_ends_with_123) {
  put_sealed(printer("never"));
  options_.kbs_url = "http://127.0.0.1:9";
  EXPECT_EQ(failing(), 123);
  EXPECT_EQ(error().code, KeyClientError::unreachable);
  EXPECT_EQ(text(outcome_, "ended_by"), "runner");
}

TEST_F(RunnerTest, images_that_are_broken_or_missing_end_with_125) {
  EXPECT_EQ(failing(), 125) << why();
  put(printer("never"));
  for (const auto& blob : std::filesystem::recursive_directory_iterator{root_ / "image/blobs"}) {
    if (blob.is_regular_file() && blob.file_size() < 150) std::ofstream(blob.path(), std::ios::app) << "x";
  }
  EXPECT_EQ(failing(), 125) << why();
  options_.image = "oci:";
  EXPECT_EQ(failing(), 120);
}

TEST_F(RunnerTest, what_the_module_does_wrong_ends_with_127) {
  put(trapper());
  EXPECT_EQ(failing(), 127);
  EXPECT_EQ(error().code, wasm::WasmError::trap);
  put(adder());
  EXPECT_EQ(failing(), 127) << "no command to run";
  EXPECT_EQ(error().code, wasm::WasmError::missing_export);
  options_.invoke = "subtract";
  EXPECT_EQ(failing(), 127);
  options_.invoke = "add";
  options_.wasm_args = {"five"};
  EXPECT_EQ(failing(), 127);
  EXPECT_EQ(error().code, wasm::WasmError::bad_arguments);
}

TEST_F(RunnerTest, limits_end_with_124) {
  put(spinner());
  options_.timeout = std::chrono::milliseconds{200};
  EXPECT_EQ(failing(), 124);
  EXPECT_EQ(error().code, wasm::WasmError::timeout);
  options_.timeout = Duration{0};
  options_.fuel = 10000;
  EXPECT_EQ(failing(), 124);
  EXPECT_EQ(error().code, wasm::WasmError::out_of_fuel);
  put(printer("x"));
  options_.fuel = 0;
  options_.max_memory = 1024;
  EXPECT_EQ(failing(), 124) << why();
}

TEST_F(RunnerTest, layers_are_kept_in_the_work_directory_and_modules_are_not) {
  put_sealed(printer("sealed\n"));
  write_key("default/key/k1", kek_);
  options_.work_dir = root_ / "work";
  EXPECT_EQ(run().exit_code, 0) << why();
  EXPECT_EQ(run().exit_code, 0);
  EXPECT_GT(outcome_.report.find("layers_from_store")->if_int64().value_or(0), 0);
  const auto plain = printer("sealed\n");
  for (const auto& file : std::filesystem::recursive_directory_iterator{root_ / "work"}) {
    if (!file.is_regular_file()) continue;
    std::ifstream stream(file.path(), std::ios::binary);
    const std::string content{std::istreambuf_iterator<char>{stream}, {}};
    EXPECT_EQ(content.find("sealed"), std::string::npos) << file.path();
  }
}

TEST_F(RunnerTest, a_runtime_of_its_own_runs_the_decrypted_module_from_memory) {
  put_sealed(adder());
  write_key("default/key/k1", kek_);
  std::ofstream(root_ / "runtime") << "#!/bin/sh\ncmp -s \"$1\" " << (root_ / "plain").string() << " && echo same $2\n";
  std::filesystem::permissions(root_ / "runtime", std::filesystem::perms::owner_all);
  std::ofstream(root_ / "plain", std::ios::binary) << as_text(adder());
  options_.runtime = (root_ / "runtime").string();
  options_.wasm_args = {"5"};
  EXPECT_EQ(run().exit_code, 0) << why();
  EXPECT_EQ(printed_, "same 5\n");
}

TEST_F(RunnerTest, upstreams_published_key_opens_test_images_by_name_alone) {
  kek_ = std::string{
      "\xd9\x9b\x77\x05\xb0\xba\x7a\x16\x82\x95\xb3\xa3\x36\x72\x70\xb0"
      "\xdd\x9b\x37\x1b\xf5\x14\xca\x8b\x9b\xa7\xf0\xa3\x37\x11\xda\xea",
      32};
  put_sealed(printer("x"), "kbs:///default/test-key/1");
  EXPECT_EQ(failing(), 120);
  options_.kbc_name = "sample";
  EXPECT_EQ(run().exit_code, 0) << why();
}

TEST_F(RunnerTest, a_work_directory_that_cannot_be_made_is_named) {
  put(printer("x"));
  std::ofstream(root_ / "file") << "";
  options_.work_dir = root_ / "file/below";
  EXPECT_EQ(failing(), 120);
  EXPECT_EQ(error().code, GuestError::work_dir);
}

}  // namespace
}  // namespace coffer::guest
