// Blobs kept between runs as the registry has them: encrypted layers stay encrypted. Names are digests, and a kept blob
// is checked against its name before it is used.
#pragma once

#include <filesystem>
#include <map>
#include <memory>

#include "image/store.h"

namespace coffer::guest::detail {

class CachedSource final : public image::ImageSource {
 public:
  // `directory` empty: only manifests are remembered, for the life of the object.
  CachedSource(std::unique_ptr<image::ImageSource> source, std::filesystem::path directory)
      : source_(std::move(source)), directory_(std::move(directory)) {}

  Result<image::RawManifest> manifest(const std::optional<image::Digest>& digest) override;
  Result<> read_blob(const image::Descriptor& blob, image::ByteSink& sink) override;
  std::string name() const override { return source_->name(); }

  // How many blobs came from the directory.
  unsigned hits() const { return hits_; }

 private:
  std::filesystem::path path_of(const image::Descriptor& blob) const;
  Result<> read_through(const image::Descriptor& blob, image::ByteSink& sink);

  std::unique_ptr<image::ImageSource> source_;
  std::filesystem::path directory_;
  std::map<std::string, image::RawManifest> manifests_;  // by digest; "" is the reference's own
  unsigned hits_ = 0;
};

}  // namespace coffer::guest::detail
