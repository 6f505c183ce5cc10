// What cosign signs: a document of "simple signing" that names an image's manifest by digest (sigstore/cosign,
// SIGNATURE_SPEC.md, "Simple Signing"; the format is containers-signature(5)'s).
#pragma once

#include <string>
#include <string_view>

#include "image/digest.h"

namespace coffer::image::signature {

inline constexpr std::string_view payload_media_type = "application/vnd.dev.cosign.simplesigning.v1+json";
inline constexpr std::string_view payload_type = "cosign container image signature";
inline constexpr std::size_t max_payload_size = 64U << 10;  // bytes; cosign's are some 250

struct SimpleSigning {
  Digest manifest;          // critical.image.docker-manifest-digest
  std::string reference{};  // critical.identity.docker-reference: what the signer called it; nothing is concluded of it

  // bad_signature_payload. Further members, of `critical` too, are passed over as cosign does.
  static Result<SimpleSigning> parse(ByteView text);
  // Byte for byte as cosign writes it.
  std::string to_json() const;
};

}  // namespace coffer::image::signature
