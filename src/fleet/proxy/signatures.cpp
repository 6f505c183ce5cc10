#include "fleet/proxy/signatures.h"

#include "base/log.h"
#include "image/signature/payload.h"
#include "image/signature/verify.h"

namespace coffer::fleet::proxy {
namespace {

constexpr std::size_t max_carried = 16;

Result<std::vector<ImageSignature>> read_signatures(image::ImageSource& source, const image::Digest& digest) {
  const auto raw = TRY(source.tagged(image::signature::signature_tag(digest)));
  const auto manifest = TRY(image::Manifest::parse(raw.content, raw.media_type));
  std::vector<ImageSignature> out;
  for (const auto& layer : manifest.layers) {
    if (layer.media_type != image::signature::payload_media_type || out.size() == max_carried) continue;
    const auto payload = TRY(image::fetch_small_blob(source, layer, image::signature::max_payload_size));
    out.push_back({.payload = to_text(payload), .annotations = layer.annotations});
  }
  return out;
}

}  // namespace

std::vector<ImageSignature> signatures_beside(image::ImageSource& source, const image::Digest& manifest) {
  auto found = read_signatures(source, manifest);
  if (found) return *std::move(found);
  if (found.error().code != image::ImageError::not_found) {
    log::debug("proxy.no_signatures", found.error().message, {{"code", std::string{found.error().code.name()}}});
  }
  return {};
}

}  // namespace coffer::fleet::proxy
