#include "workload/layer_cache.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <iterator>

#include "image/testing/archives.h"
#include "image/testing/memory_store.h"

namespace coffer::workload {
namespace {

namespace fs = std::filesystem;
using image::testing::MemoryStore;

// A store that others look into while the cache owns its face.
class Shared final : public image::ImageSource {
 public:
  explicit Shared(MemoryStore& store) : store_(store) {}
  Result<image::RawManifest> manifest(const std::optional<image::Digest>& digest) override {
    ++manifests;
    return store_.manifest(digest);
  }
  Result<> read_blob(const image::Descriptor& blob, image::ByteSink& sink) override {
    ++blobs;
    return store_.read_blob(blob, sink);
  }
  std::string name() const override { return "shared"; }
  unsigned manifests = 0, blobs = 0;

 private:
  MemoryStore& store_;
};

class LayerCache : public ::testing::Test {
 protected:
  void SetUp() override {
    char pattern[] = "/tmp/coffer-layers-XXXXXX";
    root_ = ::mkdtemp(pattern);
    auto shared = std::make_unique<Shared>(store_);
    source_ = shared.get();
    cache_ = std::make_unique<CachedSource>(std::move(shared), root_ / "layers");
  }
  void TearDown() override { fs::remove_all(root_); }

  Result<Bytes> read(const image::Descriptor& blob) {
    image::testing::CollectSink sink;
    TRY(image::fetch_blob(*cache_, blob, sink));
    return std::move(sink.content);
  }
  std::vector<fs::path> kept() const {
    if (!fs::exists(root_ / "layers")) return {};
    return {fs::directory_iterator{root_ / "layers"}, fs::directory_iterator{}};
  }

  fs::path root_;
  MemoryStore store_;
  Shared* source_ = nullptr;
  std::unique_ptr<CachedSource> cache_;
};

TEST_F(LayerCache, a_plain_module_is_kept_under_upstreams_name_and_read_once) {
  const auto module = image::testing::module_of_size(600U << 10);
  const auto blob = store_.put(module, "application/vnd.wasm.content.layer.v1+wasm");
  EXPECT_EQ(*read(blob), module);
  ASSERT_EQ(kept().size(), 1U);
  EXPECT_EQ(kept().front().filename(), std::string{blob.digest.hex()} + ".wasm");
  EXPECT_EQ(*read(blob), module);
  EXPECT_EQ(source_->blobs, 1U);
  EXPECT_EQ(cache_->hits(), 1U);
}

TEST_F(LayerCache, an_encrypted_layer_is_kept_as_it_is) {
  const auto ciphertext = image::testing::noise(1000);
  const auto blob = store_.put(ciphertext, "application/wasm+encrypted");
  ASSERT_TRUE(read(blob));
  ASSERT_EQ(kept().size(), 1U);
  EXPECT_EQ(kept().front().filename(), blob.digest.hex());
  std::ifstream stream(kept().front(), std::ios::binary);
  EXPECT_EQ((std::string{std::istreambuf_iterator<char>{stream}, {}}), as_text(ciphertext));
}

TEST_F(LayerCache, a_kept_blob_that_was_changed_is_fetched_anew) {
  const auto content = image::testing::noise(5000);
  const auto blob = store_.put(content, "application/wasm");
  ASSERT_TRUE(read(blob));
  std::ofstream(kept().front(), std::ios::binary | std::ios::app) << "more";
  EXPECT_EQ(*read(blob), content);
  EXPECT_EQ(source_->blobs, 2U);
  EXPECT_EQ(*read(blob), content);
  EXPECT_EQ(source_->blobs, 2U);
}

TEST_F(LayerCache, what_does_not_have_its_digest_is_not_kept) {
  const auto blob = store_.put(image::testing::noise(5000), "application/wasm");
  store_.corrupt(blob.digest, [](Bytes& content) { content[7] ^= std::byte{1}; });
  const auto content = read(blob);
  ASSERT_FALSE(content);
  EXPECT_EQ(content.error().code, image::ImageError::digest_mismatch);
  EXPECT_TRUE(kept().empty());
}

TEST_F(LayerCache, a_directory_that_cannot_be_made_costs_only_the_copy) {
  std::ofstream(root_ / "layers") << "a file in the way";
  const auto blob = store_.put(image::testing::noise(10), "application/wasm");
  EXPECT_TRUE(read(blob));
}

// A guest writes to its work directory, and the store lies in it.
class LayerCacheInWorkDir : public LayerCache {
 protected:
  void SetUp() override {
    LayerCache::SetUp();
    fs::create_directories(root_ / "work");
    fs::create_directories(root_ / "host");
    cache_ =
        std::make_unique<CachedSource>(std::make_unique<Shared>(store_), root_ / "work/layers", std::vector{work()});
  }
  fs::path work() const { return root_ / "work"; }
};

TEST_F(LayerCacheInWorkDir, layers_are_kept_in_it) {
  const auto blob = store_.put(image::testing::noise(10), "application/wasm");
  ASSERT_TRUE(read(blob));
  EXPECT_TRUE(fs::exists(work() / "layers" / (std::string{blob.digest.hex()} + ".wasm")));
  ASSERT_TRUE(read(blob));
  EXPECT_EQ(cache_->hits(), 1U);
}

TEST_F(LayerCacheInWorkDir, a_link_that_a_guest_put_in_its_place_is_not_followed_out) {
  fs::create_symlink("../host", work() / "layers");
  const auto blob = store_.put(image::testing::noise(10), "application/wasm");
  EXPECT_TRUE(read(blob));
  EXPECT_TRUE(fs::is_empty(root_ / "host"));
}

TEST_F(LayerCacheInWorkDir, links_that_a_guest_put_under_the_names_of_layers_are_replaced) {
  std::ofstream(root_ / "host/file") << "the host's";
  fs::create_directories(work() / "layers");
  const auto content = image::testing::noise(10);
  const auto blob = store_.put(content, "application/wasm");
  const auto name = std::string{blob.digest.hex()} + ".wasm";
  fs::create_symlink("../../host/file", work() / "layers" / name);
  fs::create_symlink("../../host/file", work() / "layers" / (name + ".part-" + std::to_string(::getpid())));
  EXPECT_EQ(*read(blob), content);
  std::ifstream stream(root_ / "host/file");
  EXPECT_EQ((std::string{std::istreambuf_iterator<char>{stream}, {}}), "the host's");
  EXPECT_FALSE(fs::is_symlink(work() / "layers" / name));
}

TEST_F(LayerCache, manifests_are_asked_for_once) {
  image::testing::put_image(store_, {image::testing::wasm_layer(image::testing::small_module())});
  ASSERT_TRUE(cache_->manifest(std::nullopt));
  ASSERT_TRUE(cache_->manifest(std::nullopt));
  EXPECT_EQ(source_->manifests, 1U);
}

TEST_F(LayerCache, without_a_directory_nothing_is_written) {
  CachedSource bare{std::make_unique<Shared>(store_), {}};
  const auto blob = store_.put(image::testing::noise(10), "application/wasm");
  image::testing::CollectSink sink;
  ASSERT_TRUE(image::fetch_blob(bare, blob, sink));
  EXPECT_TRUE(kept().empty());
}

}  // namespace
}  // namespace coffer::workload
