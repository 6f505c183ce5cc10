#pragma once

#include <cstdint>

namespace coffer::image {

// Bounds of what one image may make of itself.
struct Limits {
  std::uint64_t max_layer_size = 16ULL << 30;     // one blob, as downloaded
  std::uint64_t max_unpacked_size = 64ULL << 30;  // all layers, inflated
  std::uint64_t max_ratio = 1000;                 // inflated to compressed, once over 16 MiB
  std::uint64_t max_entries = 2'000'000;          // of all tars
  std::uint64_t max_module_size = 512ULL << 20;   // one WASM module in memory
};

}  // namespace coffer::image
