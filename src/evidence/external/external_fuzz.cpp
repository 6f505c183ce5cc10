#include "evidence/external/message.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace coffer;
  using namespace coffer::evidence;
  const auto text = as_text({reinterpret_cast<const std::byte*>(data), size});
  const external::Call call{1, "acme"};
  const Binding binding{Bytes(48), Bytes(32)};
  (void)external::parse_verify_answer(text, call, binding);
  (void)external::parse_attest_answer(text, call);
  (void)external::parse_bind_init_data_answer(text, call);
  if (const auto type = external::parse_type(text); type && *type != text) __builtin_trap();
  return 0;
}
