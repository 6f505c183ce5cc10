// A resource source as the image layer wants it. It stands here because the image layer does not know the key client.
#pragma once

#include <memory>

#include "image/key_source.h"
#include "keyclient/resource_source.h"

namespace coffer::workload {

class ResourceKeySource final : public image::KeySource {
 public:
  explicit ResourceKeySource(std::shared_ptr<keyclient::ResourceSource> source) : source_(std::move(source)) {}
  Result<SecretBytes> fetch(const codec::ResourceUri& kid) override;

 private:
  std::shared_ptr<keyclient::ResourceSource> source_;
};

}  // namespace coffer::workload
