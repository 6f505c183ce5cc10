#include "image/detail/layer_writer.h"

namespace coffer::image {

Result<LayerWriter> LayerWriter::begin(ImageSink& sink, bool encrypt) {
  LayerWriter out;
  out.blob_ = TRY(sink.begin_blob());
  out.stored_ = std::make_unique<MeasureSink>(*out.blob_);
  if (encrypt) out.cipher_ = TRY(ocicrypt::EncryptSink::create(*out.stored_));
  out.plain_ = std::make_unique<MeasureSink>(encrypt ? static_cast<ByteSink&>(*out.cipher_) : *out.stored_);
  out.entry_ = out.plain_.get();
  return out;
}

Result<Descriptor> LayerWriter::commit(Descriptor plain, const ocicrypt::Recipients* recipients) {
  TRY(entry_->finish());
  if (cipher_) {
    if (recipients == nullptr)
      return fail(ImageError::no_key, "a layer is encrypted for somebody, and nobody is named");
    const ocicrypt::LayerOptions options{cipher_->public_options(), cipher_->private_options()};
    TRY(ocicrypt::seal_layer_options(options, *recipients, plain.annotations));
    plain.media_type = encrypted_type(plain.media_type);
  }
  plain.digest = stored_->digest();
  plain.size = stored_->size();
  TRY(blob_->commit(plain.digest));
  return plain;
}

Result<PushedImage> put_image(ImageSink& sink, Manifest manifest) {
  const auto text = manifest.to_json();
  RawManifest raw{manifest.media_type, to_bytes(text), Digest::of(as_bytes(text))};
  TRY(sink.put_manifest(raw, true));
  return PushedImage{std::move(raw.digest), std::move(manifest.layers)};
}

}  // namespace coffer::image
