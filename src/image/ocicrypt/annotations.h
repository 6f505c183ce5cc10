// The annotations of an encrypted layer's descriptor (guest-components.md 4.1).
#pragma once

#include <string>
#include <vector>

#include "image/manifest.h"

namespace coffer::image::ocicrypt {

inline constexpr std::string_view public_options_annotation = "org.opencontainers.image.enc.pubopts";
inline constexpr std::string_view keys_annotation_prefix = "org.opencontainers.image.enc.keys.";
inline constexpr std::string_view jwe_annotation = "org.opencontainers.image.enc.keys.jwe";
inline constexpr std::string_view provider_annotation_prefix = "org.opencontainers.image.enc.keys.provider.";
inline constexpr std::string_view default_provider = "attestation-agent";

// One wrap of a layer's private options: by which scheme, and the decoded blob.
struct Wrap {
  std::string scheme;  // "jwe", "pkcs7", "provider.attestation-agent", ...
  Bytes blob;
};

// The wraps in the order of their annotations' names, comma-separated blobs in their order. missing_annotation where
// there is none; bad_annotation where base64 does not decode.
Result<std::vector<Wrap>> read_wraps(const Annotations& annotations);
Result<Bytes> read_public_options(const Annotations& annotations);

// Adds a blob to "…enc.keys.<scheme>", comma-joined behind what is there.
void add_wrap(Annotations& annotations, std::string_view scheme, ByteView blob);
void set_public_options(Annotations& annotations, std::string_view json);
// All that encryption added.
void remove_encryption(Annotations& annotations);

}  // namespace coffer::image::ocicrypt
