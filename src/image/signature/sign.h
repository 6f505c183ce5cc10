// Signing images as `cosign sign --key` does, so that cosign, podman's policies and the worker verify it.
#pragma once

#include "crypto/keys.h"
#include "image/reference.h"
#include "image/store.h"

namespace coffer::image::signature {

// In base64, as verify_content reads it. bad_signing_key for keys other than P-256, RSA and Ed25519.
Result<std::string> sign_content(const crypto::PrivateKey& key, ByteView content);

// Where the signatures of what has this digest lie: cosign's tag beside the image's own.
Result<AnyReference> place_of_signatures(const AnyReference& image, const Digest& digest);

// Signs what the source's reference names (the whole index, where it is one) and stores the signature through `sink`,
// which was opened at place_of_signatures(). Signatures that are there are kept. Two that sign one image at one moment
// may lose one: "Support for multiple signatures works but is racy" (SIGNATURE_SPEC.md). The signed digest.
Result<Digest> sign_image(ImageSource& source, ImageSink& sink, const crypto::PrivateKey& key,
                          const std::string& docker_reference);

}  // namespace coffer::image::signature
