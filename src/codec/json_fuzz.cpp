// What is parsed, written and parsed again is the same value, compact and pretty; and Boost.JSON sees it alike.
#include <cstdint>
#include <cstdlib>

#include "codec/json.h"
#include "codec/json_differential_testing.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace coffer::codec;
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  if (!json::difference(text).empty()) std::abort();
  const auto value = json::parse(text);
  if (!value) return 0;
  const auto compact = json::parse(json::serialize(*value));
  if (!compact || *compact != *value) std::abort();
  const auto pretty = json::parse(json::serialize_pretty(*value));
  if (!pretty || *pretty != *value) std::abort();
  return 0;
}
