#include "image/pull.h"

#include "image/push.h"
#include "image/testing/archives.h"
#include "image/testing/expect.h"
#include "image/testing/memory_store.h"
#include "image/testing/temp_dir.h"

namespace coffer::image {
namespace {

namespace fs = std::filesystem;
using namespace image::testing;

const Bytes kek = to_bytes(std::string(32, 'K'));

// An image of three tars in three compressions, the last over a megabyte so that threads take part; plain and
// encrypted.
class Pull : public ::testing::Test {
 protected:
  void SetUp() override {
    image::testing::put_image(plain_, {gzip_layer(TarBuilder{}.file("a", "1").file("gone", "x").build()),
                                       zstd_layer(TarBuilder{}.file("b/c", "2").file(".wh.gone", "").build()),
                                       tar_layer(TarBuilder{}.file("big", as_text(big_)).build())});
    keys_.keys["default/key/k1"] = kek;
    encrypt(plain_, encrypted_);
  }

  void encrypt(MemoryStore& from, MemoryStore& to) {
    ocicrypt::Recipients recipients;
    recipients.keks.push_back({codec::ResourceUri::parse("kbs:///default/key/k1").value(), SecretBytes::copy_of(kek)});
    encrypt_image(from, to, recipients).value();
  }

  PullOptions options() {
    PullOptions out;
    out.keys.keys = &keys_;
    return out;
  }
  Result<PulledTree> tree(MemoryStore& store, const PullOptions& options) {
    return pull_tree(store, destination_, options);
  }
  // Nothing half published: neither the destination nor a quarantine is left.
  void expect_nothing_left() const { EXPECT_TRUE(fs::is_empty(temp_.path())); }
  void expect_refused(MemoryStore& store, ImageError code) {
    expect_error(tree(store, options()), code);
    expect_nothing_left();
  }

