// The annotation packet of the provider "attestation-agent": privopts wrapped under a KEK (guest-components.md 4.5).
#pragma once

#include <string>

#include "base/secret_bytes.h"
#include "codec/json.h"
#include "codec/resource_uri.h"
#include "crypto/random.h"
#include "image/error.h"

namespace coffer::image::ocicrypt {

enum class PacketVersion { v1, v2 };  // v2 adds version, provider, provider_settings and annotations

// Always A256GCM. Upstream reads A256CTR too, which is refused here: without a tag anyone could relabel a GCM packet
// (its ciphertext is AES-CTR's), put a layer key of their own where the plaintext is known, and so have their module
// run as the owner's.
struct AnnotationPacket {
  PacketVersion version = PacketVersion::v1;
  std::string kid;               // as written; a resource URI for provider "kbs"
  Bytes wrapped_data;            // ciphertext || tag
  Bytes iv;                      // 12 bytes
  std::string provider = "kbs";  // another provider is bad_annotation when opened here

  // unsupported_cipher where it is wrapped with anything but A256GCM.
  static Result<AnnotationPacket> parse(ByteView text);
  std::string to_json() const;
  // The key's URI. A path without scheme, which some versions of upstream's keyprovider wrote, is accepted too.
  Result<codec::ResourceUri> key_uri() const;

  // unwrap_failed where the KEK does not fit; `kek` has 32 bytes.
  Result<SecretBytes> open(const SecretBytes& kek) const;
  static Result<AnnotationPacket> seal(ByteView secret, const SecretBytes& kek, const codec::ResourceUri& kid,
                                       PacketVersion version = PacketVersion::v1,
                                       crypto::RandomSource& random = crypto::system_random());
};

}  // namespace coffer::image::ocicrypt
