#include "evidence/init_data.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace coffer;
  auto init_data = evidence::InitData::parse(to_text({reinterpret_cast<const std::byte*>(data), size}));
  if (!init_data) return 0;
  (void)init_data->claims();
  if (init_data->digest().empty()) __builtin_trap();
  return 0;
}
