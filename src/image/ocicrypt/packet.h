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
enum class WrapType { a256gcm, a256ctr };

struct AnnotationPacket {
  PacketVersion version = PacketVersion::v1;
  std::string kid;     // as written; a resource URI for provider "kbs"
  Bytes wrapped_data;  // ciphertext || tag
  Bytes iv;            // 12 bytes (GCM) or 16 (CTR)
  WrapType wrap_type = WrapType::a256gcm;
  std::string provider = "kbs";  // another provider is bad_annotation when opened here

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
