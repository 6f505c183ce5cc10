// Where images come from and go to: a registry and a layout behind the same two interfaces.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "image/byte_sink.h"
#include "image/manifest.h"
#include "image/reference.h"

namespace coffer::image {

// A manifest or index as received: its digest is over exactly these bytes, and has been verified where one was asked
// for.
struct RawManifest {
  std::string media_type;
  Bytes content;
  Digest digest;
};

class ImageSource {
 public:
  virtual ~ImageSource() = default;
  // What the reference names, or the manifest of that digest in the same repository.
  virtual Result<RawManifest> manifest(const std::optional<Digest>& digest) = 0;
  // The blob's bytes in order, write() alone, no finish(). Neither digest nor size is trusted here: see fetch_blob.
  virtual Result<> read_blob(const Descriptor& blob, ByteSink& sink) = 0;
  // What stands beside it under another tag, and what names `subject` as its subject (distribution specification 1.1,
  // "Listing Referrers"; an empty index where nothing does). not_found, and nothing, where a place has no more than the
  // one image.
  virtual Result<RawManifest> tagged(const std::string& tag);
  virtual Result<Index> referrers(const Digest& subject);
  virtual std::string name() const = 0;  // for messages
};

// One blob on its way out. Nothing is visible before commit(); the destructor gives up what was not committed.
class BlobWriter : public ByteSink {
 public:
  // `digest` of all that was written, computed by the caller.
  virtual Result<> commit(const Digest& digest) = 0;
};

class ImageSink {
 public:
  virtual ~ImageSink() = default;
  virtual Result<bool> has_blob(const Digest& digest) = 0;
  virtual Result<std::unique_ptr<BlobWriter>> begin_blob() = 0;
  // Under the reference's tag where `tagged`, by digest alone otherwise (members of an index).
  virtual Result<> put_manifest(const RawManifest& manifest, bool tagged) = 0;
  virtual std::string name() const = 0;
};

// The blob's bytes into `sink`, then finish() once size and digest hold.
Result<> fetch_blob(ImageSource& source, const Descriptor& blob, ByteSink& sink);
// A small blob whole. limit_exceeded where the descriptor says more than `max_size`.
Result<Bytes> fetch_small_blob(ImageSource& source, const Descriptor& blob, std::size_t max_size);
// Writes a small blob unless it is there; gives its descriptor.
Result<Descriptor> put_small_blob(ImageSink& sink, ByteView content, std::string_view media_type);

// One image, resolved: index followed, counts checked, configuration parsed.
struct ResolvedImage {
  RawManifest raw;
  Manifest manifest;
  Bytes config_content;
  ImageConfig config;
};
Result<ResolvedImage> resolve_image(ImageSource& source, const Platform& platform = Platform::host(),
                                    bool prefer_wasm = true);

}  // namespace coffer::image
