#include "codec/base64.h"
#include "evidence/dcap/pck.h"
#include "evidence/dcap/quote.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace coffer;
  const ByteView bytes{reinterpret_cast<const std::byte*>(data), size};
  (void)evidence::dcap::parse_pck_extensions(bytes);
  const auto quote = evidence::dcap::parse_quote(bytes);
  if (!quote) return 0;
  const auto shown = evidence::dcap::describe(*quote);
  // What was read lies within what was given.
  if (quote->certification.data() + quote->certification.size() > bytes.data() + bytes.size()) __builtin_trap();
  if (shown.find("body") == nullptr) __builtin_trap();
  return 0;
}
