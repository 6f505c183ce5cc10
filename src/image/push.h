// Making and changing images: a WASM module pushed as an image, layers encrypted or decrypted on the way from one place
// to another. One pass, bounded memory; the tag appears last.
#pragma once

#include "image/ocicrypt/key_wrap.h"
#include "image/store.h"

namespace coffer::image {

enum class WasmStyle {
  cncf,  // config application/vnd.wasm.config.v0+json, layer application/wasm
  fork,  // layer application/vnd.wasm.content.layer.v1+wasm, an OCI configuration with diff_ids
  tar,   // a standard OCI image whose one tar layer holds module.wasm
};
Result<WasmStyle> parse_wasm_style(std::string_view name);

struct PushOptions {
  WasmStyle style = WasmStyle::cncf;
  const ocicrypt::Recipients* recipients = nullptr;  // none: not encrypted
  Annotations annotations{};                         // of the manifest
  Progress progress{};
};

struct PushedImage {
  Digest manifest_digest;
  std::vector<Descriptor> layers;
};

// bad_module unless it begins as a WASM module or component does.
Result<PushedImage> push_wasm(ByteView module, ImageSink& sink, const PushOptions& options);

struct CopyOptions {
  Platform platform = Platform::host();
  Progress progress{};
};

// Every plain layer encrypted for `recipients`; layers already encrypted stay as they are.
Result<PushedImage> encrypt_image(ImageSource& source, ImageSink& sink, const ocicrypt::Recipients& recipients,
                                  const CopyOptions& options = {});
// Every encrypted layer opened. Decrypted blobs are committed only after MAC and digest hold.
Result<PushedImage> decrypt_image(ImageSource& source, ImageSink& sink, const ocicrypt::OpenKeys& keys,
                                  const CopyOptions& options = {});
// As it is.
Result<PushedImage> copy_image(ImageSource& source, ImageSink& sink, const CopyOptions& options = {});

}  // namespace coffer::image
