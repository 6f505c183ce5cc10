// Node and task metrics: what parses is written and read again as the same.
#include <cstdint>
#include <cstdlib>

#include "fleet/messages.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace coffer::fleet;
  const std::string_view payload{reinterpret_cast<const char*>(data), size};
  if (const auto message = parse_node_metrics(payload)) {
    const std::string written = to_json(*message);
    const auto again = parse_node_metrics(written);
    if (!again || to_json(*again) != written) std::abort();
  }
  if (const auto message = parse_task_metrics(payload)) {
    const std::string written = to_json(*message);
    const auto again = parse_task_metrics(written);
    if (!again || to_json(*again) != written) std::abort();
  }
  return 0;
}
