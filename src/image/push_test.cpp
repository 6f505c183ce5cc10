#include "image/push.h"

#include "image/layout.h"
#include "image/pull.h"
#include "image/registry.h"
#include "image/testing/archives.h"
#include "image/testing/expect.h"
#include "image/testing/memory_store.h"
#include "image/testing/temp_dir.h"

namespace coffer::image {
namespace {

using namespace image::testing;

class Push : public ::testing::Test {
 protected:
  Push() {
    keys_.keys["default/key/k1"] = to_bytes(std::string(32, 'K'));
    recipients_.keks.push_back(
        {codec::ResourceUri::parse("kbs:///default/key/k1").value(), SecretBytes::copy_of(std::string(32, 'K'))});
    recipients_.jwe.push_back(key_.public_key());
  }
  PullOptions open() {
    PullOptions out;
    out.expect_encrypted = true;
    out.keys.keys = &keys_;
    return out;
  }

  const Bytes module_ = module_of_size(3'000'000);
  crypto::PrivateKey key_ = crypto::PrivateKey::generate(crypto::KeyKind::ec_p256).value();
  ocicrypt::Recipients recipients_;
  MapKeySource keys_;
  MemoryStore store_;
};

TEST_F(Push, every_style_comes_back_plain_and_encrypted) {
  for (const auto style : {WasmStyle::cncf, WasmStyle::fork, WasmStyle::tar}) {
    push_wasm(module_, store_, {.style = style}).value();
    const auto plain = pull_module(store_, {});
    ASSERT_TRUE(plain) << to_string(plain.error());
    EXPECT_TRUE(equal(plain->module.expose(), module_));
    push_wasm(module_, store_, {.style = style, .recipients = &recipients_}).value();
    const auto opened = pull_module(store_, open());
    ASSERT_TRUE(opened) << to_string(opened.error());
    EXPECT_TRUE(equal(opened->module.expose(), module_));
  }
}

TEST_F(Push, the_cncf_style_has_its_types) {
  push_wasm(small_module(), store_, {.annotations = {{"k", "v"}}}).value();
  const auto manifest = store_.current();
  EXPECT_EQ(manifest.config.media_type, "application/vnd.wasm.config.v0+json");
  EXPECT_EQ(manifest.layers.at(0).media_type, "application/wasm");
  EXPECT_EQ(manifest.annotations.at("k"), "v");
  const auto config = as_text(store_.blobs.at(manifest.config.digest.text()));
  EXPECT_EQ(config,
            R"({"architecture":"wasm","os":"wasip1","layerDigests":[")" + Digest::of(small_module()).text() + R"("]})");
}

TEST_F(Push, the_forks_style_has_its_types) {
  push_wasm(small_module(), store_, {.style = WasmStyle::fork, .recipients = &recipients_}).value();
  const auto layer = store_.current().layers.at(0);
  EXPECT_EQ(layer.media_type, "application/vnd.wasm.content.layer.v1+wasm+encrypted");
  EXPECT_EQ(layer.size, small_module().size());
  EXPECT_TRUE(layer.annotations.contains("org.opencontainers.image.enc.pubopts"));
  EXPECT_TRUE(layer.annotations.contains("org.opencontainers.image.enc.keys.provider.attestation-agent"));
  EXPECT_TRUE(layer.annotations.contains("org.opencontainers.image.enc.keys.jwe"));
}

TEST_F(Push, descriptors_speak_of_the_ciphertext) {
  push_wasm(module_, store_, {.recipients = &recipients_}).value();
  const auto layer = store_.current().layers.at(0);
  const auto& stored = store_.blobs.at(layer.digest.text());
  EXPECT_EQ(stored.size(), layer.size);
  EXPECT_FALSE(store_.blobs.contains(Digest::of(module_).text())) << "the plaintext must not be stored";
}

TEST_F(Push, a_component_is_told_from_a_module) {
  push_wasm(as_bytes(std::string_view{"\0asm\x0d\0\1\0", 8}), store_, {}).value();
  const auto config = as_text(store_.blobs.at(store_.current().config.digest.text()));
  EXPECT_NE(config.find("wasip2"), std::string_view::npos);
}

TEST_F(Push, what_is_no_module_is_not_pushed) {
  expect_error(push_wasm(as_bytes("#!/bin/sh\n"), store_, {}), ImageError::bad_module);
  expect_error(push_wasm({}, store_, {}), ImageError::bad_module);
  EXPECT_FALSE(store_.tagged_);
}

TEST_F(Push, nobody_to_encrypt_for_pushes_nothing) {
  const ocicrypt::Recipients nobody;
  expect_error(push_wasm(module_, store_, {.recipients = &nobody}), ImageError::no_key);
  EXPECT_FALSE(store_.tagged_);
  EXPECT_TRUE(store_.blobs.empty());
}

TEST_F(Push, styles_have_names) {
  EXPECT_EQ(parse_wasm_style("tar").value(), WasmStyle::tar);
  EXPECT_EQ(parse_wasm_style("fork").value(), WasmStyle::fork);
  EXPECT_EQ(parse_wasm_style("cncf").value(), WasmStyle::cncf);
  expect_error(parse_wasm_style("zip"), ImageError::unsupported_media_type);
}

class CopyTest : public Push {
 protected:
  CopyTest() {
    image::testing::put_image(store_, {gzip_layer(TarBuilder{}.file("a", as_text(noise(2'000'000))).build()),
                                       zstd_layer(TarBuilder{}.file("b", "2").build())});
  }
  MemoryStore sealed_, opened_;
};

TEST_F(CopyTest, encrypting_and_decrypting_gives_the_same_layers) {
  encrypt_image(store_, sealed_, recipients_).value();
  EXPECT_EQ(sealed_.current().config.digest, store_.current().config.digest) << "the configuration stays as it is";
  decrypt_image(sealed_, opened_, {.private_keys = {&key_, 1}}).value();
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(opened_.current().layers[i].digest, store_.current().layers[i].digest);
    EXPECT_EQ(opened_.current().layers[i].media_type, store_.current().layers[i].media_type);
    EXPECT_TRUE(opened_.current().layers[i].annotations.empty());
  }
}

TEST_F(CopyTest, layers_that_are_encrypted_already_stay) {
  encrypt_image(store_, sealed_, recipients_).value();
  encrypt_image(sealed_, opened_, recipients_).value();
  EXPECT_EQ(opened_.current().layers[0].digest, sealed_.current().layers[0].digest);
}

TEST_F(CopyTest, a_copy_keeps_the_manifest_byte_for_byte) {
  copy_image(store_, opened_).value();
  EXPECT_EQ(opened_.tagged_, store_.tagged_);
  EXPECT_EQ(opened_.blobs.size(), store_.blobs.size());
}

TEST_F(CopyTest, dockers_manifest_becomes_ocis_when_encrypted) {
  store_.edit([](Manifest& m) {
    m.media_type = media_type::docker_manifest;
    m.config.media_type = media_type::docker_config;
    m.layers[0].media_type = "application/vnd.docker.image.rootfs.diff.tar.gzip";
  });
  encrypt_image(store_, sealed_, recipients_).value();
  EXPECT_EQ(sealed_.current().media_type, media_type::oci_manifest);
  EXPECT_EQ(sealed_.current().config.media_type, media_type::oci_config);
  EXPECT_EQ(sealed_.current().layers[0].media_type, "application/vnd.oci.image.layer.v1.tar+gzip+encrypted");
}

TEST_F(CopyTest, a_tampered_layer_is_never_stored_decrypted) {
  encrypt_image(store_, sealed_, recipients_).value();
  sealed_.edit([](Manifest& m) { std::swap(m.layers[0].annotations, m.layers[1].annotations); });
  expect_error(decrypt_image(sealed_, opened_, {.private_keys = {&key_, 1}}), ImageError::hmac_mismatch);
  EXPECT_FALSE(opened_.tagged_);
  EXPECT_EQ(opened_.blobs.size(), 1U) << "only the configuration";
}

TEST_F(CopyTest, a_corrupt_source_is_never_encrypted) {
  store_.corrupt(store_.current().layers[0].digest, [](Bytes& bytes) { bytes[100] ^= std::byte{1}; });
  expect_error(encrypt_image(store_, sealed_, recipients_), ImageError::digest_mismatch);
  EXPECT_FALSE(sealed_.tagged_);
}

TEST_F(CopyTest, decrypting_what_is_plain_is_told) {
  expect_error(decrypt_image(store_, opened_, {}), ImageError::not_encrypted);
}

class LayoutTest : public CopyTest {
 protected:
  LayoutReference tagged(std::string tag) { return {temp_ / "layout", std::move(tag)}; }
  TempDir temp_;
};

TEST_F(LayoutTest, several_images_live_in_one_layout) {
  const auto one = Layout::create(tagged("one")).value();
  copy_image(store_, *one).value();
  const auto two = Layout::create(tagged("two")).value();
  encrypt_image(*one, *two, recipients_).value();
  EXPECT_TRUE(pull_tree(*Layout::open(tagged("one")).value(), temp_ / "plain", {}));
  expect_success(pull_tree(*Layout::open(tagged("two")).value(), temp_ / "opened", open()));
  EXPECT_EQ(read_text(temp_ / "opened/b"), "2");
  expect_error(Layout::open(tagged("")).value()->manifest(std::nullopt), ImageError::not_found);
  expect_error(Layout::open(tagged("three")).value()->manifest(std::nullopt), ImageError::not_found);
}

TEST_F(LayoutTest, a_tag_is_replaced_and_no_temporary_is_left) {
  const auto layout = Layout::create(tagged("t")).value();
  copy_image(store_, *layout).value();
  push_wasm(module_, *layout, {}).value();
  EXPECT_TRUE(pull_module(*layout, {}));
  for (const auto& file : std::filesystem::recursive_directory_iterator{temp_.path()}) {
    EXPECT_EQ(file.path().filename().string().find("partial"), std::string::npos) << file.path();
  }
}

TEST_F(LayoutTest, an_untagged_layout_holds_one_image) {
  const auto layout = Layout::create(tagged("")).value();
  expect_error(layout->manifest(std::nullopt), ImageError::not_found);
  copy_image(store_, *layout).value();
  EXPECT_EQ(layout->manifest(std::nullopt)->digest, *store_.tagged_);
}

TEST_F(LayoutTest, what_is_no_layout_is_told) {
  expect_error(Layout::open(tagged("t")), ImageError::bad_layout);
  Layout::create(tagged("t")).value();
  std::ofstream{temp_ / "layout/oci-layout"} << R"({"imageLayoutVersion":"2.0.0"})";
  expect_error(Layout::open(tagged("t")), ImageError::bad_layout);
}

TEST_F(LayoutTest, links_that_go_round_in_a_circle_are_told) {
  const auto layout = Layout::create(tagged("t")).value();
  const auto digest = copy_image(store_, *layout)->manifest_digest;
  std::filesystem::remove_all(temp_ / "layout/blobs");
  std::filesystem::create_directory_symlink("blobs", temp_ / "layout/blobs");
  expect_error(layout->manifest(std::nullopt), ImageError::not_found);
  EXPECT_FALSE(layout->has_blob(digest).value());
}

TEST_F(LayoutTest, missing_and_changed_blobs_are_told) {
  const auto layout = Layout::create(tagged("t")).value();
  copy_image(store_, *layout).value();
  const auto blob = temp_ / "layout/blobs/sha256";
  std::filesystem::remove(blob / store_.current().layers[0].digest.hex());
  expect_error(pull_tree(*layout, temp_ / "out", {}), ImageError::not_found);
  std::ofstream{blob / store_.tagged_->hex(), std::ios::app} << " ";
  expect_error(pull_tree(*layout, temp_ / "out", {}), ImageError::digest_mismatch);
}

TEST_F(LayoutTest, references_open_what_they_name) {
  const auto reference = parse_any_reference("oci:" + (temp_ / "layout").string() + ":t").value();
  const auto sink = open_sink(reference, {}).value();
  push_wasm(small_module(), *sink, {}).value();
  EXPECT_TRUE(pull_module(*open_source(reference, {}).value(), {}));
}

}  // namespace
}  // namespace coffer::image
