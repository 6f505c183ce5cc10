// Images from one place to another, their layers encrypted, decrypted or as they are.
#include <algorithm>
#include <optional>

#include "image/detail/layer_writer.h"
#include "image/pipeline/digest_sink.h"
#include "image/push.h"

namespace coffer::image {
namespace {

class CountingSink final : public ByteSink {
 public:
  CountingSink(const Progress& progress, std::uint64_t before, std::uint64_t total, ByteSink& next)
      : progress_(progress), done_(before), total_(total), next_(next) {}
  Result<> write(ByteView data) override {
    done_ += data.size();
    if (progress_) progress_(done_, total_);
    return next_.write(data);
  }
  // The end belongs to LayerWriter::commit.
  Result<> finish() override { return {}; }

 private:
  const Progress& progress_;
  std::uint64_t done_, total_;
  ByteSink& next_;
};

class Copy {
 public:
  Copy(ImageSource& source, ImageSink& sink, const Manifest& manifest, const Progress& progress)
      : source_(source), sink_(sink), progress_(progress) {
    for (const auto& layer : manifest.layers) total_ += layer.size;
  }

  Result<Descriptor> as_it_is(const Descriptor& layer) {
    if (!TRY(sink_.has_blob(layer.digest))) {
      auto writer = TRY(LayerWriter::begin(sink_, false));
      TRY(transfer(layer, writer.sink()));
      return writer.commit(layer, nullptr);
    }
    done_ += layer.size;
    return layer;
  }

  Result<Descriptor> encrypted(const Descriptor& layer, const ocicrypt::Recipients& recipients) {
    auto writer = TRY(LayerWriter::begin(sink_, true));
    TRY(transfer(layer, writer.sink()));
    return writer.commit(layer, &recipients);
  }

  Result<Descriptor> decrypted(const Descriptor& layer, const ocicrypt::OpenKeys& keys) {
    const auto opened = TRY(ocicrypt::open_layer_options(layer.annotations, keys));
    auto writer = TRY(LayerWriter::begin(sink_, false));
    // Ends at the verdict: the writer's own end comes with commit.
    CountingSink stop{no_progress_, 0, 0, writer.sink()};
    const auto cipher = TRY(ocicrypt::DecryptSink::create(opened.public_options, opened.private_options, stop));
    TRY(transfer(layer, *cipher));
    TRY(cipher->finish());
    auto plain = layer;
    ocicrypt::remove_encryption(plain.annotations);
    plain.media_type = decrypted_type(layer.media_type);
    return writer.commit(std::move(plain), nullptr);
  }

 private:
  // The stored bytes, verified, into `next`, whose finish() stays the caller's.
  Result<> transfer(const Descriptor& layer, ByteSink& next) {
    CountingSink counted{progress_, done_, total_, next};
    done_ += layer.size;
    return fetch_blob(source_, layer, counted);
  }

  ImageSource& source_;
  ImageSink& sink_;
  const Progress& progress_;
  Progress no_progress_{};
  std::uint64_t total_ = 0, done_ = 0;
};

// Annotated layers are an OCI feature: Docker's manifest becomes its OCI twin, whose configuration has the same
// content.
void become_oci(Manifest& manifest) {
  manifest.media_type = media_type::oci_manifest;
  if (manifest.config.media_type == media_type::docker_config) manifest.config.media_type = media_type::oci_config;
}

Result<Manifest> copy_config(ImageSink& sink, const ResolvedImage& image) {
  auto out = image.manifest;
  TRY(put_small_blob(sink, image.config_content, out.config.media_type));
  out.layers.clear();
  return out;
}

}  // namespace

Result<PushedImage> encrypt_image(ImageSource& source, ImageSink& sink, const ocicrypt::Recipients& recipients,
                                  const CopyOptions& options) {
  const auto image = TRY(resolve_image(source, options.platform));
  Copy copy{source, sink, image.manifest, options.progress};
  auto out = TRY(copy_config(sink, image));
  for (const auto& layer : image.manifest.layers) {
    const auto kind = TRY(classify_layer(layer.media_type));
    out.layers.push_back(kind.encrypted ? TRY(copy.as_it_is(layer)) : TRY(copy.encrypted(layer, recipients)));
  }
  become_oci(out);
  return put_image(sink, std::move(out));
}

Result<PushedImage> decrypt_image(ImageSource& source, ImageSink& sink, const ocicrypt::OpenKeys& keys,
                                  const CopyOptions& options) {
  const auto image = TRY(resolve_image(source, options.platform));
  if (!has_encrypted_layer(image.manifest)) {
    return fail(ImageError::not_encrypted, "no layer of " + source.name() + " is encrypted");
  }
  Copy copy{source, sink, image.manifest, options.progress};
  auto once = keys;
  std::optional<RememberingKeySource> remembered;
  if (keys.keys != nullptr) once.keys = &remembered.emplace(*keys.keys);
  auto out = TRY(copy_config(sink, image));
  for (const auto& layer : image.manifest.layers) {
    const auto kind = TRY(classify_layer(layer.media_type));
    out.layers.push_back(kind.encrypted ? TRY(copy.decrypted(layer, once)) : TRY(copy.as_it_is(layer)));
  }
  return put_image(sink, std::move(out));
}

Result<PushedImage> copy_image(ImageSource& source, ImageSink& sink, const CopyOptions& options) {
  const auto image = TRY(resolve_image(source, options.platform));
  Copy copy{source, sink, image.manifest, options.progress};
  auto out = TRY(copy_config(sink, image));
  for (const auto& layer : image.manifest.layers) out.layers.push_back(TRY(copy.as_it_is(layer)));
  // The manifest goes on byte for byte: its digest is what signatures are over.
  TRY(sink.put_manifest(image.raw, true));
  return PushedImage{image.raw.digest, std::move(out.layers)};
}

}  // namespace coffer::image
