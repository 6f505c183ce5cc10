// What can be wrong with an image, its registry or its keys. One code a cause: a caller maps them to exit codes.
#pragma once

#include "base/result.h"

namespace coffer::image {

enum class ImageError {
  // Names
  bad_reference,
  bad_digest,
  // Manifests
  bad_manifest,            // a manifest, index or configuration that does not parse or breaks its own rules
  unsupported_media_type,  // names the type
  no_layers,
  layer_count_mismatch,  // fewer (or more) diff_ids than layers
  no_matching_platform,
  limit_exceeded,  // a size, count or ratio over the caller's limit: the text names which
  // Registries and layouts
  unauthorized,          // 401, or a token service that refuses
  forbidden,             // 403
  not_found,             // 404
  rate_limited,          // 429 after the allowed retries
  registry_unavailable,  // 5xx after the allowed retries
  registry_protocol,     // an answer the distribution specification does not allow
  incomplete,            // the transfer broke off and could not be resumed
  bad_auth_config,       // config.json that does not parse
  bad_layout,            // no OCI layout, or one that breaks its rules
  // Integrity
  digest_mismatch,
  size_mismatch,
  diff_id_mismatch,
  hmac_mismatch,  // the encrypted layer is not the one that was encrypted
  // Encryption
  not_encrypted,  // expected encrypted, and is not
  missing_annotation,
  bad_annotation,
  unsupported_cipher,
  no_key,  // nothing at hand opens any of the layer's wraps
  kek_empty,
  kek_wrong_size,
  kek_is_pem,     // a PEM key where 32 raw bytes are expected
  unwrap_failed,  // the key does not open the annotation
  // Signatures
  bad_signing_key,        // no key, or none that signatures are made with
  signature_missing,      // there is none
  signature_invalid,      // there are, and no trusted key made one of them
  signature_mismatch,     // a good signature, over something else
  keyless_signature,      // only such as Fulcio and Rekor vouch for
  bad_signature_payload,  // well signed, and no document of cosign's
  // Content
  bad_compression,
  truncated,
  bad_tar,
  bad_path,         // absolute, "..", NUL, or too long
  link_escape,      // a link that leads out of the tree
  device_node,      // a device, FIFO or socket that was not allowed
  no_module,        // no WASM module in the image
  several_modules,  // several, and none is named module.wasm
  bad_module,       // not WASM by its magic number
  // The machine
  io,
};
std::string_view code_name(ImageError code);

}  // namespace coffer::image
