// OCI image layouts on disk (image-layout.md): oci-layout, index.json, blobs/<algorithm>/<hex>.
#pragma once

#include "image/store.h"

namespace coffer::image {

class Layout final : public ImageSource, public ImageSink {
 public:
  // Reading: the layout has to exist. Without a tag it has to hold exactly one image.
  static Result<std::unique_ptr<Layout>> open(LayoutReference reference);
  // Writing: made where it is missing.
  static Result<std::unique_ptr<Layout>> create(LayoutReference reference);

  Result<RawManifest> manifest(const std::optional<Digest>& digest) override;
  Result<> read_blob(const Descriptor& blob, ByteSink& sink) override;
  Result<RawManifest> tagged(const std::string& tag) override;
  Result<bool> has_blob(const Digest& digest) override;
  Result<std::unique_ptr<BlobWriter>> begin_blob() override;
  Result<> put_manifest(const RawManifest& manifest, bool tagged) override;
  std::string name() const override;

 private:
  explicit Layout(LayoutReference reference) : reference_(std::move(reference)) {}
  Result<Index> read_index() const;
  Result<Descriptor> find_tagged() const;
  std::filesystem::path blob_path(const Digest& digest) const;
  LayoutReference reference_;
};

struct RegistryOptions;
// A registry's image or a layout, by the reference. `options` are for registries.
Result<std::unique_ptr<ImageSource>> open_source(const AnyReference& reference, RegistryOptions options);
Result<std::unique_ptr<ImageSink>> open_sink(const AnyReference& reference, RegistryOptions options);

}  // namespace coffer::image
