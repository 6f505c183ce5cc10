// From a layer's annotations to the keys that open it, and back.
#pragma once

#include <span>

#include "crypto/keys.h"
#include "image/key_source.h"
#include "image/ocicrypt/annotations.h"
#include "image/ocicrypt/options.h"
#include "image/ocicrypt/packet.h"

namespace coffer::image::ocicrypt {

// What a caller has to open layers with. Pointers are borrowed; a null `keys` opens JWE wraps only.
struct OpenKeys {
  KeySource* keys = nullptr;
  std::span<const crypto::PrivateKey> private_keys{};  // for JWE wraps
  std::optional<codec::ResourceUri> kid_override{};    // an explicit flag: instead of the packet's kid
  std::optional<codec::ResourceUri> default_kid{};     // where the packet has no usable kid
};

struct LayerOptions {
  PublicOptions public_options;
  PrivateOptions private_options;
};

// Tries the wraps that the keys at hand fit, provider packets first (any provider name, trap 16), then JWE. The error
// is the last attempt's; no_key where nothing could be tried.
Result<LayerOptions> open_layer_options(const Annotations& annotations, const OpenKeys& keys);

// Whom a layer is encrypted for. At least one of the two.
struct ProviderKek {
  codec::ResourceUri kid;
  SecretBytes kek;  // 32 bytes
  PacketVersion version = PacketVersion::v1;
  std::string provider{default_provider};
};
struct Recipients {
  std::vector<ProviderKek> keks{};
  std::vector<crypto::PublicKey> jwe{};
};

// Annotations of a freshly encrypted layer. no_key where there is no recipient.
Result<> seal_layer_options(const LayerOptions& options, const Recipients& recipients, Annotations& annotations);

}  // namespace coffer::image::ocicrypt
