// The kbc "sample": the one test key that upstream publishes in its source (coco_keyprovider's `sample=true`). Whoever
// wants it has it, so it protects nothing; it is there for test images that were encrypted under it.
#pragma once

#include "keyclient/resource_source.h"

namespace coffer::workload {

class PublishedKeySource final : public keyclient::ResourceSource {
 public:
  // The same key for every URI, as upstream's sample KBC gives it. Logs a warning each time.
  Result<SecretBytes> fetch(const codec::ResourceUri& uri) override;
  std::string describe() const override;
};

}  // namespace coffer::workload
