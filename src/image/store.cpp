#include "image/store.h"

#include "image/pipeline/digest_sink.h"

namespace coffer::image {
namespace {

class BytesSink final : public ByteSink {
 public:
  explicit BytesSink(std::size_t expected) { content.reserve(expected); }
  Result<> write(ByteView data) override {
    content.insert(content.end(), data.begin(), data.end());
    return {};
  }
  Bytes content;
};

}  // namespace

Result<RawManifest> ImageSource::tagged(const std::string& tag) {
  return fail(ImageError::not_found, "there is no " + tag + " beside " + name());
}

Result<Index> ImageSource::referrers(const Digest&) {
  return Index{std::string{media_type::oci_index}, {}};
}

Result<> fetch_blob(ImageSource& source, const Descriptor& blob, ByteSink& sink) {
  DigestSink checked{blob.digest, blob.size, ImageError::digest_mismatch, "the blob " + blob.digest.text(), sink};
  TRY(source.read_blob(blob, checked));
  return checked.finish();
}

Result<Bytes> fetch_small_blob(ImageSource& source, const Descriptor& blob, std::size_t max_size) {
  if (blob.size > max_size) {
    return fail(ImageError::limit_exceeded, "the blob " + blob.digest.text() + " has " + std::to_string(blob.size) +
                                                " bytes, over the limit of " + std::to_string(max_size));
  }
  BytesSink collected{blob.size};
  TRY(fetch_blob(source, blob, collected));
  return std::move(collected.content);
}

Result<Descriptor> put_small_blob(ImageSink& sink, ByteView content, std::string_view media_type) {
  Descriptor out{.media_type = std::string{media_type}, .digest = Digest::of(content), .size = content.size()};
  if (TRY(sink.has_blob(out.digest))) return out;
  const auto writer = TRY(sink.begin_blob());
  TRY(writer->write(content));
  TRY(writer->commit(out.digest));
  return out;
}

Result<ResolvedImage> resolve_image(ImageSource& source, const Platform& platform, bool prefer_wasm) {
  auto raw = TRY(source.manifest(std::nullopt));
  if (is_index(raw.media_type)) {
    const auto index = TRY(Index::parse(raw.content, raw.media_type));
    const auto chosen = TRY(index.choose(platform, prefer_wasm));
    // image-spec: an index may nest; nobody makes such images, and following them has no natural end.
    if (is_index(chosen.media_type)) {
      return fail(ImageError::bad_manifest, "the index names another index, which is not followed");
    }
    raw = TRY(source.manifest(chosen.digest));
  }
  auto manifest = TRY(Manifest::parse(raw.content, raw.media_type));
  auto config_content = TRY(fetch_small_blob(source, manifest.config, max_config_size));
  auto config = TRY(ImageConfig::parse(config_content, manifest.config.media_type));
  return ResolvedImage{std::move(raw), std::move(manifest), std::move(config_content), std::move(config)};
}

}  // namespace coffer::image
