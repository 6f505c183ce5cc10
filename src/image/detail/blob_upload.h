#pragma once

#include "image/detail/registry_session.h"

namespace coffer::image {

// POST, then one PUT for a small blob; POST, PATCH for each chunk and a closing PUT for a large one
// (distribution specification, "Pushing blobs").
class BlobUpload final : public BlobWriter {
 public:
  explicit BlobUpload(std::shared_ptr<RegistrySession> session) : session_(std::move(session)) {}
  // Asks the registry to forget an upload that was begun and not committed.
  ~BlobUpload() override;

  Result<> write(ByteView data) override;
  Result<> commit(const Digest& digest) override;

 private:
  Result<> begin();
  Result<> send_chunk();
  Result<> take_location(const net::HttpResponse& response);

  std::shared_ptr<RegistrySession> session_;
  Bytes chunk_;
  std::string location_;
  std::uint64_t sent_ = 0;
  bool committed_ = false;
};

}  // namespace coffer::image
