// An image that came by proxy, as the image layer wants it: manifest and configuration from the first chunk, the one
// layer from all of them. Nothing of it is believed here; the image layer checks every digest, and the layer's MAC.
#pragma once

#include <memory>
#include <string>

#include "fleet/chunks.h"
#include "image/store.h"

namespace coffer::fleet::worker {

class ChunkImageSource final : public image::ImageSource {
 public:
  // worker.unsupported where the proxy sent no manifest, as upstream's does not; image.digest_mismatch where `name` is
  // pinned by another digest than this manifest's.
  static Result<std::unique_ptr<ChunkImageSource>> create(const std::string& name,
                                                          std::shared_ptr<const FetchedImage> image);

  Result<image::RawManifest> manifest(const std::optional<image::Digest>& digest) override;
  Result<> read_blob(const image::Descriptor& blob, image::ByteSink& sink) override;
  // Where the manifest's signatures are looked for: those that the proxy sent along, as a registry would have them.
  Result<image::RawManifest> tagged(const std::string& tag) override;
  // image.digest_mismatch where the layer that came is none of the manifest's.
  Result<> check_layer() const;
  std::string name() const override { return name_ + " by proxy"; }

 private:
  ChunkImageSource(std::string name, std::shared_ptr<const FetchedImage> image, image::RawManifest manifest);
  std::string name_;
  std::shared_ptr<const FetchedImage> image_;
  image::RawManifest manifest_;
  image::Digest layer_, config_;
};

}  // namespace coffer::fleet::worker
