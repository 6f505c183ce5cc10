#include <cstddef>
#include <cstdint>

#include "fleet/manager/plugins/plugin_messages.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  const auto verdict = coffer::fleet::manager::parse_plugin_verdict(text);
  const auto enrichment = coffer::fleet::manager::parse_plugin_enrichment(text);
  return enrichment && enrichment->priority.value_or(0) > 100 && verdict ? __builtin_trap(), 0 : 0;
}
