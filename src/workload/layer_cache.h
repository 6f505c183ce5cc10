// Blobs kept between runs as the registry has them: encrypted layers stay encrypted. Names are digests, and a kept blob
// is checked against its name before it is used.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <vector>

#include "base/file_descriptor.h"
#include "image/store.h"

namespace coffer::workload {

class CachedSource final : public image::ImageSource {
 public:
  // `directory` empty: only manifests are remembered, for the life of the object. `guest_directories` are those that
  // guests write to: where `directory` lies in one, as it does by default, it may hold links that a guest planted.
  CachedSource(std::unique_ptr<image::ImageSource> source, std::filesystem::path directory,
               const std::vector<std::filesystem::path>& guest_directories = {});

  Result<image::RawManifest> manifest(const std::optional<image::Digest>& digest) override;
  Result<> read_blob(const image::Descriptor& blob, image::ByteSink& sink) override;
  // Asked anew each time: what stands beside an image changes.
  Result<image::RawManifest> tagged(const std::string& tag) override { return source_->tagged(tag); }
  Result<image::Index> referrers(const image::Digest& subject) override { return source_->referrers(subject); }
  std::string name() const override { return source_->name(); }

  // How many blobs came from the directory.
  unsigned hits() const { return hits_; }

 private:
  FileDescriptor open_directory() const;

  std::unique_ptr<image::ImageSource> source_;
  std::filesystem::path directory_;
  std::filesystem::path trusted_;                        // directory_, or the guests' directory around it
  std::map<std::string, image::RawManifest> manifests_;  // by digest; "" is the reference's own
  unsigned hits_ = 0;
};

}  // namespace coffer::workload
