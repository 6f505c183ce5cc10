// Arbitrary bytes as a module or component, mostly behind the right preamble. Small inputs: what is fuzzed is that
// nothing crashes on the way in.
#include "wasm/runtime.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace coffer;
  static auto runtime = wasm::Runtime::create({.max_instances = 1, .memory_cache_entries = 1});
  if (!runtime) __builtin_trap();
  if (size == 0 || size > 4096) return 0;
  constexpr std::string_view preambles[] = {{"\0asm\x01\0\0\0", 8}, {"\0asm\x0d\0\x01\0", 8}, {}};
  const ByteView rest{reinterpret_cast<const std::byte*>(data) + 1, size - 1};
  const auto module = runtime->compile(concat({as_bytes(preambles[data[0] % 3]), rest}));
  if (module) (void)module->exports();
  return 0;
}
