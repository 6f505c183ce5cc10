// Arbitrary bytes as a module or component. Small inputs: what is fuzzed is that nothing crashes on the way in.
#include "wasm/runtime.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace coffer;
  static auto runtime = wasm::Runtime::create({.max_instances = 1, .memory_cache_entries = 1});
  if (!runtime) __builtin_trap();
  if (size > 4096) return 0;
  const auto module = runtime->compile({reinterpret_cast<const std::byte*>(data), size});
  if (module) (void)module->exports();
  return 0;
}
