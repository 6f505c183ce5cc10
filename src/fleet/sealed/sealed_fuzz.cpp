// Sealed payloads and lists of group keys: what parses is written and read again as the same, and no stranger's payload
// opens.
#include <cstdint>
#include <cstdlib>

#include "fleet/sealed/sealed_channel.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace coffer;
  using namespace coffer::fleet::sealed;
  const std::string_view payload{reinterpret_cast<const char*>(data), size};
  if (const auto envelope = parse_envelope(payload)) {
    const auto again = parse_envelope(to_json(*envelope));
    if (!again || *again != *envelope) std::abort();
  }
  if (const auto keys = GroupKeys::parse(as_bytes(payload))) {
    const auto again = GroupKeys::parse(keys->document().expose());
    if (!again || again->all().size() != keys->all().size()) std::abort();
  }
  static SealedChannel channel{{.own_id = "receiver"}};
  static const bool ready = [] {
    channel.set_keys(GroupKeys::create(system_clock().now()));
    return true;
  }();
  if (!ready || channel.open("m/t/c/ch/control/manager/start", payload)) std::abort();
  return 0;
}
