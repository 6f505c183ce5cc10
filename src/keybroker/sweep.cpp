#include "keybroker/sweep.h"

#include <algorithm>
#include <vector>

namespace coffer::keybroker {
namespace {

constexpr std::size_t page = 200;

}  // namespace

Result<Swept> sweep_space(storage::KeyValueStore& store, std::string_view space,
                          const std::function<bool(std::string_view value)>& is_needed) {
  Swept swept;
  std::string last;
  while (true) {
    const auto keys = TRY(store.list(space, {}, last, page));
    std::vector<std::string> needless;
    for (const auto& key : keys) {
      const auto value = TRY(store.get(space, key));
      if (!value) continue;
      if (is_needed(as_text(*value))) {
        ++swept.kept;
      } else {
        needless.push_back(key);
      }
    }
    swept.removed += TRY(store.erase_all(space, needless));
    if (keys.size() < page) return swept;
    last = keys.back();
  }
}

Result<std::size_t> erase_in_pages(storage::KeyValueStore& store, std::string_view space,
                                   std::span<const std::string> keys) {
  std::size_t erased = 0;
  while (!keys.empty()) {
    const auto count = std::min(page, keys.size());
    erased += TRY(store.erase_all(space, keys.first(count)));
    keys = keys.subspan(count);
  }
  return erased;
}

}  // namespace coffer::keybroker
