// One layer on its way into a sink, encrypted or not.
#pragma once

#include <memory>

#include "image/ocicrypt/cipher.h"
#include "image/pipeline/digest_sink.h"
#include "image/push.h"

namespace coffer::image {

class LayerWriter {
 public:
  static constexpr std::size_t piece_size = 256U << 10;

  static Result<LayerWriter> begin(ImageSink& sink, bool encrypt);

  // Plain bytes go in here. finish() belongs to commit().
  ByteSink& sink() { return *entry_; }
  // Ends the streams and stores the blob. `plain` gives media type and annotations; the result has digest and size of
  // what was stored, and of an encrypted layer the annotations that open it.
  Result<Descriptor> commit(Descriptor plain, const ocicrypt::Recipients* recipients);
  // After commit().
  const Digest& plain_digest() const { return plain_->digest(); }

 private:
  LayerWriter() = default;
  std::unique_ptr<BlobWriter> blob_;
  std::unique_ptr<MeasureSink> stored_, plain_;
  std::unique_ptr<ocicrypt::EncryptSink> cipher_;
  ByteSink* entry_ = nullptr;
};

// Stores the manifest under the sink's tag.
Result<PushedImage> put_image(ImageSink& sink, Manifest manifest);

}  // namespace coffer::image
