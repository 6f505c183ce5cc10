#include "image/key_source.h"

namespace coffer::image {

Result<SecretBytes> RememberingKeySource::fetch(const codec::ResourceUri& kid) {
  const std::lock_guard lock{mutex_};
  const auto name = kid.text();
  if (const auto found = keys_.find(name); found != keys_.end()) return found->second.clone();
  auto key = TRY(next_.fetch(kid));
  return keys_.emplace(name, std::move(key)).first->second.clone();
}

}  // namespace coffer::image
