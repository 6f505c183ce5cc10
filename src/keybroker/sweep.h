// Removing what a namespace of the store no longer needs, page by page: whoever writes meanwhile waits for one page at
// most.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "storage/key_value_store.h"

namespace coffer::keybroker {

struct Swept {
  std::size_t removed = 0;
  std::size_t kept = 0;
};

// Erases the values of `space` that `is_needed` says no of.
Result<Swept> sweep_space(storage::KeyValueStore& store, std::string_view space,
                          const std::function<bool(std::string_view value)>& is_needed);

// How many of these there were.
Result<std::size_t> erase_in_pages(storage::KeyValueStore& store, std::string_view space,
                                   std::span<const std::string> keys);

}  // namespace coffer::keybroker
