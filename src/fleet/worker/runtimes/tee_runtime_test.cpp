#include "fleet/worker/runtimes/tee_runtime.h"

#include <gtest/gtest.h>

#include "image/error.h"
#include "image/layout.h"
#include "image/push.h"
#include "image/registry.h"
#include "image/signature/sign.h"
#include "keyclient/fake_broker_testing.h"
#include "testing/temporary_directory.h"

namespace coffer::fleet::worker {
namespace {

using keyclient::KeyClientError;

class TeeRuntimeTest : public ::testing::Test {
 protected:
  TeeRuntimeTest() {
    config_.tee = {.test_tee = "sample", .kbs_uri = broker_.url()};
    config_.tasks.layer_store.clear();
  }

  // The module as an image in a layout, encrypted under the broker's key.
  image::Digest push(const std::string& tag) {
    const std::string kek(32, 'k');
    image::ocicrypt::Recipients recipients;
    recipients.keks.push_back({codec::ResourceUri::parse("kbs:///default/key/k1").value(), SecretBytes::copy_of(kek)});
    const auto sink = image::open_sink(reference(tag), {}).value();
    return image::push_wasm(as_bytes(module_), *sink, {.recipients = &recipients}).value().manifest_digest;
  }
  image::AnyReference reference(const std::string& tag) const {
    return image::LayoutReference{directory_.path() / "layout", tag};
  }
  StartCommand task(const std::string& tag) const {
    return {.id = "t",
            .name = "add",
            .image_url = "oci:" + (directory_.path() / "layout").string() + ":" + tag,
            .encrypted = true};
  }

  void open(std::optional<image::signature::TrustedKeys> keys = {}) {
    tee_ = TeeAccess::open(config_).value();
    signatures_.emplace(std::move(keys), [](const codec::ResourceUri&, const std::string&) -> Result<SecretBytes> {
      return SecretBytes{};
    });
    loader_ = std::make_unique<ModuleLoader>(config_.tasks, ModuleLoader::Parts{.http = nullptr, .chunks = &chunks_});
    const TeeWasmRuntime::Parts parts{.tee = *tee_,
                                      .loader = *loader_,
                                      .signatures = *signatures_,
                                      .http = nullptr,
                                      .observe = [this](const TeeTimings& timings) { seen_.push_back(timings); }};
    runtime_ = std::make_unique<TeeWasmRuntime>(config_, parts, InProcess{engine_, config_.tasks, "me"});
  }
  // The code of the refusal; empty where it was prepared.
  std::string_view start(const StartCommand& task) {
    const auto prepared = runtime_->prepare(task, {});
    if (!prepared) return prepared.error().code.name();
    EXPECT_EQ(prepared->digest, image::Digest::of(as_bytes(module_)).text());
    EXPECT_TRUE(prepared->compiled);
    return "";
  }
  // As after a broker that takes the token no longer.
  void forget_token() {
    const auto keys = tee_->keys("").value();
    keys->tokens->forget(*keys->tokens->token().value());
  }
  unsigned keys_asked() const { return broker_.requests("resource"); }

