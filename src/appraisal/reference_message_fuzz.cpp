#include "appraisal/reference_values.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace coffer;
  const std::shared_ptr<storage::KeyValueStore> store = storage::make_memory_store();
  appraisal::ReferenceValueStore values{store, system_clock()};
  const auto names = values.register_message(as_text({reinterpret_cast<const std::byte*>(data), size}));
  if (!names) return 0;
  for (const auto& name : *names) {
    const auto value = values.query(name);
    if (!value || !*value) __builtin_trap();
  }
  return 0;
}
