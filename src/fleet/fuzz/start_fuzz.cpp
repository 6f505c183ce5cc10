// A start that parses is written and read again as the same; salvage() agrees with the parser on whom it is for.
#include <cstdint>
#include <cstdlib>

#include "fleet/messages.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace coffer::fleet;
  const std::string_view payload{reinterpret_cast<const char*>(data), size};
  if (const auto message = parse_start(payload)) {
    const std::string written = to_json(*message);
    const auto again = parse_start(written);
    if (!again || to_json(*again) != written) std::abort();
  }
  const Salvage found = salvage(payload);
  if (const auto start = parse_start(payload))
    if (found.id != start->id || found.proplet_id != start->proplet_id) std::abort();
  return 0;
}
