// Whatever parses has a normal text that parses to the same reference.
#include <cstdint>
#include <cstdlib>

#include "image/reference.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using coffer::image::ImageReference;
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  static_cast<void>(coffer::image::parse_any_reference(text));
  const auto reference = ImageReference::parse(text);
  if (!reference) return 0;
  const auto again = ImageReference::parse(reference->text());
  if (!again || again->text() != reference->text() || again->selector() != reference->selector()) std::abort();
  static_cast<void>(reference->is_loopback());
  return 0;
}
