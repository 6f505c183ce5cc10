// Stop, invoke, fetch and round start: what parses is written and read again as the same.
#include <cstdint>
#include <cstdlib>

#include "fleet/messages.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace coffer::fleet;
  const std::string_view payload{reinterpret_cast<const char*>(data), size};
  if (const auto message = parse_stop(payload)) {
    const std::string written = to_json(*message);
    const auto again = parse_stop(written);
    if (!again || to_json(*again) != written) std::abort();
  }
  if (const auto message = parse_invoke(payload)) {
    const std::string written = to_json(*message);
    const auto again = parse_invoke(written);
    if (!again || to_json(*again) != written) std::abort();
  }
  if (const auto message = parse_fetch_request(payload)) {
    const std::string written = to_json(*message);
    const auto again = parse_fetch_request(written);
    if (!again || to_json(*again) != written) std::abort();
  }
  if (const auto message = parse_round_start(payload)) {
    const std::string written = to_json(*message);
    const auto again = parse_round_start(written);
    if (!again || to_json(*again) != written) std::abort();
  }
  return 0;
}