  Bytes big_ = noise(3'000'000);
  TempDir temp_;
  fs::path destination_ = temp_ / "tree";
  MemoryStore plain_, encrypted_;
  MapKeySource keys_;
};

TEST_F(Pull, layers_are_applied_in_order_and_published_together) {
  const auto pulled = tree(plain_, {});
  ASSERT_TRUE(pulled) << to_string(pulled.error());
  EXPECT_FALSE(pulled->encrypted);
  EXPECT_EQ(pulled->manifest_digest, *plain_.tagged_);
  EXPECT_EQ(read_text(destination_ / "b/c"), "2");
  EXPECT_FALSE(fs::exists(destination_ / "gone"));
  EXPECT_TRUE(read_text(destination_ / "big") == as_text(big_));
  EXPECT_EQ(pulled->config.env, std::vector<std::string>{"A=1"});
  EXPECT_EQ(std::distance(fs::directory_iterator{temp_.path()}, {}), 1) << "a quarantine was left behind";
}

TEST_F(Pull, encrypted_layers_give_the_same_tree_and_ask_once_for_their_key) {
  auto with_all = options();
  with_all.expect_encrypted = true;
  const auto pulled = tree(encrypted_, with_all);
  ASSERT_TRUE(pulled) << to_string(pulled.error());
  EXPECT_TRUE(pulled->encrypted);
  EXPECT_TRUE(read_text(destination_ / "big") == as_text(big_));
  EXPECT_EQ(keys_.asked.size(), 1U);
}

TEST_F(Pull, progress_counts_every_stored_byte_once) {
  std::uint64_t last = 0, total = 0;
  auto with_progress = options();
  with_progress.progress = [&](std::uint64_t done, std::uint64_t all) {
    EXPECT_GE(done, last);
    last = done;
    total = all;
  };
  expect_success(tree(encrypted_, with_progress));
  EXPECT_EQ(last, total);
  EXPECT_GT(total, big_.size());
}

TEST_F(Pull, an_image_that_is_not_encrypted_is_refused_where_encryption_is_expected) {
  auto strict = options();
  strict.expect_encrypted = true;
  expect_error(tree(plain_, strict), ImageError::not_encrypted);
  // One plain layer among encrypted ones is no better.
  encrypted_.edit([&](Manifest& m) { m.layers[1] = plain_.current().layers[1]; });
  encrypted_.blobs.insert(plain_.blobs.begin(), plain_.blobs.end());
  expect_error(tree(encrypted_, strict), ImageError::not_encrypted);
  expect_nothing_left();
}

TEST_F(Pull, a_changed_blob_fails_its_digest_wherever_it_is_changed) {
  for (const auto index : {0U, 1U, 2U}) {
    const auto digest = encrypted_.current().layers[index].digest;
    for (const auto at : {0UL, encrypted_.blobs[digest.text()].size() - 1}) {
      const auto flip = [&](Bytes& bytes) { bytes[at] ^= std::byte{0x40}; };
      encrypted_.corrupt(digest, flip);
      expect_refused(encrypted_, ImageError::digest_mismatch);
      encrypted_.corrupt(digest, flip);
    }
  }
}

TEST_F(Pull, a_cut_or_grown_blob_fails_its_size) {
  const auto digest = plain_.current().layers[2].digest;
  plain_.corrupt(digest, [](Bytes& bytes) { bytes.pop_back(); });
  expect_refused(plain_, ImageError::size_mismatch);
  plain_.corrupt(digest, [](Bytes& bytes) { bytes.resize(bytes.size() + 2); });
  expect_refused(plain_, ImageError::size_mismatch);
}

TEST_F(Pull, ciphertext_under_a_right_digest_still_fails_the_mac) {
  encrypted_.edit([&](Manifest& m) {
    auto content = encrypted_.blobs[m.layers[2].digest.text()];
    content[content.size() / 2] ^= std::byte{1};
    auto changed = encrypted_.put(content, m.layers[2].media_type);
    changed.annotations = m.layers[2].annotations;
    m.layers[2] = changed;
  });
  expect_refused(encrypted_, ImageError::hmac_mismatch);
}

TEST_F(Pull, garbage_from_a_swapped_key_annotation_is_told_as_the_mac) {
  // Two layers' wraps exchanged: the wrong layer key makes rubbish, and the MAC explains it.
  encrypted_.edit([](Manifest& m) { std::swap(m.layers[0].annotations, m.layers[1].annotations); });
  expect_refused(encrypted_, ImageError::hmac_mismatch);
}

TEST_F(Pull, a_wrong_key_is_told) {
  keys_.keys["default/key/k1"] = to_bytes(std::string(32, 'X'));
  expect_refused(encrypted_, ImageError::unwrap_failed);
}

TEST_F(Pull, keys_that_are_none_are_told_where_they_arrive) {
  keys_.keys["default/key/k1"] = {};
  expect_refused(encrypted_, ImageError::kek_empty);
  keys_.keys["default/key/k1"] = Bytes(16);
  expect_refused(encrypted_, ImageError::kek_wrong_size);
  keys_.keys["default/key/k1"] = to_bytes("-----BEGIN PRIVATE KEY-----\n");
  expect_refused(encrypted_, ImageError::kek_is_pem);
  keys_.keys.clear();
  expect_refused(encrypted_, ImageError::not_found);
}

TEST_F(Pull, missing_annotations_are_told) {
  encrypted_.edit([](Manifest& m) { m.layers[1].annotations.clear(); });
  expect_refused(encrypted_, ImageError::missing_annotation);
}

TEST_F(Pull, without_keys_the_schemes_are_told) {
  expect_error(tree(encrypted_, {}), ImageError::no_key);
}

TEST_F(Pull, a_wrong_diff_id_is_told) {
  const auto layer = gzip_layer(TarBuilder{}.file("a", "1").build());
  const auto config = R"({"rootfs":{"type":"layers","diff_ids":["sha256:)" + std::string(64, '0') + R"("]}})";
  image::testing::put_image(plain_, {layer}, config, media_type::oci_config);
  expect_refused(plain_, ImageError::diff_id_mismatch);
}

TEST_F(Pull, fewer_diff_ids_than_layers_are_an_error_and_no_crash) {
  const auto layer = gzip_layer(TarBuilder{}.file("a", "1").build());
  image::testing::put_image(plain_, {layer, layer},
                            R"({"rootfs":{"diff_ids":[")" + Digest::of(layer.plain).text() + R"("]}})",
                            media_type::oci_config);
  expect_refused(plain_, ImageError::layer_count_mismatch);
  image::testing::put_image(plain_, {layer}, R"({"rootfs":{"diff_ids":[]}})", media_type::oci_config);
  expect_refused(plain_, ImageError::layer_count_mismatch);
  image::testing::put_image(plain_, {layer}, "{}", media_type::wasm_content_config);
  expect_refused(plain_, ImageError::layer_count_mismatch);
}

TEST_F(Pull, zero_layers_are_an_error) {
  image::testing::put_image(plain_, {});
  expect_refused(plain_, ImageError::no_layers);
}

TEST_F(Pull, an_unknown_layer_type_is_told) {
  plain_.edit([](Manifest& m) { m.layers[1].media_type = "application/vnd.example+encrypted"; });
  expect_refused(plain_, ImageError::unsupported_media_type);
}

TEST_F(Pull, tars_that_lead_out_publish_nothing) {
  image::testing::put_image(plain_, {gzip_layer(TarBuilder{}.file("fine", "1").file("../evil", "x").build())});
  expect_refused(plain_, ImageError::bad_path);
  image::testing::put_image(plain_, {gzip_layer(TarBuilder{}.symlink("l", "/tmp").file("l/evil", "x").build())});
  expect_refused(plain_, ImageError::link_escape);
  image::testing::put_image(plain_, {gzip_layer(TarBuilder{}.character_device("null").build())});
  expect_refused(plain_, ImageError::device_node);
}

TEST_F(Pull, truncated_compression_under_right_digests_is_told) {
  auto layer = gzip_layer(TarBuilder{}.file("a", as_text(big_)).build());
  layer.stored.resize(layer.stored.size() - 100);
  image::testing::put_image(plain_, {layer});
  expect_refused(plain_, ImageError::truncated);
}

TEST_F(Pull, a_bomb_is_stopped) {
  image::testing::put_image(plain_, {gzip_layer(TarBuilder{}.file("zeros", std::string(80U << 20, '\0')).build())});
  auto careful = options();
  careful.limits.max_ratio = 100;
  expect_error(tree(plain_, careful), ImageError::limit_exceeded);
  careful.limits = {.max_unpacked_size = 1U << 20};
  expect_error(tree(plain_, careful), ImageError::limit_exceeded);
  careful.limits = {.max_layer_size = 10};
  expect_error(tree(plain_, careful), ImageError::limit_exceeded);
  expect_nothing_left();
}

TEST_F(Pull, an_existing_destination_is_left_alone) {
  fs::create_directory(destination_);
  expect_error(tree(plain_, {}), ImageError::io);
  EXPECT_TRUE(fs::is_empty(destination_));
}

TEST_F(Pull, an_index_is_followed_and_its_members_digest_checked) {
  const auto manifest = plain_.manifests.at(plain_.tagged_->text());
  Descriptor entry{.media_type = manifest.media_type, .digest = manifest.digest, .size = manifest.content.size()};
  const auto text = Index{std::string{media_type::oci_index}, {entry}}.to_json();
  plain_.put_manifest({std::string{media_type::oci_index}, to_bytes(text), Digest::of(as_bytes(text))}, true).value();
  EXPECT_EQ(tree(plain_, {})->manifest_digest, manifest.digest);
}

TEST_F(Pull, an_index_of_an_index_is_not_followed) {
  Descriptor entry{.media_type = std::string{media_type::oci_index}, .digest = *plain_.tagged_, .size = 1};
  const auto text = Index{std::string{media_type::oci_index}, {entry}}.to_json();
  plain_.put_manifest({std::string{media_type::oci_index}, to_bytes(text), Digest::of(as_bytes(text))}, true).value();
  expect_refused(plain_, ImageError::bad_manifest);
}

TEST_F(Pull, a_wasm_image_does_not_unpack) {
  image::testing::put_image(plain_, {wasm_layer(small_module())});
  expect_refused(plain_, ImageError::unsupported_media_type);
}

TEST_F(Pull, inspecting_shows_schemes_and_key_ids_without_any_key) {
  const auto summary = inspect_image(encrypted_).value();
  EXPECT_TRUE(summary.encrypted);
  EXPECT_FALSE(summary.wasm);
  EXPECT_EQ(summary.layers.at(0).schemes, std::vector<std::string>{"provider.attestation-agent"});
  EXPECT_EQ(summary.layers.at(0).key_ids, std::vector<std::string>{"kbs:///default/key/k1"});
}

Result<PulledModule> module_of(MemoryStore& store, const PullOptions& options = {}) {
  return pull_module(store, options);
}

TEST_F(Pull, a_module_comes_from_a_wasm_layer_or_a_tar) {
  const auto module = module_of_size(2'000'000);
  image::testing::put_image(plain_, {wasm_layer(module)});
  const auto direct = module_of(plain_);
  ASSERT_TRUE(direct) << to_string(direct.error());
  EXPECT_TRUE(equal(direct->module.expose(), module));
  image::testing::put_image(plain_, {gzip_layer(TarBuilder{}.file("etc/x", "1").build()),
                                     zstd_layer(TarBuilder{}.file("app.wasm", as_text(module)).build())});
  const auto packed = module_of(plain_);
  ASSERT_TRUE(packed) << to_string(packed.error());
  EXPECT_TRUE(equal(packed->module.expose(), module));
  EXPECT_EQ(packed->name, "app.wasm");
}

TEST_F(Pull, a_wasm_artifact_without_diff_ids_runs_plain_and_encrypted) {
  // The set-up of seed 000: the runner there panicked on exactly this image.
  image::testing::put_image(plain_, {wasm_layer(small_module())}, "{}", media_type::wasm_content_config);
  EXPECT_TRUE(module_of(plain_));
  MemoryStore sealed;
  encrypt(plain_, sealed);
  const auto pulled = module_of(sealed, options());
  ASSERT_TRUE(pulled) << to_string(pulled.error());
  EXPECT_TRUE(pulled->encrypted);
  EXPECT_TRUE(equal(pulled->module.expose(), small_module()));
}

TEST_F(Pull, what_is_no_module_is_told) {
  image::testing::put_image(plain_, {wasm_layer(as_bytes("#!/bin/sh"))});
  expect_error(module_of(plain_), ImageError::bad_module);
  image::testing::put_image(plain_, {gzip_layer(TarBuilder{}.file("a.txt", "1").build())});
  expect_error(module_of(plain_), ImageError::no_module);
  image::testing::put_image(plain_, {gzip_layer(TarBuilder{}.file("a.wasm", "1").file("b.wasm", "2").build())});
  expect_error(module_of(plain_), ImageError::several_modules);
}

TEST_F(Pull, several_wasm_layers_need_a_named_one) {
  auto other = module_of_size(100);
  image::testing::put_image(plain_, {wasm_layer(small_module()), wasm_layer(other)});
  expect_error(module_of(plain_), ImageError::several_modules);
  plain_.edit([](Manifest& m) { m.layers[1].annotations["org.opencontainers.image.title"] = "module.wasm"; });
  EXPECT_TRUE(equal(module_of(plain_)->module.expose(), other));
}

TEST_F(Pull, a_module_over_the_limit_is_refused) {
  image::testing::put_image(plain_, {wasm_layer(module_of_size(1000))});
  PullOptions small;
  small.limits.max_module_size = 999;
  expect_error(module_of(plain_, small), ImageError::limit_exceeded);
}

}  // namespace
}  // namespace coffer::image