  const std::string module_{std::string_view{"\0asm\1\0\0\0", 8}};
  TemporaryDirectory directory_;
  keyclient::FakeBroker broker_;
  Config config_;
  ChunkAssembler chunks_;
  wasm::Runtime engine_ = wasm::Runtime::create().value();
  std::unique_ptr<TeeAccess> tee_;
  std::optional<SignaturePolicy> signatures_;
  std::unique_ptr<ModuleLoader> loader_;
  std::unique_ptr<TeeWasmRuntime> runtime_;
  std::vector<TeeTimings> seen_;
};

TEST_F(TeeRuntimeTest, asks_for_the_key_at_each_start_unless_modules_may_be_kept) {
  push("1");
  open();
  for (int i = 0; i < 3; ++i) EXPECT_EQ(start(task("1")), "");
  EXPECT_EQ(keys_asked(), 3U);
  EXPECT_EQ(broker_.requests("attest"), 1U);
  EXPECT_FALSE(seen_.back().kept);
  EXPECT_EQ(runtime_->kept().modules, 0U);
}

TEST_F(TeeRuntimeTest, starts_what_it_kept_without_asking_anybody) {
  push("1");
  config_.tee.module_cache.age = std::chrono::hours{1};
  open();
  for (int i = 0; i < 3; ++i) EXPECT_EQ(start(task("1")), "");
  EXPECT_EQ(keys_asked(), 1U);
  EXPECT_EQ(broker_.requests("attest"), 1U);
  EXPECT_EQ(seen_.front().kept, false);
  EXPECT_EQ(seen_.back().kept, true);
  EXPECT_EQ(seen_.back().module_bytes, 0U);
  EXPECT_EQ(runtime_->kept().bytes, module_.size());
}

TEST_F(TeeRuntimeTest, compiles_what_it_kept_anew_where_a_task_counts_its_fuel) {
  push("1");
  config_.tee.module_cache.age = std::chrono::hours{1};
  open();
  EXPECT_EQ(start(task("1")), "");
  auto metered = task("1");
  metered.fuel = 1000;
  EXPECT_EQ(start(metered), "");
  EXPECT_EQ(keys_asked(), 1U);
}

TEST_F(TeeRuntimeTest, keeps_nothing_beyond_the_token_that_it_was_released_under) {
  push("1");
  config_.tee.module_cache.age = std::chrono::hours{1};
  open();
  EXPECT_EQ(start(task("1")), "");
  forget_token();
  EXPECT_EQ(start(task("1")), "");
  EXPECT_EQ(keys_asked(), 2U);
  EXPECT_EQ(runtime_->kept().modules, 1U);
}

TEST_F(TeeRuntimeTest, starts_nothing_that_it_kept_while_its_attestation_is_refused) {
  push("1");
  config_.tee.module_cache.age = std::chrono::hours{1};
  open();
  EXPECT_EQ(start(task("1")), "");
  forget_token();
  broker_.refuse("attest", 401, "RcarAttestFailed", "the evidence is not believed");
  EXPECT_NE(start(task("1")), "");
  EXPECT_EQ(seen_.back().kept, std::nullopt);
}

TEST_F(TeeRuntimeTest, another_key_is_asked_for_although_the_image_is_open) {
  push("1");
  config_.tee.module_cache.age = std::chrono::hours{1};
  open();
  EXPECT_EQ(start(task("1")), "");
  auto other = task("1");
  other.kbs_resource_path = "default/key/none";
  EXPECT_EQ(start(other), code_name(KeyClientError::not_found));
}

TEST_F(TeeRuntimeTest, a_tag_that_moved_is_another_image) {
  push("1");
  config_.tee.module_cache.age = std::chrono::hours{1};
  open();
  EXPECT_EQ(start(task("1")), "");
  push("1");  // encrypted anew: other bytes, another manifest
  EXPECT_EQ(start(task("1")), "");
  EXPECT_EQ(keys_asked(), 2U);
}

TEST_F(TeeRuntimeTest, another_digest_than_the_requests_is_refused_for_what_was_kept_too) {
  push("1");
  config_.tee.module_cache.age = std::chrono::hours{1};
  open();
  auto named = task("1");
  named.module_digest = image::Digest::of(as_bytes(module_)).text();
  EXPECT_EQ(start(named), "");
  EXPECT_EQ(start(named), "");
  named.module_digest = "sha256:" + std::string(64, '0');
  EXPECT_EQ(start(named), "image.digest_mismatch");
  EXPECT_EQ(keys_asked(), 1U);
}

TEST_F(TeeRuntimeTest, a_signature_is_looked_for_before_the_key_and_counts_for_what_was_kept) {
  const auto key = crypto::PrivateKey::generate(crypto::KeyKind::ec_p256).value();
  const auto digest = push("1");
  config_.tee.module_cache.age = std::chrono::hours{1};
  open(image::signature::TrustedKeys::parse(key.public_key().to_pem(), "own").value());
  EXPECT_EQ(start(task("1")), "image.signature_missing");
  EXPECT_EQ(keys_asked(), 0U);
  const auto source = image::open_source(reference("1"), {}).value();
  const auto place = image::signature::place_of_signatures(reference("1"), digest).value();
  image::signature::sign_image(*source, *image::open_sink(place, {}).value(), key, "x").value();
  EXPECT_EQ(start(task("1")), "");
  auto strange = task("1");
  strange.module_signature = ModuleSignature{
      .public_key = crypto::PrivateKey::generate(crypto::KeyKind::ed25519).value().public_key().to_pem()};
  EXPECT_EQ(start(strange), "image.signature_invalid");
  EXPECT_EQ(keys_asked(), 1U);
}

TEST_F(TeeRuntimeTest, a_plain_image_is_refused_and_not_kept) {
  image::push_wasm(as_bytes(module_), *image::open_sink(reference("1"), {}).value(), {}).value();
  config_.tee.module_cache.age = std::chrono::hours{1};
  open();
  EXPECT_EQ(start(task("1")), "guest.not_encrypted");
  EXPECT_EQ(start(task("1")), "guest.not_encrypted");
  EXPECT_EQ(runtime_->kept().modules, 0U);
}

}  // namespace
}  // namespace coffer::fleet::worker
