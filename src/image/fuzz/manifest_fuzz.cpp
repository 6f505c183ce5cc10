// Manifests, indexes and configurations; what parses can be written and read again, and its counts can be trusted.
#include <cstdint>
#include <cstdlib>

#include "image/manifest.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace coffer::image;
  const coffer::ByteView text{reinterpret_cast<const std::byte*>(data), size};
  const auto config = ImageConfig::parse(text, media_type::oci_config);
  if (const auto index = Index::parse(text, "")) {
    if (!Index::parse(coffer::as_bytes(index->to_json()), "")) std::abort();
    static_cast<void>(index->choose(Platform::host()));
  }
  const auto manifest = Manifest::parse(text, "");
  if (!manifest) return 0;
  if (manifest->layers.empty() || !Manifest::parse(coffer::as_bytes(manifest->to_json()), "")) std::abort();
  for (const auto& layer : manifest->layers) static_cast<void>(classify_layer(layer.media_type));
  if (config) static_cast<void>(check_layer_counts(*manifest, *config));
  return 0;
}
