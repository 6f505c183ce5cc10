#include "image/testing/memory_store.h"

#include "codec/json.h"
#include "image/testing/archives.h"

namespace coffer::image::testing {
namespace {

namespace json = codec::json;

class MemoryWriter final : public BlobWriter {
 public:
  explicit MemoryWriter(MemoryStore& store) : store_(store) {}
  Result<> write(ByteView data) override {
    content_.insert(content_.end(), data.begin(), data.end());
    return {};
  }
  Result<> commit(const Digest& digest) override {
    TRY(digest.verify(content_, "a stored blob"));
    store_.blobs[digest.text()] = std::move(content_);
    return {};
  }

 private:
  MemoryStore& store_;
  Bytes content_;
};

std::string config_of(const std::vector<TestLayer>& layers) {
  json::Array diff_ids;
  for (const auto& layer : layers) diff_ids.emplace_back(Digest::of(layer.plain).text());
  return json::serialize(
      json::Object{{"architecture", "amd64"},
                   {"os", "linux"},
                   {"config", json::Object{{"Env", json::Array{"A=1"}}, {"Cmd", json::Array{"/bin/true"}}}},
                   {"rootfs", json::Object{{"type", "layers"}, {"diff_ids", std::move(diff_ids)}}}});
}

}  // namespace

Result<RawManifest> MemoryStore::manifest(const std::optional<Digest>& digest) {
  const auto& wanted = digest ? digest : tagged_;
  const auto found = wanted ? manifests.find(wanted->text()) : manifests.end();
  if (found == manifests.end()) return fail(ImageError::not_found, "no such manifest in memory");
  return found->second;
}

Result<RawManifest> MemoryStore::tagged(const std::string& tag) {
  const auto found = other_tags.find(tag);
  return found == other_tags.end() ? ImageSource::tagged(tag) : manifest(found->second);
}

Result<Index> MemoryStore::referrers(const Digest&) {
  return Index{std::string{media_type::oci_index}, subjects};
}

Result<> MemoryStore::read_blob(const Descriptor& blob, ByteSink& sink) {
  const auto found = blobs.find(blob.digest.text());
  if (found == blobs.end()) return fail(ImageError::not_found, "no such blob in memory");
  const auto source = chunks_of(found->second, 100'000);
  for (auto chunk = source(); !chunk->empty(); chunk = source()) TRY(sink.write(*chunk));
  return {};
}

Result<std::unique_ptr<BlobWriter>> MemoryStore::begin_blob() {
  return std::unique_ptr<BlobWriter>{std::make_unique<MemoryWriter>(*this)};
}

Result<> MemoryStore::put_manifest(const RawManifest& manifest, bool tagged) {
  manifests.insert_or_assign(manifest.digest.text(), manifest);
  if (tagged) tagged_ = manifest.digest;
  return {};
}

Manifest MemoryStore::current() const {
  const auto& raw = manifests.at(tagged_->text());  // NOLINT(bugprone-unchecked-optional-access): a test put one
  return Manifest::parse(raw.content, raw.media_type).value();
}

void MemoryStore::edit(const std::function<void(Manifest&)>& change) {
  auto manifest = current();
  change(manifest);
  const auto text = manifest.to_json();
  put_manifest({manifest.media_type, to_bytes(text), Digest::of(as_bytes(text))}, true).value();
}

Descriptor MemoryStore::put(ByteView content, std::string_view media_type) {
  return put_small_blob(*this, content, media_type).value();
}

TestLayer tar_layer(ByteView tar) {
  return {to_bytes(tar), std::string{media_type::oci_layer}, to_bytes(tar)};
}
TestLayer gzip_layer(ByteView tar) {
  return {gzip(tar), std::string{media_type::oci_layer_gzip}, to_bytes(tar)};
}
TestLayer zstd_layer(ByteView tar) {
  return {zstd(tar), std::string{media_type::oci_layer_zstd}, to_bytes(tar)};
}
TestLayer wasm_layer(ByteView module) {
  return {to_bytes(module), std::string{media_type::wasm_content}, to_bytes(module)};
}

void put_image(MemoryStore& store, const std::vector<TestLayer>& layers) {
  put_image(store, layers, config_of(layers), media_type::oci_config);
}

void put_image(MemoryStore& store, const std::vector<TestLayer>& layers, std::string_view config,
               std::string_view config_type) {
  Manifest manifest{.media_type = std::string{media_type::oci_manifest},
                    .config = store.put(as_bytes(config), config_type),
                    .layers = {}};
  for (const auto& layer : layers) manifest.layers.push_back(store.put(layer.stored, layer.media_type));
  const auto text = manifest.to_json();
  store.put_manifest({manifest.media_type, to_bytes(text), Digest::of(as_bytes(text))}, true).value();
}

Result<SecretBytes> MapKeySource::fetch(const codec::ResourceUri& kid) {
  asked.push_back(kid.text());
  const auto found = keys.find(kid.path());
  if (found == keys.end()) return fail(ImageError::not_found, "no key " + kid.text());
  return SecretBytes::copy_of(found->second);
}

}  // namespace coffer::image::testing
