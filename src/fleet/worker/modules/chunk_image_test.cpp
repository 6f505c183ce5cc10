#include "fleet/worker/modules/chunk_image.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fleet/worker/error.h"
#include "image/pull.h"
#include "image/signature/payload.h"
#include "image/signature/sign.h"
#include "image/signature/verify.h"

namespace coffer::fleet::worker {
namespace {

using ::testing::HasSubstr;

class ChunkImageTest : public ::testing::Test {
 protected:
  ChunkImageTest() {
    image_.config = "{}";
    image_.data = to_bytes(std::string_view{"\0asm\1\0\0\0", 8});
    write_manifest();
  }
  void write_manifest() {
    const auto layer = image::Digest::of(image_.data).text();
    const auto config = image::Digest::of(as_bytes(image_.config)).text();
    image_.manifest = R"({"schemaVersion":2,"config":{"mediaType":"application/vnd.wasm.config.v1+json","digest":")" +
                      config + R"(","size":2},"layers":[{"mediaType":"application/vnd.wasm.content.layer.v1+wasm",)" +
                      R"("digest":")" + layer + R"(","size":8}]})";
  }
  Result<std::unique_ptr<ChunkImageSource>> source(const std::string& name = "registry/image:1") {
    return ChunkImageSource::create(name, std::make_shared<const FetchedImage>(image_));
  }
  Error pull_error() {
    const auto made = source();
    if (!made) return made.error();
    const auto pulled = image::pull_module(**made, {});
    EXPECT_FALSE(pulled);
    return pulled ? Error{WorkerError::busy, ""} : pulled.error();
  }

  FetchedImage image_;
};

TEST_F(ChunkImageTest, is_pulled_like_any_other) {
  const auto made = source();
  ASSERT_TRUE(made) << to_string(made.error());
  const auto pulled = image::pull_module(**made, {});
  ASSERT_TRUE(pulled) << to_string(pulled.error());
  EXPECT_EQ(to_bytes(pulled->module.expose()), image_.data);
  EXPECT_FALSE(pulled->encrypted);
}

TEST_F(ChunkImageTest, without_a_manifest_it_is_no_image) {
  image_.manifest.clear();
  EXPECT_EQ(source().error().code, WorkerError::unsupported);
}

TEST_F(ChunkImageTest, a_layer_that_is_not_the_manifests_is_refused) {
  image_.data[0] = std::byte{1};
  EXPECT_EQ(pull_error().code, image::ImageError::not_found);
}

TEST_F(ChunkImageTest, a_configuration_that_is_not_the_manifests_is_refused) {
  image_.config = "[]";
  EXPECT_EQ(pull_error().code, image::ImageError::not_found);
}

TEST_F(ChunkImageTest, a_manifest_that_is_none_is_refused) {
  image_.manifest = "{";
  EXPECT_THAT(std::string{pull_error().code.name()}, HasSubstr("image."));
}

TEST_F(ChunkImageTest, a_name_that_is_pinned_gets_that_manifest_alone) {
  const auto digest = image::Digest::of(as_bytes(image_.manifest));
  EXPECT_TRUE(source("registry/image@" + digest.text()));
  const auto other = image::Digest::of(as_bytes("another"));
  EXPECT_EQ(source("registry/image@" + other.text()).error().code, image::ImageError::digest_mismatch);
  EXPECT_EQ((*source())->manifest(other).error().code, image::ImageError::not_found);
}

TEST_F(ChunkImageTest, has_the_signatures_that_the_proxy_sent_along) {
  const auto key = crypto::PrivateKey::generate(crypto::KeyKind::ec_p256).value();
  const auto keys = image::signature::TrustedKeys::parse(key.public_key().to_pem(), "test").value();
  EXPECT_EQ(image::signature::verify_image(**source(), keys).error().code, image::ImageError::signature_missing);
  const auto manifest = image::Digest::of(as_bytes(image_.manifest));
  const auto payload = image::signature::SimpleSigning{.manifest = manifest, .reference = "r"}.to_json();
  const auto signature = image::signature::sign_content(key, as_bytes(payload)).value();
  image_.signatures = {
      {.payload = payload, .annotations = {{std::string{image::signature::signature_annotation}, signature}}}};
  const auto verified = image::signature::verify_image(**source(), keys);
  ASSERT_TRUE(verified) << to_string(verified.error());
  EXPECT_EQ(verified->digest, manifest);
  image_.signatures[0].payload += " ";
  EXPECT_EQ(image::signature::verify_image(**source(), keys).error().code, image::ImageError::signature_invalid);
}

TEST_F(ChunkImageTest, whose_layer_is_another_than_the_signed_manifests_is_refused) {
  EXPECT_TRUE((*source())->check_layer());
  image_.data[0] = std::byte{1};
  EXPECT_EQ((*source())->check_layer().error().code, image::ImageError::digest_mismatch);
}

}  // namespace
}  // namespace coffer::fleet::worker
