#include "codec/json.h"
#include "evidence/composite.h"
#include "evidence/sample/sample.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace coffer;
  const auto text = as_text({reinterpret_cast<const std::byte*>(data), size});
  (void)evidence::parse_additional_evidence(text);
  const auto value = codec::json::parse(text);
  if (!value) return 0;
  const evidence::Binding binding{Bytes(48), std::nullopt};
  const auto verifier = evidence::sample::make_verifier(evidence::TeeKind::sample);
  const auto claims = verifier->verify(*value, binding, from_unix_seconds(0));
  if (claims && claims->front().report_data != std::string(64, 'A')) __builtin_trap();
  return 0;
}
