#include <algorithm>

#include "image/pull.h"

namespace coffer::image {
namespace {

// Unreadable annotations are shown as absent: inspecting is how one finds out why an image does not open.
LayerSummary summarize(const Descriptor& layer) {
  LayerSummary out{.descriptor = layer};
  const auto kind = classify_layer(layer.media_type);
  out.encrypted = kind && kind->encrypted;
  const auto wraps = ocicrypt::read_wraps(layer.annotations);
  if (!wraps) return out;
  for (const auto& wrap : *wraps) {
    out.schemes.push_back(wrap.scheme);
    if (!wrap.scheme.starts_with("provider.")) continue;
    if (const auto packet = ocicrypt::AnnotationPacket::parse(wrap.blob)) out.key_ids.push_back(packet->kid);
  }
  return out;
}

}  // namespace

Result<ImageSummary> inspect_image(ImageSource& source, const Platform& platform) {
  const auto image = TRY(resolve_image(source, platform));
  ImageSummary out{.manifest_digest = image.raw.digest,
                   .media_type = image.manifest.media_type,
                   .config_media_type = image.manifest.config.media_type,
                   .config = image.config,
                   .encrypted = has_encrypted_layer(image.manifest)};
  std::ranges::transform(image.manifest.layers, std::back_inserter(out.layers), summarize);
  out.wasm =
      is_wasm_config(out.config_media_type) || std::ranges::any_of(image.manifest.layers, [](const Descriptor& layer) {
        const auto kind = classify_layer(layer.media_type);
        return kind && kind->content == LayerContent::wasm;
      });
  return out;
}

}  // namespace coffer::image
