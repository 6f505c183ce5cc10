// A stranger's traceparent, and a collector's answer.
#include "base/bytes.h"
#include "net/detail/otlp_json.h"
#include "net/trace.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  if (const auto context = coffer::net::TraceContext::parse(text)) {
    if (coffer::net::TraceContext::parse(context->text()) != context) __builtin_trap();
  }
  coffer::net::detail::rejected_spans(text);
  return 0;
}
