// An image store in memory, and images in it that tests break one thing at a time.
#pragma once

#include <functional>
#include <map>

#include "image/key_source.h"
#include "image/store.h"

namespace coffer::image::testing {

class MemoryStore final : public ImageSource, public ImageSink {
 public:
  Result<RawManifest> manifest(const std::optional<Digest>& digest) override;
  Result<> read_blob(const Descriptor& blob, ByteSink& sink) override;
  Result<bool> has_blob(const Digest& digest) override { return blobs.contains(digest.text()); }
  Result<std::unique_ptr<BlobWriter>> begin_blob() override;
  Result<> put_manifest(const RawManifest& manifest, bool tagged) override;
  Result<RawManifest> tagged(const std::string& tag) override;
  Result<Index> referrers(const Digest& subject) override;
  std::string name() const override { return "memory"; }

  // The tagged manifest, changed and stored again.
  void edit(const std::function<void(Manifest&)>& change);
  Manifest current() const;
  // Stores the blob and describes it.
  Descriptor put(ByteView content, std::string_view media_type);
  // Replaces a blob's bytes and leaves its name.
  void corrupt(const Digest& digest, const std::function<void(Bytes&)>& change) { change(blobs.at(digest.text())); }

  std::map<std::string, Bytes> blobs;
  std::map<std::string, RawManifest> manifests;  // by digest
  std::optional<Digest> tagged_;
  std::map<std::string, Digest> other_tags;
  std::vector<Descriptor> subjects;  // what referrers() lists, for whatever subject
};

// A layer as it is stored, and what it is when unpacked.
struct TestLayer {
  Bytes stored;
  std::string media_type;
  Bytes plain;
};
TestLayer tar_layer(ByteView tar);
TestLayer gzip_layer(ByteView tar);
TestLayer zstd_layer(ByteView tar);
TestLayer wasm_layer(ByteView module);

// An OCI image of these layers, with right diff_ids, under the store's tag.
void put_image(MemoryStore& store, const std::vector<TestLayer>& layers);
// The same with a configuration of the test's own.
void put_image(MemoryStore& store, const std::vector<TestLayer>& layers, std::string_view config,
               std::string_view config_type);

// Keys by path ("default/key/k1"). Counts what it is asked for.
class MapKeySource final : public KeySource {
 public:
  Result<SecretBytes> fetch(const codec::ResourceUri& kid) override;
  std::map<std::string, Bytes> keys;
  std::vector<std::string> asked;
};

}  // namespace coffer::image::testing
