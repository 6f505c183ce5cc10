#include "storage/key_value_store.h"

namespace coffer::storage {

Result<std::size_t> KeyValueStore::erase_all(std::string_view space, std::span<const std::string> keys) {
  std::size_t erased = 0;
  for (const auto& key : keys) erased += TRY(erase(space, key))
  ? 1 : 0;
  return erased;
}

}  // namespace coffer::storage
