#include "workload/resource_key_source.h"

#include "base/log.h"

namespace coffer::workload {

Result<SecretBytes> ResourceKeySource::fetch(const codec::ResourceUri& kid) {
  auto key = source_->fetch(kid);
  if (!key) return key;
  log::info("runner.key", "Successfully obtained decryption key", {{"kid", kid.text()}, {"from", source_->describe()}});
  return key;
}

}  // namespace coffer::workload
