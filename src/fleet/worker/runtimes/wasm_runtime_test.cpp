#include "fleet/worker/runtimes/wasm_runtime.h"

#include <gtest/gtest.h>

#include "image/digest.h"
#include "image/error.h"
#include "image/push.h"
#include "image/registry.h"
#include "image/testing/fake_registry.h"

namespace coffer::fleet::worker {
namespace {

class WasmRuntimeTest : public ::testing::Test {
 protected:
  WasmRuntimeTest() {
    config_.layer_store.clear();
    config_.image_route = ImageRoute::registry;
    const auto reference = image::ImageReference::parse(name()).value();
    image_ = image::push_wasm(as_bytes(module_), *image::Registry::open(reference).value(), {}).value().manifest_digest;
  }
  std::string name() const { return registry_.host() + "/team/app:1"; }
  std::string pinned() const { return registry_.host() + "/team/app@" + image_->text(); }
  static StartCommand task(const std::string& image_url) { return {.id = "t", .name = "add", .image_url = image_url}; }

  void open(const SignaturePolicy* signatures = nullptr) {
    loader_ = std::make_unique<ModuleLoader>(
        config_, ModuleLoader::Parts{.http = nullptr, .chunks = &chunks_, .signatures = signatures});
    runtime_ = std::make_unique<WasmRuntime>(*loader_, InProcess{engine_, config_, "me"});
  }
  // How many requests a start cost.
  std::size_t requests_of(const StartCommand& task) {
    const auto before = registry_.requests().size();
    const auto prepared = runtime_->prepare(task, {});
    EXPECT_TRUE(prepared) << to_string(prepared.error());
    EXPECT_EQ(prepared->digest, digest());
    return registry_.requests().size() - before;
  }
  std::string digest() const { return image::Digest::of(as_bytes(module_)).text(); }

  const std::string module_{std::string_view{"\0asm\1\0\0\0", 8}};
  image::testing::FakeRegistry registry_;
  std::optional<image::Digest> image_;
  TaskConfig config_;
  ChunkAssembler chunks_;
  wasm::Runtime engine_ = wasm::Runtime::create().value();
  std::unique_ptr<ModuleLoader> loader_;
  std::unique_ptr<WasmRuntime> runtime_;
};

TEST_F(WasmRuntimeTest, an_image_named_by_tag_is_looked_up_each_time) {
  open();
  EXPECT_GT(requests_of(task(name())), 0U);
  EXPECT_GT(requests_of(task(name())), 0U);
}

TEST_F(WasmRuntimeTest, an_image_named_by_digest_is_fetched_once) {
  open();
  EXPECT_GT(requests_of(task(pinned())), 0U);
  EXPECT_EQ(requests_of(task(pinned())), 0U);
  auto metered = task(pinned());
  metered.fuel = 1000;
  EXPECT_GT(requests_of(metered), 0U);
  EXPECT_EQ(requests_of(metered), 0U);
}

TEST_F(WasmRuntimeTest, a_module_named_by_digest_is_fetched_once_wherever_it_comes_from) {
  open();
  auto named = task(name());
  named.module_digest = digest();
  EXPECT_GT(requests_of(named), 0U);
  EXPECT_EQ(requests_of(named), 0U);
  named.image_url = "127.0.0.1:1/nobody/there:1";
  EXPECT_EQ(requests_of(named), 0U);
}

TEST_F(WasmRuntimeTest, another_digest_than_the_modules_is_refused_for_a_known_image_too) {
  open();
  EXPECT_GT(requests_of(task(pinned())), 0U);
  auto wrong = task(pinned());
  wrong.module_digest = "sha256:" + std::string(64, '0');
  const auto refused = runtime_->prepare(wrong, {});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, image::ImageError::digest_mismatch);
}

TEST_F(WasmRuntimeTest, a_file_in_the_request_is_not_taken_for_the_image_it_names_as_well) {
  open();
  EXPECT_GT(requests_of(task(pinned())), 0U);
  auto file = task(pinned());
  file.file = to_bytes("no module");
  EXPECT_FALSE(runtime_->prepare(file, {}));
}

TEST_F(WasmRuntimeTest, what_has_to_be_signed_is_checked_each_time) {
  open();
  EXPECT_GT(requests_of(task(pinned())), 0U);
  const auto key = crypto::PrivateKey::generate(crypto::KeyKind::ec_p256).value();
  const SignaturePolicy policy(image::signature::TrustedKeys::parse(key.public_key().to_pem(), "own").value(), {});
  auto& known = *runtime_;
  EXPECT_TRUE(known.prepare(task(pinned()), {}));
  auto asking = task(pinned());
  asking.module_signature = ModuleSignature{.public_key = key.public_key().to_pem()};
  open(&policy);
  for (int i = 0; i < 2; ++i) {
    const auto refused = runtime_->prepare(asking, {});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, image::ImageError::signature_missing);
  }
}

}  // namespace
}  // namespace coffer::fleet::worker
