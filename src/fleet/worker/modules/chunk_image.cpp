#include "fleet/worker/modules/chunk_image.h"

#include <algorithm>

#include "codec/json.h"
#include "fleet/worker/error.h"
#include "image/reference.h"
#include "image/signature/payload.h"
#include "image/signature/verify.h"

namespace coffer::fleet::worker {
namespace {

constexpr std::string_view oci_manifest = "application/vnd.oci.image.manifest.v1+json";

std::string media_type_of(const std::string& manifest) {
  const auto parsed = codec::json::parse(manifest);
  const auto* type = parsed ? parsed->find("mediaType") : nullptr;
  const auto* text = type == nullptr ? nullptr : type->if_string();
  return text == nullptr ? std::string{oci_manifest} : *text;
}

// Whoever pins an image by digest gets that one, whatever the proxy sends.
Result<> check_pinned(const std::string& name, const image::Digest& manifest) {
  const auto reference = TRY(image::ImageReference::parse(name));
  if (!reference.digest() || *reference.digest() == manifest) return {};
  return fail(image::ImageError::digest_mismatch, "the proxy sent the manifest " + manifest.text() + " for " + name +
                                                      "; an index cannot be named by digest here");
}

}  // namespace

ChunkImageSource::ChunkImageSource(std::string name, std::shared_ptr<const FetchedImage> image,
                                   image::RawManifest manifest)
    : name_(std::move(name)),
      image_(std::move(image)),
      manifest_(std::move(manifest)),
      layer_(image::Digest::of(image_->data)),
      config_(image::Digest::of(as_bytes(image_->config))) {}

Result<std::unique_ptr<ChunkImageSource>> ChunkImageSource::create(const std::string& name,
                                                                   std::shared_ptr<const FetchedImage> image) {
  if (image->manifest.empty()) {
    return fail(WorkerError::unsupported,
                "the proxy sent no manifest with " + name +
                    ": what is encrypted or has to be signed comes through coffer-proxy, or directly from a registry");
  }
  image::RawManifest manifest{.media_type = media_type_of(image->manifest),
                              .content = to_bytes(image->manifest),
                              .digest = image::Digest::of(as_bytes(image->manifest))};
  TRY(check_pinned(name, manifest.digest));
  return std::unique_ptr<ChunkImageSource>(new ChunkImageSource(name, std::move(image), std::move(manifest)));
}

Result<image::RawManifest> ChunkImageSource::manifest(const std::optional<image::Digest>& digest) {
  if (!digest || *digest == manifest_.digest) return manifest_;
  return fail(image::ImageError::not_found, "the proxy sent no manifest " + digest->text() + " for " + name_);
}

Result<image::RawManifest> ChunkImageSource::tagged(const std::string& tag) {
  if (image_->signatures.empty() || tag != image::signature::signature_tag(manifest_.digest)) {
    return ImageSource::tagged(tag);
  }
  image::Manifest manifest{.media_type = std::string{oci_manifest},
                           .config = {.media_type = std::string{image::media_type::oci_config}, .digest = config_},
                           .layers = {}};
  for (const auto& signature : image_->signatures) {
    manifest.layers.push_back({.media_type = std::string{image::signature::payload_media_type},
                               .digest = image::Digest::of(as_bytes(signature.payload)),
                               .size = signature.payload.size(),
                               .annotations = signature.annotations});
  }
  auto text = manifest.to_json();
  auto digest = image::Digest::of(as_bytes(text));
  return image::RawManifest{manifest.media_type, to_bytes(text), std::move(digest)};
}

Result<> ChunkImageSource::check_layer() const {
  const auto manifest = TRY(image::Manifest::parse(manifest_.content, manifest_.media_type));
  const bool listed = std::ranges::any_of(manifest.layers, [&](const auto& layer) { return layer.digest == layer_; });
  if (listed) return {};
  return fail(image::ImageError::digest_mismatch,
              "the layer that the proxy sent for " + name_ + " is none of its manifest's");
}

Result<> ChunkImageSource::read_blob(const image::Descriptor& blob, image::ByteSink& sink) {
  if (blob.digest == layer_) return sink.write(image_->data);
  if (blob.digest == config_) return sink.write(as_bytes(image_->config));
  for (const auto& signature : image_->signatures) {
    if (image::Digest::of(as_bytes(signature.payload)) == blob.digest) return sink.write(as_bytes(signature.payload));
  }
  return fail(image::ImageError::not_found, "the proxy sent no blob " + blob.digest.text() + " for " + name_);
}

}  // namespace coffer::fleet::worker
